"""Who we are and whom we trust: identity, paired clients, pairing, tokens, on disk."""
