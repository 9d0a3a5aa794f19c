"""One list of what all stores have."""

from punktfunk.library.custom import CustomGame
from punktfunk.library.merging import merged
from punktfunk.model.apps import LaunchSpec
from punktfunk.model.games import Artwork, GameEntry, LaunchTarget


def game(game_id: str, title: str = "Game", argv: tuple[str, ...] = (), **more) -> GameEntry:
    launch = LaunchSpec(argv=argv or (game_id,), process_sign=more.pop("sign", ""))
    store, _, key = game_id.partition(":")
    return GameEntry(
        id=game_id, title=title, target=LaunchTarget(kind=store, value=key), launch=launch, **more
    )


def own(title: str = "Mine", kind: str = "", value: str = "") -> CustomGame:
    launch = LaunchTarget(kind=kind, value=value) if kind else None
    return CustomGame(id="0a", title=title, launch=launch)


def test_games_are_sorted_by_title_whatever_the_locale_says() -> None:
    titles = ["zebra", "Ärger", "The Beast", "apple", "Zoo", "Épée", "äh", "ZEBRA 2"]

    found = merged([game(f"a:{n}", title) for n, title in enumerate(titles)], [])

    assert [it.title for it in found] == [
        *("äh", "apple", "Ärger", "Épée", "The Beast", "zebra", "ZEBRA 2", "Zoo")
    ]


def test_equal_titles_have_an_order_too() -> None:
    games = [game("b:1"), game("a:2"), game("a:1")]

    found = merged(games, [])

    assert [it.id for it in found] == ["a:1", "a:2", "b:1"]
    assert merged(reversed(games), []) == found


def test_what_starts_the_very_same_thing_is_listed_once_by_who_knows_it_best() -> None:
    argv = ("steam", "steam://rungameid/570")
    menu, steam = game("desktop:dota", argv=argv), game("steam:570", argv=argv, sign="AppId=570")
    other = game("desktop:other", argv=("other",))

    for listed in ([menu, steam, other], [other, steam, menu]):
        assert [it.id for it in merged(listed, [])] == ["desktop:other", "steam:570"]


def test_without_another_difference_pictures_decide() -> None:
    plain = game("a:1", argv=("x",))
    pretty = game("b:1", argv=("x",), art=Artwork(header="https://a.example/1"))

    assert merged([plain, pretty], []) == (pretty,)


def test_games_that_cannot_be_launched_are_all_listed() -> None:
    games = [GameEntry(id=f"a:{n}", title="Same") for n in range(3)]

    assert len(merged(games, [])) == 3


def test_a_command_of_ones_own_is_handed_to_the_shell_as_one_argument() -> None:
    (found,) = merged([], [own(kind="command", value="echo 'a b' > ~/x; rm y")])

    assert found.id == "custom:0a"
    assert found.launch == LaunchSpec(argv=("sh", "-c", "echo 'a b' > ~/x; rm y"))


def test_an_own_entry_starts_a_stores_game_as_the_store_does() -> None:
    listed = game("heroic:Quail", argv=("heroic", "quail"))

    found = merged([listed], [own("Quail, modded", "heroic", "Quail")])

    assert [it.launch for it in found] == [listed.launch, listed.launch]


def test_a_steam_app_is_started_also_when_no_store_lists_it() -> None:
    (found,) = merged([], [own(kind="steam_appid", value="570")])

    assert found.launch == LaunchSpec(
        argv=("steam", "steam://rungameid/570"), process_sign="AppId=570"
    )


def test_an_own_entry_whose_game_is_gone_stays_and_cannot_be_launched() -> None:
    (found,) = merged([], [own(kind="heroic", value="Quail")])

    assert found.target is not None
    assert found.launch is None
