"""A host that attached to GNOME, and waits to be killed."""

import time

from punktfunk_capture_mutter.compositor import MutterCompositor

from punktfunk.plugin import VideoMode
from punktfunk.testing import FakeSeat

compositor = MutterCompositor()
with FakeSeat("seat-doomed") as seat:
    compositor.attach(seat, VideoMode(width_px=800, height_px=600, refresh_mhz=60_000))
    print("attached", flush=True)
    time.sleep(600)
