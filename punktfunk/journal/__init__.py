"""The undo journal: what was done to the machine, and how it is taken back.

An effect is written, durably, before it happens. Reversing looks first whether the thing
is still there and still ours. A crash at any point leaves either nothing to undo or a
line that says what to undo, and the next start reads it.
"""

from punktfunk.journal.book import Journal, Undo
from punktfunk.journal.effects import (
    CORE_EFFECTS,
    MARK,
    command,
    directory,
    make_directory,
    marked_processes,
    process_tree,
    undo_core_effect,
)

__all__ = [
    "CORE_EFFECTS",
    "MARK",
    "Journal",
    "Undo",
    "command",
    "directory",
    "make_directory",
    "marked_processes",
    "process_tree",
    "undo_core_effect",
]
