"""Drivers by name, as the type the caller needs."""

from collections.abc import Callable
from functools import cache
from typing import TypeVar, cast

from punktfunk.drivers.base import Driver
from punktfunk.errors import DriverUnavailable
from punktfunk.model.offers import Kind
from punktfunk.model.session import DriverRef
from punktfunk.registry.loading import construct_driver, load_driver_class

D = TypeVar("D", bound=Driver)


@cache
def imported(kind: Kind, name: str) -> type[Driver]:
    """Import a driver, once: looking for entry points takes longer than opening most drivers.

    Raises:
        DriverUnavailable: there is none, or it cannot be imported.
    """
    return load_driver_class(kind, name)


def load(base: Callable[..., D], kind: Kind, ref: DriverRef) -> D:
    """Import and construct the named driver.

    Args:
        base: The abstract class of the kind, such as `CaptureDriver`.

    Raises:
        DriverUnavailable: there is none, or it cannot be imported.
    """
    driver = construct_driver(imported(kind, ref.name), ref.name, ref.settings)
    if not (isinstance(base, type) and isinstance(driver, base)):
        raise DriverUnavailable(ref.name, "it is not a driver of that kind")
    return cast(D, driver)
