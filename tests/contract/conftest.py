import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from punktfunk.testing import write_distribution

BROKEN_PLUGINS = Path(__file__).parent / "broken_plugins"


@pytest.fixture
def install_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., None]]:
    """Make modules of `broken_plugins` look like installed distributions, here and in children.

    Each has one encode and one capture driver of its own name.
    """
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))
    installed = []

    def install(*names: str) -> None:
        for name in names:
            module = f"punktfunk_broken_{name}"
            shutil.copy(BROKEN_PLUGINS / f"{name}.py", site / f"{module}.py")
            write_distribution(
                site,
                module.replace("_", "-"),
                {
                    "punktfunk.plugins": {name: module},
                    "punktfunk.encode": {name: f"{module}:Encoder"},
                    "punktfunk.capture": {name: f"{module}:Capture"},
                },
            )
            installed.append(module)

    yield install
    for module in installed:
        sys.modules.pop(module, None)
