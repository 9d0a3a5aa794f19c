"""The two pluggy markers: one for our specs, one for a plugin's implementations."""

import pluggy

PROJECT = "punktfunk"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
