"""What a person may set in `[plugin.portal]`."""

from collections.abc import Mapping

import attrs

DRIVER = "portal"
MOST_ANSWER_S = 25
"""A session that is not up after 30 s is given up."""

SETTINGS: tuple[tuple[str, str | bool | int, str], ...] = (
    ("answer_s", 20, f"How long somebody may take to answer the question, 1 to {MOST_ANSWER_S} s."),
    ("view_only", False, "Share the picture alone: no keyboard, mouse or touch is asked for."),
    ("own_screen", True, "Ask for a screen of the client's own where the desktop can make one."),
)
"""Name, default and meaning, in the order in which people read them."""


@attrs.frozen(kw_only=True)
class PortalSettings:
    answer_s: int
    view_only: bool
    own_screen: bool

    @classmethod
    def read(cls, table: Mapping[str, object]) -> "PortalSettings":
        """Take a `[plugin.portal]` table whose types were checked; absent keys get defaults."""
        values = {name: table.get(name, default) for name, default, _ in SETTINGS}
        answer_s = values["answer_s"]
        assert isinstance(answer_s, int)
        return cls(
            answer_s=min(max(answer_s, 1), MOST_ANSWER_S),
            view_only=bool(values["view_only"]),
            own_screen=bool(values["own_screen"]),
        )
