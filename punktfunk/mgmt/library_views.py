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
    """

    id: str
    store: str
    title: str
    art: Artwork
    launch: LaunchTarget | None
    installed: bool


def game_info(game: GameEntry) -> GameInfo:
    return GameInfo(
        id=game.id,
        store=game.store,
        title=game.title,
        art=_shown_art(game),
        launch=game.target,
        installed=game.installed,
    )


def _shown_art(game: GameEntry) -> Artwork:
    served = {
        kind: f"{ART_PATH}/{quote(game.id, safe=':')}/{kind}"
        for kind, picture in attrs.asdict(game.art).items()
        if picture and picture.startswith("/")
    }
    return attrs.evolve(game.art, **served)
