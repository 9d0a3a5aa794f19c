"""Frozen values everything else talks in. No I/O; imports nothing of ours but errors."""
