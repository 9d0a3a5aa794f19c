"""The scanning child's program: `python -m punktfunk.library.scan_child`.

Asks stores for their games.
"""

from punktfunk.library.complaints import caught_warnings
from punktfunk.library.fingerprint import fingerprint
from punktfunk.library.listing import Listing, checked_games, checked_paths
from punktfunk.model.games import GameEntry
from punktfunk.registry.calls import call_alone
from punktfunk.registry.child import Asked, answer_request
from punktfunk.registry.discovery import PluginRecord
from punktfunk.registry.loading import describe


def ask(asked: Asked) -> Listing:
    """Have one store list its games."""
    name, manager, facts = asked.record.name, asked.plugins.manager, asked.facts
    paths: tuple[str, ...] = ()
    games: tuple[GameEntry, ...] = ()
    problems: tuple[str, ...] = ()
    failure = paths_problem = ""
    try:
        paths = checked_paths(call_alone(manager, name, "library_paths", host=facts))
    except BaseException as error:  # a plugin may even raise SystemExit
        paths_problem = f"library_paths failed: {describe(error)}"
    before = fingerprint(paths)
    with caught_warnings() as warnings:
        try:
            found = call_alone(manager, name, "library_games", host=facts)
            games, problems = checked_games(name, found)
        except BaseException as error:
            failure = f"library_games failed: {describe(error)}"
    problems = (*warnings.lines(), *problems)
    return Listing(
        record=asked.record,
        games=games,
        failure=failure,
        problems=(*problems, paths_problem) if paths_problem else problems,
        paths=paths,
        fingerprint=before,
    )


def not_loaded(record: PluginRecord) -> Listing:
    return Listing(record=record, failure=record.reason)


if __name__ == "__main__":
    answer_request(ask, not_loaded)
