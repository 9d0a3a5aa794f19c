"""Waits for a server when it is imported."""

import threading

threading.Event().wait()
