"""What streams did: measured once a second, kept while somebody wants it."""
