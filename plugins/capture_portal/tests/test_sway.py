"""A real sway with its real backend. Up to 0.7 that one shares no picture without a GPU
(without DMA-BUF), so that what happens then is what is tested.
"""

import pytest

from punktfunk.plugin import DriverUnavailable

pytestmark = [pytest.mark.desktop, pytest.mark.usefixtures("slower_sweep")]


def times_asked(user) -> int:
    log = user.seat.runtime_dir / "asked"
    return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.mark.usefixtures("sway")
def test_without_view_only_a_desktop_that_takes_no_input_is_refused(guest, sway) -> None:
    with pytest.raises(DriverUnavailable, match="takes no input") as caught:
        guest.attach()

    assert "view_only = true" in caught.value.hint
    assert times_asked(sway) == 0


def test_a_backend_that_cannot_is_a_reason_and_costs_nothing_else(guest, sway) -> None:
    with pytest.raises(DriverUnavailable, match="the desktop's portal failed at Start") as caught:
        guest.attach(view_only=True)

    assert "journalctl" in caught.value.hint
    assert times_asked(sway) == 1
    assert guest.seat.memory.get("portal", {}) == {}
