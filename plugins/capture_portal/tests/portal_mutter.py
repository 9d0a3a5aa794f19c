"""A real Mutter as the desktop behind a backend of the tests: what GNOME's backend does, without
its question.
"""

from typing import Any

from portal_user import User

from punktfunk.plugin import Bus

SCREENCAST = "org.gnome.Mutter.ScreenCast"
REMOTE_DESKTOP = "org.gnome.Mutter.RemoteDesktop"
WAIT_S = 30.0


class MutterDesktop:
    """`share` and `on_input` are for the backend; its thread calls them.

    Args:
        virtual: Share a screen that is made for it, as large as its pictures shall be.
        claims_virtual: Only say so.
    """

    def __init__(
        self,
        user: User,
        size: str = "640x360",
        *,
        virtual: bool = False,
        claims_virtual: bool = False,
    ) -> None:
        self._virtual, self._claims_virtual = virtual, claims_virtual
        self.width, self.height = map(int, size.split("x"))
        self._user = user
        self._bus: Bus | None = None
        user.start(
            "mutter",
            [
                *("mutter", "--headless", "--wayland", "--no-x11"),
                *("--virtual-monitor", size, "--wayland-display", "wayland-1"),
            ],
            LIBGL_ALWAYS_SOFTWARE="1",
        )
        user.wait_for_name(SCREENCAST, "mutter")

    def share(self) -> list[Any]:
        self.close()
        bus = self._bus = Bus.session(self._user.environment)
        (self._remote,) = self._make(REMOTE_DESKTOP, "")
        session_id = bus.get(REMOTE_DESKTOP, self._remote, f"{REMOTE_DESKTOP}.Session", "SessionId")
        (cast,) = self._make(SCREENCAST, "a{sv}", {"remote-desktop-session-id": ("s", session_id)})
        how: tuple[object, ...] = ("RecordMonitor", "sa{sv}", "", {"cursor-mode": ("u", 1)})
        if self._virtual:
            how = ("RecordVirtual", "a{sv}", {"cursor-mode": ("u", 1)})
        (self._stream,) = bus.call(SCREENCAST, cast, f"{SCREENCAST}.Session", *how)
        with bus.signals(
            path=self._stream, interface=f"{SCREENCAST}.Stream", member="PipeWireStreamAdded"
        ) as added:
            bus.call(REMOTE_DESKTOP, self._remote, f"{REMOTE_DESKTOP}.Session", "Start")
            arguments = added.wait(WAIT_S)
        assert arguments is not None, "Mutter makes no stream"
        about: dict[str, Any] = {
            "source_type": ("u", 4 if self._virtual or self._claims_virtual else 1)
        }
        if not self._virtual:
            about["size"] = ("(ii)", (self.width, self.height))
        return [(arguments[0], about)]

    def on_input(self, member: str, arguments: tuple[Any, ...]) -> None:
        match member:
            case "NotifyKeyboardKeycode" | "NotifyPointerButton":
                code, state = arguments
                signature = "ub" if member.startswith("NotifyKey") else "ib"
                self._tell(member, signature, code, bool(state))
            case "NotifyPointerMotionAbsolute":
                self._tell(member, "sdd", self._stream, *arguments[1:])
            case "NotifyPointerMotion":
                self._tell("NotifyPointerMotionRelative", "dd", *arguments)

    def close(self) -> None:
        if self._bus is not None:
            self._bus.close()

    def _make(self, name: str, signature: str, *arguments: object) -> tuple[Any, ...]:
        assert self._bus is not None
        path = "/" + name.replace(".", "/")
        return self._bus.call(name, path, name, "CreateSession", signature, *arguments)

    def _tell(self, member: str, signature: str, *arguments: object) -> None:
        assert self._bus is not None
        session = f"{REMOTE_DESKTOP}.Session"
        self._bus.call(REMOTE_DESKTOP, self._remote, session, member, signature, *arguments)
