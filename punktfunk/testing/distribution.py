"""A distribution that looks installed: for tests of what plugins can do to a host."""

from collections.abc import Mapping
from pathlib import Path


def write_distribution(
    site: Path,
    name: str,
    entry_points: Mapping[str, Mapping[str, str]],
    *,
    version: str = "1.0.0",
) -> Path:
    """Write what an installer would write about a distribution.

    Args:
        site: A folder on `sys.path` that holds the modules.
        name: Such as `punktfunk-encode-example`.
        entry_points: Names and targets, by group.
    """
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = []
    for group, targets in entry_points.items():
        lines += [f"[{group}]", *(f"{key} = {target}" for key, target in targets.items()), ""]
    (info / "entry_points.txt").write_text("\n".join(lines))
    return info
