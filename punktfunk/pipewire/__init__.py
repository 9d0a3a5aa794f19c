"""Pictures from a PipeWire node, for every capture that gets its pictures that way.

A binding of our own by ctypes: nothing to compile, and what is kept up elsewhere either copies
each picture several times, polls, or brings a whole media framework along. The library is opened
by the first stream, not by the import.
"""

from punktfunk.pipewire.library import pipewire_availability
from punktfunk.pipewire.server import PipeWireServer
from punktfunk.pipewire.video import PipeWireVideo

__all__ = ["PipeWireServer", "PipeWireVideo", "pipewire_availability"]
