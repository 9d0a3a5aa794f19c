from typing import Any, ClassVar

import pytest

from punktfunk.errors import DriverUnavailable
from punktfunk.testing import CompositorDriverContract, DriverContract, EncodeDriverContract
from punktfunk.testing.contract import or_skip

pytest_plugins = ["pytester"]


def test_an_inherited_test_cannot_be_replaced() -> None:
    with pytest.raises(TypeError, match="replaces test_a_keyframe_comes_when_asked"):

        class Cheat(EncodeDriverContract):
            def test_a_keyframe_comes_when_asked(self, encoder: Any) -> None:
                pass


def test_an_inherited_test_cannot_be_removed() -> None:
    with pytest.raises(TypeError, match="replaces test_a_keyframe_comes_when_asked"):

        class Cheat(EncodeDriverContract):
            test_a_keyframe_comes_when_asked = None


def test_an_inherited_test_cannot_be_replaced_by_a_mixin_either() -> None:
    class Mixin:
        def test_closing_an_unopened_driver_twice_is_fine(self, driver: Any) -> None:
            pass

    with pytest.raises(TypeError, match="replaces test_closing_an_unopened_driver_twice_is_fine"):

        class Cheat(Mixin, EncodeDriverContract):
            pass


def test_a_claim_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(TypeError, match="claims h266; possible are: av1, h264"):

        class Typo(EncodeDriverContract):
            capabilities = frozenset({"h264", "h266"})


def test_an_expected_failure_needs_a_reason_with_words() -> None:
    with pytest.raises(TypeError, match="does not say why"):

        class Silent(CompositorDriverContract):
            xfails: ClassVar = {"test_two_displays_live_side_by_side": "-"}


def test_only_an_inherited_test_can_be_expected_to_fail() -> None:
    with pytest.raises(TypeError, match="does not inherit"):

        class Typo(CompositorDriverContract):
            xfails: ClassVar = {"test_two_displays": "one GPU has one display"}


def test_a_contract_may_be_refined_in_steps_and_given_more_tests() -> None:
    class Base(CompositorDriverContract):
        xfails: ClassVar = {"test_two_displays_live_side_by_side": "this one is alone"}

        def test_something_of_its_own(self) -> None:
            pass

    class Derived(Base):
        def test_something_of_its_own(self) -> None:
            pass

    assert issubclass(Derived, DriverContract)


def test_a_driver_that_cannot_run_is_skipped_only_with_a_reason() -> None:
    def refuse(reason: str) -> Any:
        def action() -> None:
            raise DriverUnavailable("example", reason)

        return action

    with pytest.raises(pytest.skip.Exception, match="no card was found"):
        or_skip(refuse("no card was found"))
    with pytest.raises(AssertionError, match="gives no reason"):
        or_skip(refuse("-1"))


DRIVER = """
    import pytest
    from punktfunk.drivers.compositor import CompositorDriver, Display
    from punktfunk.errors import DriverFailed
    from punktfunk.testing import CompositorDriverContract

    class Example(CompositorDriver):
        process = None

        def open(self, seat, mode):
            self.seat = seat
            self.process = seat.spawn("sleep", ["sleep", "60"])
            return self.display(mode)

        def resize(self, mode):
            return self.display(mode)

        def display(self, mode):
            return Display(compositor="example", mode=mode, environment={{"X": self.seat.name}})

        def check(self):
            if self.process.exit_status() is not None:
                raise DriverFailed("it died")

        def close(self):
            {close}

    class TestExample(CompositorDriverContract):
        name = "example"
        {xfails}

        @pytest.fixture
        def driver(self):
            return Example()
"""


def run(pytester: pytest.Pytester, close: str, xfails: str = "") -> dict[str, int]:
    pytester.makepyfile(DRIVER.format(close=close, xfails=xfails))
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:asyncio")
    return result.parseoutcomes()


STOP = "if self.process: self.process.stop()"


def test_an_honest_driver_passes(pytester: pytest.Pytester) -> None:
    assert run(pytester, STOP) == {"passed": 15}


def test_a_driver_that_leaves_its_process_behind_fails(pytester: pytest.Pytester) -> None:
    assert run(pytester, "pass") == {"passed": 14, "failed": 1}


def test_a_driver_that_cannot_be_closed_twice_fails(pytester: pytest.Pytester) -> None:
    outcome = run(pytester, "self.process.stop(); del self.process")

    assert outcome["failed"] >= 2


def test_an_expected_failure_is_reported_as_such(pytester: pytest.Pytester) -> None:
    name = "test_closing_takes_back_everything_on_the_seat"
    xfails = f'xfails = {{"{name}": "it needs a moment longer"}}'

    assert run(pytester, "pass", xfails) == {"passed": 14, "xfailed": 1}


def test_an_expected_failure_that_passes_is_a_failure(pytester: pytest.Pytester) -> None:
    name = "test_closing_takes_back_everything_on_the_seat"
    xfails = f'xfails = {{"{name}": "it needs a moment longer"}}'

    assert run(pytester, STOP, xfails) == {"passed": 14, "failed": 1}
