"""What a library knows of a game: where it comes from, how it looks, how it starts."""

from typing import Any

import attrs
from attrs.validators import matches_re

from punktfunk.model.apps import LaunchSpec

MAX_TITLE_LENGTH = 500

_ID = r"[a-z][a-z0-9_]*:[\x21-\x2e\x30-\x7e]{1,200}"


@attrs.frozen(kw_only=True)
class Artwork:
    """Pictures of a game; each is an `https://` URL, or the absolute path of a local file.

    Attributes:
        portrait: Upright cover, 2:3; best for a grid.
        hero: Wide background.
        logo: The title on a transparent ground.
        header: Horizontal banner.
    """

    portrait: str | None = None
    hero: str | None = None
    logo: str | None = None
    header: str | None = None


@attrs.frozen(kw_only=True)
class LaunchTarget:
    """How a game is started, in the store's own terms; what the management API shows.

    Attributes:
        kind: Such as `steam_appid` or `command`.
        value: The app's number, the command, and so on.
    """

    kind: str
    value: str


def _not_blank(_: object, attribute: "attrs.Attribute[Any]", value: str) -> None:
    if not value.strip() or len(value) > MAX_TITLE_LENGTH:
        raise ValueError(f"{attribute.name} must have 1 to {MAX_TITLE_LENGTH} characters")


@attrs.frozen(kw_only=True)
class GameEntry:
    """One title of one store.

    Attributes:
        id: `store:key`, the same for as long as the game is installed, and again when it
            comes back. `store` is the name of the plugin that lists it; `key` is up to 200
            visible ASCII characters, none of them a slash.
        target: None when the store does not know how to start it.
        launch: What to run for `target`: an argv list, never a shell string.
        installed: False while it is downloaded, updated or removed; it cannot be launched.
    """

    id: str = attrs.field(validator=matches_re(_ID))
    title: str = attrs.field(validator=_not_blank)
    art: Artwork = attrs.field(factory=Artwork)
    target: LaunchTarget | None = None
    launch: LaunchSpec | None = None
    installed: bool = True

    @property
    def store(self) -> str:
        return self.id.partition(":")[0]
