"""Colour conversion in the core, so that neither captures nor encoders have to.

`Converter` turns captured RGB pictures into the YUV an encoder takes. It is the most
expensive step between them; see `punktfunk.pixels.compiled` for how it is kept cheap.
"""

from punktfunk.pixels.converter import Converter, warm_up

__all__ = ["Converter", "warm_up"]
