"""What is seen in pictures."""

import time


def read_until(capture, wanted, what: str):
    """Read and release frames until one is as wanted; return a copy of its picture."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        frame = capture.read(0.2)
        if frame is None:
            continue
        picture = frame.planes[0].reshape(frame.height_px, frame.width_px, 4).copy()
        frame.release()
        if wanted(picture):
            return picture
    raise AssertionError(f"no frame {what}")
