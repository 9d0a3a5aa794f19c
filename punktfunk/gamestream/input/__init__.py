"""What a client's hands do, read from its packets."""

from punktfunk.gamestream.input.packets import decode_input

__all__ = ["decode_input"]
