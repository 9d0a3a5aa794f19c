"""Which games are there? Asked in a child process that may be killed."""

from pathlib import Path

from punktfunk.hookspecs.markers import hookspec
from punktfunk.model.games import GameEntry
from punktfunk.model.offers import HostFacts

# Both are called when the host starts, when one of the watched paths changed and when
# someone asks, with 20 s for each plugin. A crash or a hang costs only that plugin's games.


@hookspec
def library_games(host: HostFacts) -> list[GameEntry]:
    """List the games of your store, in any order, each once.

    Read local files only: no network, no program started, nothing written. A file that is
    damaged, cut off, far too long or hostile costs its own entry and no other; say what
    you left out with `logging`, as a warning, once: it becomes one of your store's problems.
    Ids begin with your plugin's name and a colon.
    """


@hookspec
def library_paths(host: HostFacts) -> list[Path]:
    """Say which files and folders to watch: when one changes, your games are listed again.

    Folders are not watched recursively. A path that does not exist yet may be named: its
    coming is noticed as long as its parent is there. At most 500.
    """
