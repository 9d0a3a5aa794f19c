"""Loads a native library that crashes."""

import ctypes

ctypes.string_at(0)
