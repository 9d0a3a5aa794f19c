"""A game-streaming host for Linux, built as a plugin host."""

__version__ = "1.0.0.dev0"
