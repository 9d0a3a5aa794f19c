"""From games to what the API says of them."""

from urllib.parse import quote

import attrs

from punktfunk.model.games import Artwork, GameEntry, LaunchTarget

ART_PATH = "/api/v1/library/art"


@attrs.frozen(kw_only=True)
class GameInfo:
    """Attributes:
    art: Addresses, and paths on this server for files of this machine.
    launch: In the store's own terms; None when it is not known.
    hidden: A person keeps it out of Moonlight's list.
    """

    id: str
    store: str
    title: str
    art: Artwork
    launch: LaunchTarget | None
    installed: bool
    hidden: bool


def game_info(game: GameEntry, *, hidden: bool = False) -> GameInfo:
    return GameInfo(
        id=game.id,
        store=game.store,
        title=game.title,
        art=_shown_art(game),
        launch=game.target,
        installed=game.installed,
        hidden=hidden,
    )


def addresses_only(art: Artwork, game_id: str) -> Artwork:
    """Without our own paths, which somebody has read here and now sends back."""
    ours = {
        kind: None for kind, place in attrs.asdict(art).items() if place == _art_path(game_id, kind)
    }
    return attrs.evolve(art, **ours)


def _art_path(game_id: str, kind: str) -> str:
    return f"{ART_PATH}/{quote(game_id, safe=':')}/{kind}"


def _shown_art(game: GameEntry) -> Artwork:
    served = {
        kind: _art_path(game.id, kind)
        for kind, picture in attrs.asdict(game.art).items()
        if picture and picture.startswith("/")
    }
    return attrs.evolve(game.art, **served)
