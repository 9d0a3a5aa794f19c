"""What a store of ours leaves out is known outside of the child that asks it."""

import asyncio
from pathlib import Path

import pytest

from punktfunk.library import CustomGames, HiddenGames, Library
from punktfunk.model.offers import HostFacts

MANIFEST = '"AppState"\n{\n\t"appid"\t\t"570"\n\t"name"\t\t"Dota 2"\n\t"StateFlags"\t\t"4"\n}\n'


@pytest.mark.timeout(120)
async def test_a_damaged_manifest_of_steams_is_named_in_the_log_and_in_the_stores_state(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    steamapps = tmp_path / ".local/share/Steam/steamapps"
    steamapps.mkdir(parents=True)
    (steamapps / "libraryfolders.vdf").write_text('"libraryfolders"\n{\n}\n')
    (steamapps / "appmanifest_570.acf").write_text(MANIFEST)
    (steamapps / "appmanifest_440.acf").write_text(MANIFEST[:30])
    library = Library(
        HostFacts(environment={"HOME": str(tmp_path)}), CustomGames(tmp_path), HiddenGames(tmp_path)
    )
    library.start(["steam"])
    try:
        async with asyncio.timeout(100):
            await library.refresh()
    finally:
        await library.close()

    (status,) = library.stores()
    (problem,) = status.problems
    assert [game.id for game in library.games()] == ["steam:570"]
    assert "appmanifest_440.acf" in problem
    assert [it.getMessage() for it in caplog.records] == [f"the store steam: {problem}"]
