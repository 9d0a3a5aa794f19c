"""The composition root and everything that only a running host has."""
