"""Captured pictures as an encoder takes them: as they are, or converted, from wherever they lie."""

import attrs

from punktfunk.drivers.encode import EncodeDriver
from punktfunk.errors import DriverFailed
from punktfunk.model.frames import Frame
from punktfunk.model.video import EncodeParams, PixelFormat
from punktfunk.pixels import Converter
from punktfunk.pixels.dmabuf import readable_planes


class Intake:
    """Used by the thread that encodes."""

    def __init__(self, encoder: EncodeDriver, params: EncodeParams) -> None:
        self._encoder, self._params = encoder, params
        self._converter: Converter | None = None
        self._source: PixelFormat | None = None

    def take(self, captured: Frame) -> Frame:
        """The picture for the encoder. Release it when the next one is there.

        Raises:
            DriverFailed: it cannot be made into what the encoder takes. What was captured is
                released all the same.
        """
        if self._passes(captured):
            self._source = None  # what has changed here, the converter does not hear of
            return captured
        try:
            converter = self._converter_for(captured.format)
        except ValueError as error:
            captured.release()
            raise DriverFailed(f"the capture's pictures cannot be used: {error}") from error
        if captured.dmabuf is None:
            return converter.convert(captured)
        try:
            with readable_planes(captured) as planes:
                return converter.convert(
                    attrs.evolve(captured, planes=planes, dmabuf=None, release=_nothing)
                )
        finally:
            captured.release()

    def skip(self, captured: Frame) -> None:
        """Release a picture that nobody will see; what it changed is seen with the next."""
        if self._converter is not None and captured.format is self._source:
            self._converter.skip(captured)
        else:
            self._source = None
            captured.release()

    def _passes(self, captured: Frame) -> bool:
        dmabuf, mode = captured.dmabuf, self._params.mode
        return (
            dmabuf is not None
            and (captured.width_px, captured.height_px) == (mode.width_px, mode.height_px)
            and any(
                it.format is captured.format and dmabuf.modifier in it.modifiers
                for it in self._encoder.dmabufs
            )
        )

    def _converter_for(self, source: PixelFormat) -> Converter:
        if self._converter is None or source is not self._source:
            mode, target = self._params.mode, self._encoder.formats[0]
            self._converter = Converter(
                source, target, mode.width_px, mode.height_px, self._params.color
            )
            self._source = source
        return self._converter


def _nothing() -> None:
    pass
