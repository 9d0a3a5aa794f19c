"""Drivers by name, as the type the caller needs."""

from collections.abc import Callable
from typing import TypeVar, cast

from punktfunk.drivers.base import Driver
from punktfunk.errors import DriverUnavailable
from punktfunk.model.offers import Kind
from punktfunk.model.session import DriverRef
from punktfunk.registry.loading import load_driver

D = TypeVar("D", bound=Driver)


def load(base: Callable[..., D], kind: Kind, ref: DriverRef) -> D:
    """Import and construct the named driver.

    Args:
        base: The abstract class of the kind, such as `CaptureDriver`.

    Raises:
        DriverUnavailable: there is none, or it cannot be imported.
    """
    driver = load_driver(kind, ref.name, ref.settings)
    if not (isinstance(base, type) and isinstance(driver, base)):
        raise DriverUnavailable(ref.name, "it is not a driver of that kind")
    return cast(D, driver)
