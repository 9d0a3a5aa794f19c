"""What is installed, what it can do on this machine, and which of it a launch would take."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import attrs
from quart import Blueprint, render_template

from punktfunk.console.language import _
from punktfunk.console.pages.home_checks import KINDS
from punktfunk.console.pages.plugins_repair import Repair, repair_of
from punktfunk.console.shell import page
from punktfunk.mgmt import requests
from punktfunk.mgmt.operations_values import OfferInfo, Outlook, PluginInfo, plugin_infos
from punktfunk.model.offers import Kind, Offer
from punktfunk.registry.discovery import PluginState

blueprint = Blueprint("plugins", __name__)


@attrs.frozen(kw_only=True)
class ShownPlugin:
    """Attributes:
    group: Where it stands on the page: `trouble`, `taken`, `ready`, `unused` or `off`.
    state: A mark of the console's, and `word` for it.
    offers: By kind, in the order of kinds.
    lacks: One of several offers that are all missing, and for the same reason.
    """

    info: PluginInfo
    group: str
    state: str
    word: str
    offers: tuple[tuple[str, tuple[OfferInfo, ...]], ...]
    lacks: OfferInfo | None
    repair: Repair | None


@attrs.frozen(kw_only=True)
class Way:
    """One way of launching, and what it takes: by kind, None for nothing."""

    outlook: Outlook
    title: str
    takes: tuple[tuple[str, Offer | None], ...]


@blueprint.get("/plugins")
async def plugins() -> str:
    return await page("plugins.html", "plugins", **_now())


@blueprint.get("/parts/plugins")
async def plugins_part() -> str:
    return await render_template("plugins_part.html", **_now())


def _now() -> dict[str, Any]:
    operations = requests.host().operations
    outlooks = operations.outlooks()
    settings = operations.config.loaded.settings
    shown = [
        _shown(it, repair_of(it, settings)) for it in plugin_infos(operations.plugins(), outlooks)
    ]
    groups = (
        ("trouble", _("Needs repair")),
        ("taken", _("A launch takes these")),
        ("ready", _("Could be used")),
        ("unused", _("Nothing to do for them here")),
        ("off", _("Switched off")),
    )
    return {
        "ways": [_way(it) for it in outlooks],
        "groups": [(title, [it for it in shown if it.group == key]) for key, title in groups],
    }


def _shown(info: PluginInfo, repair: Repair | None) -> ShownPlugin:
    group, state, word = _standing(info)
    order = list(Kind)
    offers = sorted(info.offers, key=lambda it: (order.index(Kind(it.kind)), -it.rank))
    return ShownPlugin(
        info=info,
        group=group,
        state=state,
        word=word,
        offers=tuple(
            (_(KINDS[kind]), tuple(of_kind))
            for kind, of_kind in groupby(offers, key=lambda it: it.kind)
        ),
        lacks=_lacks(offers),
        repair=repair,
    )


def _lacks(offers: Sequence[OfferInfo]) -> OfferInfo | None:
    reasons = {(it.reason, it.hint) for it in offers}
    same = len(offers) > 1 and len(reasons) == 1 and not any(it.available for it in offers)
    return offers[0] if same else None


def _standing(info: PluginInfo) -> tuple[str, str, str]:
    words = {
        PluginState.DISABLED: ("off", "idle", _("Switched off")),
        PluginState.BROKEN: ("trouble", "bad", _("Broken")),
        PluginState.INCOMPATIBLE: ("trouble", "bad", _("For another version")),
        PluginState.RESTING: ("trouble", "warn", _("Left alone for now")),
    }
    if info.state in words:
        return words[PluginState(info.state)]
    if info.problems:
        return "trouble", "warn", _("Gives wrong answers")
    if any(it.taken_for for it in info.offers):
        return "taken", "ok", _("In use")
    if any(it.available for it in info.offers) or (info.status and info.status.available):
        return "ready", "ok", _("Available")
    if not info.offers and info.status is None:
        return "ready", "ok", _("Available")
    return "unused", "idle", _("Not usable here")


def _way(outlook: Outlook) -> Way:
    kinds: Sequence[Kind] = list(Kind)
    by_kind = {it.kind: it for it in outlook.takes}
    return Way(
        outlook=outlook,
        title=_("The desktop that already runs") if outlook.attach else _("A screen of its own"),
        takes=tuple((_(KINDS[kind]), by_kind.get(kind)) for kind in kinds),
    )
