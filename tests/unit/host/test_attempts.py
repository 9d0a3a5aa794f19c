"""A running desktop that cannot be had after all: the next way to it is tried."""

import attrs
import pytest

from punktfunk.config.settings import DesktopSettings
from punktfunk.errors import Refused
from punktfunk.model.offers import Availability, Kind, Offer

REMOTE = "127.0.0.1"


@pytest.fixture
def launch(make_sessions, make_request, client_number, pattern):
    """`await launch(*compositors)`: the desktop, by whichever of them, in this order."""

    def start(*compositors: str):
        sessions = make_sessions(desktop=DesktopSettings(mode="attach"))
        offers_else = sessions._catalog.offers

        def offers(kind: Kind) -> list[Offer]:
            if kind is not Kind.COMPOSITOR:
                return offers_else(kind)
            return [
                Offer(
                    kind=kind,
                    driver=driver,
                    rank=50 - place,
                    attaches=True,
                    availability=Availability.yes(),
                )
                for place, driver in enumerate(compositors)
            ]

        sessions._catalog.offers = offers
        wishes = {kind: name for kind, name in pattern.wishes.items() if kind != "compositor"}
        app = attrs.evolve(pattern, title="App", desktop_like=True, wishes=wishes)
        return sessions.launch(client_number(1), app, make_request(), REMOTE)

    return start


async def refusal(work) -> str:
    with pytest.raises(Refused) as caught:
        await work
    assert caught.value.fields["status"] == 503
    return str(caught.value)


async def test_the_next_display_is_tried_where_the_first_cannot_be_had(launch):
    session = await launch("unavailable", "steady")

    assert session.plan.compositor.name == "steady"
    assert session.plan.attach


async def test_a_display_that_fails_is_not_replaced(launch):
    words = await refusal(launch("failing", "steady"))

    assert words == "App could not be started: it started and failed"


async def test_when_none_can_be_had_every_reason_is_told(launch):
    words = await refusal(launch("unavailable", "nonexistent"))

    assert words.startswith(
        "App could not be started: unavailable: no such card (insert a card); nonexistent: "
    )
