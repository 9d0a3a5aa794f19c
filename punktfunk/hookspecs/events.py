"""Told after the fact. Answers are ignored."""

from punktfunk.hookspecs.markers import hookspec
from punktfunk.model.events import Event


@hookspec
def session_started(session_id: int, app: str, client: str) -> None:
    """A session's display and app are up.

    Args:
        app: The app's library id, such as `builtin:desktop`.
        client: SHA-256 of the client's certificate, lower-case hex.
    """


@hookspec
def session_ended(session_id: int, reason: str) -> None:
    """A session is over and everything it made is gone."""


@hookspec
def client_paired(client: str, name: str) -> None:
    """A client was paired and is in the store."""


@hookspec
def client_unpaired(client: str) -> None:
    """A client was removed and its sessions were ended."""


@hookspec
def event(event: Event) -> None:
    """Anything has happened, what the other hooks of this page tell included.

    Events come one after the other. Those that pile up behind a slow plugin are dropped.

    Args:
        event: See its `type` first; more types come with time.
    """
