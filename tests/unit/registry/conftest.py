import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from punktfunk.testing import write_distribution


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Write a module and make it look installed: `install(dist, module, source, groups)`."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    modules = []

    def write(
        distribution: str,
        module: str,
        source: str,
        entry_points: dict[str, dict[str, str]],
    ) -> None:
        (tmp_path / f"{module}.py").write_text(dedent(source))
        write_distribution(tmp_path, distribution, entry_points)
        modules.append(module)

    yield write
    for module in modules:
        sys.modules.pop(module, None)
