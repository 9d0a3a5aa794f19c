"""Sessions: their plan, their worker process, and the host's grip on it."""
