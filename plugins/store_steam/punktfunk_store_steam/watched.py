"""What has to change for Steam's games to change."""

from pathlib import Path

from punktfunk.plugin import HostFacts
from punktfunk_store_steam.artwork import grid_folder
from punktfunk_store_steam.reading import Reading
from punktfunk_store_steam.roots import (
    folders_files,
    library_folders,
    possible_places,
    real_path,
    steam_roots,
)
from punktfunk_store_steam.shortcuts import shortcuts_file, user_folders

MAX_PATHS = 500


def watched_paths(host: HostFacts) -> list[Path]:
    """Name the most telling first: manifests, lists of libraries, shortcuts, chosen pictures.

    Then the places where a Steam may yet be installed.
    """
    reading = Reading()
    found: dict[Path, None] = {}
    roots = steam_roots(host)
    for root in roots:
        users = user_folders(root.folder, reading)
        found |= {folder / "steamapps": None for folder in library_folders(root, reading)}
        found |= dict.fromkeys(folders_files(root.folder))
        found |= {shortcuts_file(user): None for user in users}
        found |= {root.folder / "userdata": None}
        found |= {grid_folder(user): None for user in users}
    known = {root.folder for root in roots}
    for place in possible_places(host):
        if real_path(place) not in known:  # Steam is forever writing into its own folder
            found |= dict.fromkeys((place, *folders_files(place)))
    return list(found)[:MAX_PATHS]
