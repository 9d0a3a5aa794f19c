"""The host's own listeners: sockets around the protocols, deciding nothing themselves."""
