"""What was found, in a sentence."""

import os
import shutil

from punktfunk.plugin import Availability, HostFacts
from punktfunk_store_steam.manifests import manifest_names
from punktfunk_store_steam.reading import Reading
from punktfunk_store_steam.roots import Root, library_folders, steam_roots


def status(host: HostFacts) -> Availability:
    """Say which installations there are, and whether they can be started."""
    roots = steam_roots(host)
    if not roots:
        return Availability.no(
            "no Steam was found in the home folder", "install Steam, and log in once"
        )
    search_path = host.environment.get("PATH", os.defpath)
    programs = {root.packaging.command[0] for root in roots}
    missing = sorted(name for name in programs if not shutil.which(name, path=search_path))
    described = "; ".join(_described(root) for root in roots)
    if len(missing) == len(programs):
        return Availability.no(
            f"found {described}, but not the program {' or '.join(missing)}",
            "put it on the PATH that the host is started with",
        )
    remark = f"; not on the PATH: {', '.join(missing)}" if missing else ""
    return Availability.yes(f"{described}{remark}")


def _described(root: Root) -> str:
    reading = Reading()
    libraries = library_folders(root, reading)
    apps = sum(len(manifest_names(library, reading)) for library in libraries)
    return f"{root.packaging} Steam in {root.folder}, libraries: {len(libraries)}, apps: {apps}"
