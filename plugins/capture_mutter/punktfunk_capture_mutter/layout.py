"""The keyboard layout of an own desktop, told the way each program asks for it.

gnome-shell reads its settings. A bare Mutter asks systemd, which on the private bus is us.
"""

import re
import threading
from contextlib import suppress
from pathlib import Path

import attrs
from jeepney import HeaderFields, MessageType, new_error, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from punktfunk.plugin import DriverUnavailable
from punktfunk_capture_mutter.settings import DRIVER

_LAYOUT = re.compile(r"(?P<name>[A-Za-z0-9_-]+)(?:\((?P<variant>[A-Za-z0-9_-]+)\))?")
_LOCALE1 = "org.freedesktop.locale1"


@attrs.frozen
class Layout:
    name: str
    variant: str = ""

    @classmethod
    def read(cls, text: str) -> "Layout":
        """Take such as "de" or "fr(bepo)".

        Raises:
            DriverUnavailable: that is no name of a layout.
        """
        found = _LAYOUT.fullmatch(text)
        if found is None:
            raise DriverUnavailable(DRIVER, f"{text!r} is not a keyboard layout")
        return cls(found["name"], found["variant"] or "")

    @property
    def source(self) -> str:
        """As GNOME's settings name it."""
        return f"{self.name}+{self.variant}" if self.variant else self.name


class LayoutService:
    """Answers Mutter's question about the layout until closed. Touches a private bus only."""

    def __init__(self, address: str, layout: Layout) -> None:
        self._connection = open_dbus_connection(address)
        self._connection.send_and_get_reply(message_bus.RequestName(_LOCALE1))
        self._answers = {
            "X11Layout": ("s", layout.name),
            "X11Model": ("s", "pc105"),
            "X11Variant": ("s", layout.variant),
            "X11Options": ("s", ""),
            "Locale": ("as", []),
        }
        self._thread = threading.Thread(
            target=self._serve, args=(self._connection,), name="mutter-layout", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        # Shutting it down wakes the thread; closing it alone would not.
        with suppress(OSError):
            self._connection.sock.shutdown(2)
        self._thread.join()
        self._connection.close()

    def _serve(self, connection: DBusConnection) -> None:
        with suppress(OSError):
            while True:
                message = connection.receive()
                if message.header.message_type is not MessageType.method_call:
                    continue
                if message.header.fields.get(HeaderFields.member) == "GetAll":
                    answer = new_method_return(message, "a{sv}", (self._answers,))
                else:
                    answer = new_error(message, "org.freedesktop.DBus.Error.UnknownMethod")
                connection.send(answer)


def write_settings(folder: Path, layout: Layout) -> None:
    """GNOME's settings of an own desktop, apart from the user's.

    No greeting, no lock, no questions about programs that take their time, no animations
    that nobody asked to stream.
    """
    file = folder / "glib-2.0" / "settings" / "keyfile"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(
        "[org/gnome/desktop/input-sources]\n"
        f"sources=[('xkb', '{layout.source}')]\n\n"
        "[org/gnome/desktop/interface]\nenable-animations=false\n\n"
        "[org/gnome/desktop/lockdown]\ndisable-lock-screen=true\n\n"
        "[org/gnome/desktop/screensaver]\nlock-enabled=false\n\n"
        "[org/gnome/desktop/session]\nidle-delay=uint32 0\n\n"
        "[org/gnome/mutter]\ncenter-new-windows=true\ncheck-alive-timeout=uint32 0\n\n"
        "[org/gnome/shell]\nwelcome-dialog-last-shown-version='9999'\n"
    )
