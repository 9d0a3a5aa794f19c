from punktfunk.model.session import StreamEnd
from punktfunk.session.watch import CONNECT_TIMEOUT_NS, SILENCE_TIMEOUT_NS, ClientWatch


def test_a_client_that_never_comes_is_given_up():
    watch = ClientWatch(now_ns=0)

    assert watch.verdict(CONNECT_TIMEOUT_NS) is None
    assert watch.verdict(CONNECT_TIMEOUT_NS + 1) is StreamEnd.NEVER_CONNECTED


def test_control_without_a_video_ping_is_not_a_connection():
    watch = ClientWatch(now_ns=0)
    watch.heard(1)

    assert not watch.connected
    assert watch.verdict(CONNECT_TIMEOUT_NS + 1) is StreamEnd.NEVER_CONNECTED


def test_a_client_that_falls_silent_has_vanished():
    watch = ClientWatch(now_ns=0)
    watch.pinged()
    watch.heard(5)

    assert watch.verdict(5 + SILENCE_TIMEOUT_NS) is None
    assert watch.verdict(6 + SILENCE_TIMEOUT_NS) is StreamEnd.CLIENT_VANISHED
