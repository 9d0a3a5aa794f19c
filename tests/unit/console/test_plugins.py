"""What the Plugins page says of what is installed, and of what a launch would take."""

from typing import Any

import pytest

from punktfunk.model.access import Scope
from punktfunk.model.offers import Availability, Kind, Offer
from punktfunk.registry.discovery import PluginRecord, PluginState
from punktfunk.registry.report import PluginReport, ProbeReport

SWAY = Availability.no("sway is not installed", "apt install sway")


def offer(kind: Kind, driver: str, **changed: Any) -> Offer:
    values: dict[str, Any] = {
        "title": f"The {driver}",
        "rank": 50,
        "availability": Availability.yes(),
    }
    return Offer(kind=kind, driver=driver, **{**values, **changed})


def plugin(
    name: str, *offers: Offer, state: PluginState = PluginState.LOADED, **changed: Any
) -> PluginReport:
    record = PluginRecord(
        name=name,
        title=f"Plugin {name}",
        distribution=changed.pop("distribution", f"punktfunk-{name}"),
        version="1.2.3",
        api=1,
        state=state,
        reason=changed.pop("reason", ""),
    )
    return PluginReport(record=record, offers=offers, **changed)


def everything(*, attach: bool = False) -> PluginReport:
    kinds = [kind for kind in Kind if kind not in (Kind.COMPOSITOR, Kind.GAMEPAD)]
    return plugin(
        "all",
        offer(Kind.COMPOSITOR, "screens", attaches=attach),
        *(offer(kind, f"some_{kind}") for kind in kinds),
    )


@pytest.fixture
def show(pages: Any) -> Any:
    def show(*plugins: PluginReport) -> None:
        pages.host.catalog.report = ProbeReport(plugins=plugins)

    return show


async def test_each_plugin_is_there_with_its_offers_reasons_and_commands(
    pages: Any, show: Any
) -> None:
    show(plugin("wlroots", offer(Kind.COMPOSITOR, "wlroots", availability=SWAY)))

    page = await pages.read("/plugins")

    for said in ("Plugin wlroots", "punktfunk-wlroots 1.2.3", "API 1", "Screens", "The wlroots"):
        assert said in page, said
    assert "sway is not installed" in page
    assert 'data-copy="apt install sway"' in page
    assert "Not usable here" in page


async def test_a_reason_that_all_offers_share_is_said_once(pages: Any, show: Any) -> None:
    kinds = (Kind.COMPOSITOR, Kind.CAPTURE, Kind.INPUT)
    show(plugin("wlroots", *(offer(kind, "wlroots", availability=SWAY) for kind in kinds)))

    page = await pages.read("/parts/plugins")

    listed = page[page.index("plugin-list") :]
    assert listed.count("sway is not installed") == 1
    assert listed.count('data-copy="apt install sway"') == 1


async def test_what_a_launch_would_take_is_said_for_both_ways(pages: Any, show: Any) -> None:
    show(everything())

    page = await pages.read("/parts/plugins")

    own = page[page.index('id="way-own"') : page.index('id="way-attach"')]
    attach = page[page.index('id="way-attach"') : page.index("plugin-group")]
    assert "The screens" in own
    assert "The some_encode" in own
    assert "none; streams work without" in own
    assert "as set" in own
    assert "Not possible here" in attach
    assert "one that already runs is wanted" in attach
    assert "taken for a screen of its own" in page
    assert "In use" in page


async def test_the_running_desktop_has_a_cast_of_its_own(pages: Any, show: Any) -> None:
    show(everything(attach=True))

    page = await pages.read("/parts/plugins")

    assert "taken for the running desktop" in page
    assert "taken for a screen of its own" not in page


@pytest.mark.parametrize(
    ("state", "reason", "says"),
    [
        (PluginState.BROKEN, "cannot be imported", "--force-reinstall punktfunk-odd"),
        (PluginState.BROKEN, "[plugin.odd] colour: no such setting", "Correct that line"),
        (PluginState.INCOMPATIBLE, "written for plugin API 9", "--upgrade punktfunk-odd"),
        (PluginState.RESTING, "failed 3 times in a row", "left alone for five minutes"),
        (PluginState.DISABLED, "not allowed", "plugins.allow none,odd"),
    ],
)
async def test_a_plugin_that_is_not_loaded_says_how_to_mend_it(
    pages: Any, show: Any, state: PluginState, reason: str, says: str
) -> None:
    show(plugin("odd", state=state, reason=reason))

    page = await pages.read("/plugins")

    assert reason in page
    assert says in page


async def test_one_that_is_switched_off_is_let_in_by_a_command(pages: Any, show: Any) -> None:
    show(plugin("odd", state=PluginState.DISABLED, reason="disabled in the configuration"))
    config = pages.host.operations.config
    config.change({"plugins.deny": ["odd", "rare"]}, ())
    assert "ctl config set plugins.deny rare" in await pages.read("/plugins")

    config.change({"plugins.deny": ["odd"]}, ())
    assert "ctl config unset plugins.deny" in await pages.read("/plugins")


async def test_wrong_answers_of_a_plugin_are_shown(pages: Any, show: Any) -> None:
    show(plugin("odd", problems=("It offers x, but no such encode driver exists.",)))

    page = await pages.read("/plugins")

    assert "Needs repair" in page
    assert "no such encode driver exists" in page


async def test_who_may_only_look_cannot_ask_them_again(pages: Any) -> None:
    assert "plugins/probe" not in await pages.read("/plugins", scope=Scope.READ)
    assert "plugins/probe" in await pages.read("/plugins", scope=Scope.CONTROL)


async def test_hostile_words_of_a_plugin_are_text(
    pages: Any, show: Any, hostile: tuple[str, ...]
) -> None:
    for words in hostile:
        lacks = Availability.no(words, words)
        show(plugin("odd", offer(Kind.ENCODE, words, title=words, availability=lacks)))
        assert "<img src=x" not in await pages.read("/plugins")


async def test_without_any_plugin_the_page_says_so(pages: Any, show: Any) -> None:
    show()

    assert "No plugin is installed" in await pages.read("/plugins")
