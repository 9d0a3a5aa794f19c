"""What stores list arrives; what they do wrong costs only themselves."""

from pathlib import Path

import pytest

from punktfunk.library.complaints import MAX_CHARACTERS
from punktfunk.library.listing import MAX_GAMES, MAX_PROBLEMS, Listing
from punktfunk.library.scanner import scan
from punktfunk.registry.asking import Failure, ProbeLimits

PATIENT = ProbeLimits(plugin_s=40, total_s=50)
LISTS = "\n@hookimpl\ndef library_games(host):\n    {}\n"


async def test_games_paths_and_launches_arrive_whole(
    install_store, facts, write_games, home
) -> None:
    install_store("alpha")
    write_games("alpha", one="First", two="Second")

    found = (await scan(["alpha"], facts, PATIENT))["alpha"]

    assert isinstance(found, Listing)
    assert [(game.id, game.title) for game in found.games] == [
        ("alpha:one", "First"),
        ("alpha:two", "Second"),
    ]
    assert found.games[0].launch.argv == ("game", "alpha", "one")
    assert found.paths == (str(home / "alpha/games.json"), str(home / "alpha"))
    assert (found.failure, found.problems) == ("", ())


async def test_a_full_library_passes(install_store, facts) -> None:
    source = "return [entry('alpha', n, 'Title ' * 40) for n in range(10_050)]"
    install_store("alpha", LISTS.format(source))

    found = (await scan(["alpha"], facts, PATIENT))["alpha"]

    assert isinstance(found, Listing)
    assert len(found.games) == MAX_GAMES
    assert found.problems == (f"only the first {MAX_GAMES} games count",)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed with SIGSEGV while listing games"),
        ("os._exit(3)", "ended the scan with exit status 3"),
        ("time.sleep(600)", "did not answer within 2 s"),
    ],
)
async def test_a_store_that_does_not_come_back_is_named_and_costs_no_other(
    install_store, facts, write_games, body: str, reason: str
) -> None:
    install_store("alpha")
    install_store("beta", LISTS.format(body))
    install_store("gamma")
    write_games("gamma", one="First")

    found = await scan(["alpha", "beta", "gamma"], facts, ProbeLimits(plugin_s=2, total_s=50))

    assert found["beta"] == Failure(plugin="beta", reason=reason)
    assert [game.id for game in found["gamma"].games] == ["gamma:one"]


async def test_an_answer_without_end_is_not_read_to_the_end(
    install_store, facts, monkeypatch
) -> None:
    install_store(
        "alpha",
        "import punktfunk.library.listing as it\n"
        + LISTS.format(
            "it.MAX_GAMES = 10**9; return [entry('alpha', n, 'x' * 500) for n in range(80_000)]"
        ),
    )

    found = (await scan(["alpha"], facts, PATIENT))["alpha"]

    assert isinstance(found, Failure)
    assert "makes no sense" in found.reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise RuntimeError('no disk')", "library_games failed: RuntimeError: no disk"),
        ("sys.exit('bye')", "library_games failed: SystemExit: bye"),
        ("return {'a': 1}", "library_games failed: TypeError: library_games returned a dict"),
    ],
)
async def test_a_store_that_fails_says_why(install_store, facts, body: str, reason: str) -> None:
    install_store("alpha", LISTS.format(body))

    found = (await scan(["alpha"], facts, PATIENT))["alpha"]

    assert found.failure.startswith(reason)


BAD_GAMES = {
    "'no game'": "a str is not of type GameEntry",
    "entry('beta', 1)": "its id does not begin with alpha:",
    "entry('alpha', 0)": "it is listed twice",
    "entry('alpha', 1, launch=LaunchSpec(argv=()))": "names no program",
    "entry('alpha', 1, launch=LaunchSpec(argv=('a\\0b',)))": "cannot be handed to a program",
    "entry('alpha', 1, launch=LaunchSpec(argv=('\\ud800',)))": "cannot be handed to a program",
    "entry('alpha', 1, launch=LaunchSpec(argv=('a', 7)))": "expected str",
    "entry('alpha', 1, launch=LaunchSpec(argv=('a',), environment={'A=B': ''}))": "cannot be",
    "entry('alpha', 1, launch=LaunchSpec(argv=('a',), folder='games'))": "not absolute",
    "entry('alpha', 1, launch=LaunchSpec(argv=('a', 'x' * 20_000)))": "far too long",
}


@pytest.mark.parametrize("bad", BAD_GAMES)
async def test_a_game_that_makes_no_sense_costs_only_itself(install_store, facts, bad) -> None:
    install_store("alpha", LISTS.format(f"return [entry('alpha', 0), {bad}, entry('alpha', 2)]"))

    found = (await scan(["alpha"], facts, PATIENT))["alpha"]

    assert [game.id for game in found.games] == ["alpha:0", "alpha:2"]
    assert BAD_GAMES[bad] in found.problems[0]


async def test_a_thousand_problems_are_told_in_a_few_lines(install_store, facts) -> None:
    install_store("alpha", LISTS.format("return [7] * 1_000"))

    found = (await scan(["alpha"], facts, PATIENT))["alpha"]

    assert len(found.problems) == MAX_PROBLEMS + 1
    assert found.problems[-1] == f"and {1_000 - MAX_PROBLEMS} more"


async def test_titles_are_shown_in_one_line_without_tricks(install_store, facts) -> None:
    install_store("alpha", LISTS.format("return [entry('alpha', 1, '\\x1b[31m A\\u202e\\n\\tB ')]"))

    found = (await scan(["alpha"], facts, PATIENT))["alpha"]

    assert found.games[0].title == "[31m A B"


async def test_only_art_that_can_be_served_is_kept(
    install_store, facts, write_picture, tmp_path: Path
) -> None:
    picture = write_picture("cover.png")
    link = tmp_path / "link.png"
    link.symlink_to(picture)
    (tmp_path / "evil.png").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    install_store(
        "alpha",
        LISTS.format(
            f"return [entry('alpha', 1, art=Artwork(portrait={str(link)!r}, "
            f"hero={str(tmp_path / 'evil.png')!r}, logo='http://example.org/a.png', "
            "header='https://example.org/a.png')),"
            "entry('alpha', 2, art=Artwork(portrait='/etc/passwd', hero='cover.png'))]"
        ),
    )

    found = (await scan(["alpha"], facts, PATIENT))["alpha"]

    first, second = (game.art for game in found.games)
    assert (first.portrait, first.header) == (str(picture), "https://example.org/a.png")
    assert (first.hero, first.logo, second.portrait, second.hero) == (None,) * 4


async def test_paths_that_cannot_be_watched_cost_no_games(install_store, facts) -> None:
    source = "\n@hookimpl\ndef library_paths(host):\n    return ['games']\n"
    install_store("alpha", LISTS.format("return [entry('alpha', 1)]") + source)

    found = (await scan(["alpha"], facts, PATIENT))["alpha"]

    assert len(found.games) == 1
    assert found.paths == ()
    assert found.problems[0].startswith("library_paths failed: TypeError")


LOG = "logging.getLogger(__name__)"


async def test_what_a_store_warns_of_while_it_lists_is_told(install_store, facts) -> None:
    body = f"{LOG}.info('all is well'); {LOG}.warning('left out: %s', 'a\\x1b[31m\\nb\\ud800'); "
    paths = f"\n@hookimpl\ndef library_paths(host):\n    {LOG}.warning('paths'); return []\n"
    install_store("alpha", LISTS.format(body + "return [entry('alpha', 1), 'no game']") + paths)

    found = (await scan(["alpha"], facts, PATIENT))["alpha"]

    assert found.problems[0] == "left out: a [31m b"
    assert "a str is not of type GameEntry" in found.problems[1]
    assert (len(found.games), len(found.problems)) == (1, 2)


async def test_a_store_that_warns_and_fails_tells_both(install_store, facts) -> None:
    install_store("alpha", LISTS.format(f"{LOG}.error('no disk'); raise OSError"))

    found = (await scan(["alpha"], facts, PATIENT))["alpha"]

    assert (found.failure, found.problems) == ("library_games failed: OSError", ("no disk",))


async def test_a_flood_of_warnings_is_told_in_a_few_short_lines(install_store, facts) -> None:
    flood = f"[{LOG}.warning('%d ' + 'x' * 1_000, n) for n in range(5_000)]"
    install_store("alpha", LISTS.format(f"{flood}; return [entry('alpha', 1)]"))

    found = (await scan(["alpha"], facts, PATIENT))["alpha"]

    assert len(found.problems) == MAX_PROBLEMS + 1
    assert found.problems[0].startswith("0 xxx")
    assert {len(problem) for problem in found.problems[:-1]} == {MAX_CHARACTERS}
    assert found.problems[-1] == f"and {5_000 - MAX_PROBLEMS} more warnings"


async def test_a_warning_that_cannot_be_written_costs_no_games(install_store, facts) -> None:
    body = f"{LOG}.warning('%d games', 'many'); return [entry('alpha', 1)]"
    install_store("alpha", LISTS.format(body))

    found = (await scan(["alpha"], facts, PATIENT))["alpha"]

    assert (len(found.games), found.problems) == (1, ())
