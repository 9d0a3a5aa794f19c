"""Games that stay out of Moonlight's list: `hidden.json` in the configuration folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from punktfunk.errors import Refused
from punktfunk.trust.records import Members, Records, string

HIDDEN_FILE = "hidden.json"
MAX_HIDDEN = 20_000


class HiddenGames:
    """Their ids; a game that is removed and comes back is still hidden. Used from one thread.

    Raises:
        StateDamaged: `hidden.json` is unusable, or gone while its backup is there.
        ConfigError: others can read or change it.
    """

    def __init__(self, folder: Path) -> None:
        self._records: Records[str] = Records(
            folder / HIDDEN_FILE,
            "games",
            read=_from_json,
            write=_to_json,
            key_of=str,
        )

    def __contains__(self, game_id: str) -> bool:
        return self._records.get(game_id) is not None

    def add(self, game_id: str) -> None:
        """Hide a game.

        Raises:
            Refused: there are `MAX_HIDDEN`.
            OSError: it could not be written, and the game is not hidden.
        """
        if len(self._records) >= MAX_HIDDEN:
            raise Refused(f"{MAX_HIDDEN} games are hidden, and that is all there can be")
        self._records.put(game_id)

    def remove(self, game_id: str) -> bool:
        """Say whether it was hidden.

        Raises:
            OSError: the disk refused. It is hidden again at the next start.
        """
        return self._records.remove(game_id)


def _from_json(members: Mapping[str, Any]) -> str:
    return string(members, "id")


def _to_json(game_id: str) -> Members:
    return {"id": game_id}
