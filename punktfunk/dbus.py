"""Calls to other programs over D-Bus, for those that may wait for the answer."""

import socket
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from jeepney import (
    DBusAddress,
    DBusErrorResponse,
    FileDescriptor,
    MatchRule,
    Message,
    MessageFlag,
    MessageType,
    Properties,
    new_method_call,
)
from jeepney.bus import get_bus
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, prep_socket

from punktfunk.errors import PunktfunkError

_CONNECT_S = 2.0
_CALL_S = 5.0
_MAX_WAITING = 256
_SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket"


class BusError(PunktfunkError):
    """There is no bus, nobody answers, or the answer is an error.

    Attributes:
        name: The error's name on the bus, such as `org.freedesktop.DBus.Error.AccessDenied`;
            empty when there was no answer.
    """

    code = "dbus"

    def __init__(self, message: str, name: str = "") -> None:
        super().__init__(message)
        self.name = name


def session_bus_address(environment: Mapping[str, str]) -> str:
    """Where the bus of the user is whose session variables these are; empty: nobody says."""
    folder = environment.get("XDG_RUNTIME_DIR")
    beside = f"unix:path={folder}/bus" if folder else ""
    return environment.get("DBUS_SESSION_BUS_ADDRESS") or beside


class Signals:
    """Signals that arrived and were not looked at yet; the oldest of too many are lost."""

    def __init__(self, connection: DBusConnection, queue: deque[Message]) -> None:
        self._connection = connection
        self._queue = queue

    def wait(self, timeout_s: float) -> tuple[Any, ...] | None:
        """Return the next one's arguments, or None when none came in time.

        Raises:
            BusError: the connection is gone.
        """
        try:
            message = self._connection.recv_until_filtered(self._queue, timeout=timeout_s)
        except TimeoutError:
            return None
        except (OSError, RuntimeError) as error:
            raise BusError(f"the bus is gone: {error}") from error
        return _arguments(message)


class Bus:
    """A connection to a message bus. For one thread at a time.

    Values are as in jeepney: a variant is `(signature, value)`. A file descriptor goes in as a
    number or a file, and comes out as a number that the caller closes.
    """

    def __init__(self, address: str) -> None:
        """Connect.

        Args:
            address: Such as `unix:path=/run/user/1000/bus`.

        Raises:
            BusError: nothing answers there.
        """
        try:
            self._connection = _connected(address)
        except (OSError, RuntimeError, ValueError, DBusErrorResponse) as error:
            raise BusError(f"no message bus at {address}: {error}") from error

    @classmethod
    def session(cls, environment: Mapping[str, str]) -> "Bus":
        """The bus of the user whose session variables these are.

        Raises:
            BusError: there is none.
        """
        address = session_bus_address(environment)
        if not address:
            raise BusError("there is no session bus: DBUS_SESSION_BUS_ADDRESS is not set")
        return cls(address)

    @classmethod
    def system(cls, environment: Mapping[str, str] | None = None) -> "Bus":
        """The machine's bus.

        Raises:
            BusError: there is none.
        """
        return cls((environment or {}).get("DBUS_SYSTEM_BUS_ADDRESS", _SYSTEM_BUS))

    @property
    def unique_name(self) -> str:
        return str(self._connection.unique_name)

    def call(
        self,
        destination: str,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        *arguments: object,
        timeout_s: float = _CALL_S,
    ) -> tuple[Any, ...]:
        """Call a method and return what it answers.

        Raises:
            BusError: it answered with an error, or not in time.
        """
        address = DBusAddress(path, bus_name=destination, interface=interface)
        return self._ask(
            new_method_call(address, member, signature or None, arguments), member, timeout_s
        )

    def send(
        self,
        destination: str,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        *arguments: object,
    ) -> None:
        """Call a method and do not wait: nobody says whether it worked.

        Raises:
            BusError: the bus is gone.
        """
        address = DBusAddress(path, bus_name=destination, interface=interface)
        message = new_method_call(address, member, signature or None, arguments)
        message.header.flags |= MessageFlag.no_reply_expected
        try:
            self._connection.send(message)
        except OSError as error:
            raise BusError(f"the bus is gone: {error}") from error

    def get(self, destination: str, path: str, interface: str, name: str) -> Any:
        """Read a property.

        Raises:
            BusError: as for `call`.
        """
        address = DBusAddress(path, bus_name=destination, interface=interface)
        ((_, value),) = self._ask(Properties(address).get(name), name, _CALL_S)
        return value

    def owned(self, name: str) -> bool:
        """Whether somebody has this name, such as `org.kde.KWin`."""
        (owned,) = self._ask(message_bus.NameHasOwner(name), "NameHasOwner", _CALL_S)
        return bool(owned)

    def owner(self, name: str) -> str:
        """The unique name of whoever has this name.

        Raises:
            BusError: nobody has.
        """
        (owner,) = self._ask(message_bus.GetNameOwner(name), "GetNameOwner", _CALL_S)
        return str(owner)

    @contextmanager
    def signals(
        self,
        *,
        path: str,
        interface: str,
        member: str,
        sender: str | None = None,
        about: str | None = None,
    ) -> Iterator[Signals]:
        """Listen for a signal while the block runs. Begin before the call that causes it.

        Args:
            about: What its first argument, a string, must be.

        Raises:
            BusError: the bus does not let us.
        """
        rule = MatchRule(
            type="signal", sender=sender, interface=interface, member=member, path=path
        )
        # The bus knows senders by their names; what arrives has their unique ones.
        here = MatchRule(type="signal", interface=interface, member=member, path=path)
        if about is not None:
            rule.add_arg_condition(0, about)
            here.add_arg_condition(0, about)
        self._ask(message_bus.AddMatch(rule), "AddMatch", _CALL_S)
        try:
            with self._connection.filter(here, queue=deque(maxlen=_MAX_WAITING)) as queue:
                yield Signals(self._connection, queue)
        finally:
            with suppress(BusError):
                self._ask(message_bus.RemoveMatch(rule), "RemoveMatch", _CALL_S)

    def close(self) -> None:
        self._connection.close()

    def _ask(self, message: Message, member: str, timeout_s: float) -> tuple[Any, ...]:
        try:
            reply = self._connection.send_and_get_reply(message, timeout=timeout_s)
        except TimeoutError as error:
            raise BusError(f"{member} was not answered within {timeout_s:g} s") from error
        except (OSError, RuntimeError) as error:
            raise BusError(f"the bus is gone: {error}") from error
        if reply.header.message_type is MessageType.error:
            failure = DBusErrorResponse(reply)
            words = failure.data[0] if failure.data else "no reason given"
            raise BusError(f"{member}: {words}", failure.name)
        return _arguments(reply)


def _connected(address: str) -> DBusConnection:
    connecting = prep_socket(get_bus(address), enable_fds=True, timeout=_CONNECT_S)
    # The library waits for the answer to its first call for as long as it takes.
    watch = threading.Timer(_CONNECT_S, connecting.shutdown, (socket.SHUT_RDWR,))
    watch.daemon = True
    watch.start()
    try:
        return DBusConnection(connecting, enable_fds=True)
    except BaseException:
        connecting.close()
        raise
    finally:
        watch.cancel()


def _arguments(message: Message) -> tuple[Any, ...]:
    return tuple(_taken(it) for it in message.body)


def _taken(value: Any) -> Any:
    """Replace descriptors, which jeepney closes when they are dropped, by their numbers."""
    match value:
        case FileDescriptor():
            return value.to_raw_fd()
        case tuple():
            return tuple(_taken(it) for it in value)
        case list():
            return [_taken(it) for it in value]
        case dict():
            return {key: _taken(it) for key, it in value.items()}
        case _:
            return value
