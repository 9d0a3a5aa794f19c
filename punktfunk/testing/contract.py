"""What all contracts have in common: claims, skips, and tests that cannot be replaced."""

import functools
import inspect
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

import pytest

from punktfunk.drivers.base import Driver
from punktfunk.errors import DriverUnavailable
from punktfunk.testing.seat import FakeSeat

T = TypeVar("T")

_KIT = "punktfunk.testing."
_WORDS = re.compile(r"[^\W\d_]{2,}")


class Contract:
    """Tests to inherit. A subclass named `Test…` is what pytest collects.

    Attributes:
        capabilities: What you claim; a claim is tested, the rest is skipped.
        possible_capabilities: What can be claimed at all.
        xfails: Inherited tests that you know to fail, by name, with the reason. There is
            no other way to change an inherited test: a subclass that replaces one is an
            error, and so is an expected failure that passes.
    """

    capabilities: ClassVar[frozenset[str]] = frozenset()
    possible_capabilities: ClassVar[frozenset[str]] = frozenset()
    xfails: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.startswith(_KIT):
            return
        inherited = _kit_tests(cls)
        for name, test in inherited.items():
            if _original(inspect.getattr_static(cls, name)) is not test:
                raise TypeError(
                    f"{cls.__name__} replaces {name}, which it inherits from punktfunk.testing; "
                    "put it into `xfails` with a reason instead"
                )
        if unknown := cls.capabilities - cls.possible_capabilities:
            possible = ", ".join(sorted(cls.possible_capabilities)) or "none"
            names = ", ".join(sorted(unknown))
            raise TypeError(f"{cls.__name__} claims {names}; possible are: {possible}")
        for name, reason in cls.xfails.items():
            if name not in inherited:
                raise TypeError(f"{cls.__name__} expects {name} to fail, which it does not inherit")
            if not has_words(reason):
                raise TypeError(f"{cls.__name__} does not say why {name} is expected to fail")
            setattr(cls, name, _expected_to_fail(inherited[name], reason))

    def claims(self, capability: str) -> None:
        """Skip the calling test unless the capability is claimed."""
        if capability not in self.capabilities:
            pytest.skip(f"{capability} is not claimed")


class DriverContract(Contract):
    """What every driver promises. Supply the fixture `driver`: a new, unopened one."""

    driver_base: ClassVar[type[Driver]]

    @pytest.fixture
    def driver(self) -> Driver:
        """A new driver that was never opened."""
        raise NotImplementedError("supply a fixture `driver` that returns a new driver")

    @pytest.fixture
    def seat(self) -> Iterator[FakeSeat]:
        """A seat of the test's own, gone at the end."""
        with FakeSeat() as seat:
            yield seat

    def open_driver(self, driver: Any, seat: FakeSeat) -> None:
        """Open it in the plainest way. Each kind's contract says how."""
        raise NotImplementedError

    def another(self, driver: Any) -> Any:
        """Make one more driver of the same class, with the same settings."""
        return type(driver)(driver.settings)

    def test_it_is_a_driver_of_its_kind(self, driver: Any) -> None:
        assert isinstance(driver, self.driver_base)

    def test_it_is_neither_falsy_nor_sized(self, driver: Any) -> None:
        # The loader takes a falsy driver for a missing one.
        assert not hasattr(type(driver), "__bool__")
        assert not hasattr(type(driver), "__len__")

    def test_it_is_constructed_from_its_settings_alone(self, driver: Any) -> None:
        made = self.another(driver)

        assert made.settings == driver.settings

    def test_closing_an_unopened_driver_twice_is_fine(self, driver: Any) -> None:
        driver.close()
        driver.close()

    def test_closing_an_open_driver_twice_is_fine(self, driver: Any, seat: FakeSeat) -> None:
        try:
            or_skip(lambda: self.open_driver(driver, seat))
        finally:
            driver.close()
        driver.close()

    def test_closing_takes_back_everything_on_the_seat(self, driver: Any, seat: FakeSeat) -> None:
        try:
            or_skip(lambda: self.open_driver(driver, seat))
        finally:
            driver.close()

        assert seat.running == []
        assert seat.effects == []

    def test_opening_again_and_again_keeps_no_file_open(self, driver: Any, seat: FakeSeat) -> None:
        try:
            or_skip(lambda: self.open_driver(driver, seat))
        finally:
            driver.close()
        # Only the second and the third are compared: libraries keep some things for good.
        counts = []
        for _ in range(2):
            with FakeSeat() as fresh_seat:
                again = self.another(driver)
                try:
                    self.open_driver(again, fresh_seat)
                finally:
                    again.close()
            counts.append(len(os.listdir("/proc/self/fd")))  # noqa: PTH208

        assert counts[0] == counts[1]


def or_skip(action: Callable[[], T]) -> T:
    """Return what the action returns; skip the test where the driver cannot run here.

    A refusal must give a reason with words in it.
    """
    try:
        return action()
    except DriverUnavailable as error:
        assert has_words(error.reason), f"DriverUnavailable gives no reason: {error.reason!r}"
        pytest.skip(f"it cannot run here: {error.reason}")


def has_words(text: object) -> bool:
    """Say whether a text can mean something to a person: at least two words."""
    return isinstance(text, str) and len(_WORDS.findall(text)) >= 2


def _kit_tests(cls: type) -> dict[str, Any]:
    """Collect the inherited tests by name, as the kit's most derived class has them."""
    found: dict[str, Any] = {}
    for base in cls.__mro__:
        if base.__module__.startswith(_KIT):
            for name, test in vars(base).items():
                if name.startswith("test_"):
                    found.setdefault(name, test)
    return found


def _original(test: Any) -> Any:
    return getattr(test, "punktfunk_contract_test", test)


def _expected_to_fail(test: Any, reason: str) -> Any:
    @functools.wraps(test)
    def copy(*args: Any, **kwargs: Any) -> Any:
        return test(*args, **kwargs)

    copy.punktfunk_contract_test = test  # type: ignore[attr-defined]
    return pytest.mark.xfail(reason=reason, strict=True)(copy)
