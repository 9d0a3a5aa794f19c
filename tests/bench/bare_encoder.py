"""The yardstick, in a process of its own: the test card encoded by PyAV and nothing else.

`python bare_encoder.py WIDTH HEIGHT KBPS SECONDS` draws, converts and encodes at 60 frames a
second and prints a JSON object: CPU time in microseconds a frame, each step for itself. The
steps before the encoder run here too, so that it finds the caches as it does in a session.
"""

import json
import sys
import time
from fractions import Fraction

import av
import numpy as np

from punktfunk.builtin.software_options import color_numbers, library_options, thread_count
from punktfunk.builtin.testcard import TestCardCapture
from punktfunk.drivers.compositor import Display
from punktfunk.model.video import Codec, ColorSpec, EncodeParams, PixelFormat, VideoMode
from punktfunk.pixels import Converter

WARM_UP_FRAMES = 30


class TimedCard(TestCardCapture):
    """Knows what drawing costs, without waiting for the time of the next frame."""

    draw_ns = 0

    def _draw(self, mode):
        began = time.process_time_ns()
        frame = super()._draw(mode)
        self.draw_ns = time.process_time_ns() - began
        return frame


def open_encoder(params: EncodeParams, cores: int) -> av.VideoCodecContext:
    threads = thread_count(params.codec, 0, cores)
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = params.mode.width_px, params.mode.height_px
    encoder.pix_fmt = "yuv420p"
    encoder.framerate = Fraction(params.mode.refresh_mhz, 1_000)
    encoder.time_base = 1 / encoder.framerate
    encoder.bit_rate = params.bitrate_kbps * 1_000
    encoder.gop_size = 2**31 - 1
    encoder.max_b_frames = 0
    for name, number in color_numbers(params.color).items():
        setattr(encoder, name, number)
    encoder.thread_count = threads
    encoder.options = library_options(params, params.bitrate_kbps, "ultrafast", threads)
    encoder.open()
    return encoder


def main(width_px: int, height_px: int, kbps: int, seconds: int, cores: int) -> None:
    mode = VideoMode(width_px=width_px, height_px=height_px, refresh_mhz=60_000)
    color = ColorSpec()
    card = TimedCard({})
    card.open(None, Display(compositor="null", mode=mode), mode)
    converter = Converter(PixelFormat.BGRX, PixelFormat.I420, width_px, height_px, color)
    params = EncodeParams(
        codec=Codec.H264, mode=mode, bitrate_kbps=kbps, color=color, max_reference_frames=1
    )
    encoder = open_encoder(params, cores)
    spent = {"draw": 0, "convert": 0, "encode": 0}
    frames = seconds * 60
    for number in range(-WARM_UP_FRAMES, frames):
        picture = card.read(1)
        drawn = time.process_time_ns()
        converted = converter.convert(picture)
        converted_at = time.process_time_ns()
        block = np.concatenate([plane.ravel() for plane in converted.planes])
        ready = time.process_time_ns()
        source = av.VideoFrame.from_numpy_buffer(
            block.reshape(-1, width_px), format="yuv420p", width=width_px
        )
        source.pts = number
        packets = encoder.encode(source)
        done = time.process_time_ns()
        assert len(packets) == 1
        if number >= 0:
            spent["draw"] += card.draw_ns
            spent["convert"] += converted_at - drawn
            spent["encode"] += done - ready
    print(json.dumps({name: value / frames / 1_000 for name, value in spent.items()}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
