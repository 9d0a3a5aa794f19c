"""The undo journal: what was done to the machine, and how it is taken back.

An effect is written, durably, before it happens. Reversing looks first whether the thing
is still there and still ours. A crash at any point leaves either nothing to undo or a
line that says what to undo, and the next start reads it.
"""

from punktfunk.journal.book import Journal, JournalBusy, Undo, is_held
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
from punktfunk.journal.files import change_file, compare_and_restore
from punktfunk.journal.lines import Entry, State

__all__ = [
    "CORE_EFFECTS",
    "MARK",
    "Entry",
    "Journal",
    "JournalBusy",
    "State",
    "Undo",
    "change_file",
    "command",
    "compare_and_restore",
    "directory",
    "is_held",
    "make_directory",
    "marked_processes",
    "process_tree",
    "undo_core_effect",
]
