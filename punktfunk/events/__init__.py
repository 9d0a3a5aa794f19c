"""What happened on this host, for whoever wants to know."""
