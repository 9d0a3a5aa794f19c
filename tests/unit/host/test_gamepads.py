"""What a client is told of gamepads, and what the session is told of the client."""

import attrs
import pytest

from punktfunk.host.sessions import Sessions
from punktfunk.model.apps import App

MOTION_AND_TOUCHPADS = "a=x-ss-general.featureFlags:2\r\n"
NOTHING = "a=x-ss-general.featureFlags:0\r\n"


@pytest.fixture
def told(sessions: Sessions, pattern: App, client_number, make_request, converse):
    """`await told(**wishes)`: what the client's DESCRIBE is answered with."""

    async def describe(**wishes: str) -> str:
        app = attrs.evolve(pattern, wishes={**pattern.wishes, **wishes})
        session = await sessions.launch(client_number(1), app, make_request(), "127.0.0.1")
        answers = await converse(session.owner.handshake, requests=2)
        return answers[1].body.decode()

    return describe


async def test_pads_that_can_be_turned_are_asked_to_tell(told) -> None:
    assert MOTION_AND_TOUCHPADS in await told()


async def test_without_gamepads_nobody_sends_their_motion(told) -> None:
    assert NOTHING in await told(gamepad="not_installed")


async def test_the_worker_is_told_whose_pads_they_are(
    sessions, pattern, client_number, make_request
):
    client = client_number(1)

    session = await sessions.launch(client, pattern, make_request(), "127.0.0.1")

    assert session.plan.client == client.fingerprint
