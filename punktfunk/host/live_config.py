"""The configuration of a running host, and how it changes."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

import attrs

from punktfunk.config import LoadedConfig, Settings
from punktfunk.config.editing import (
    LIVE_SECTIONS,
    ConfigChange,
    difference,
    edit_config,
    rewrite,
)
from punktfunk.config.overrides import ARRAY, own_values, put_override
from punktfunk.errors import Refused
from punktfunk.trust.files import write_with_backup

log = logging.getLogger(__name__)


class LiveConfig:
    """Attributes:
    loaded: What it says, also what counts only after a new start.
    settings: What counts now.
    waiting: Settings that were changed and need a new start.
    checks: Each may refuse new settings by raising ConfigError.
    on_changed: Told of every change, after `settings` has it.
    """

    def __init__(self, loaded: LoadedConfig) -> None:
        self.loaded = self._started_with = loaded
        self.settings = loaded.settings
        self.waiting: frozenset[str] = frozenset()
        self.checks: list[Callable[[Settings], None]] = []
        self.on_changed: list[Callable[[ConfigChange], None]] = []

    def change(self, changes: Mapping[str, object], unset: Sequence[str]) -> ConfigChange:
        """Write changes into the file and take them over; see `edit_config`."""
        loaded = edit_config(
            self.loaded, changes, unset, check=self._check, write=write_with_backup
        )
        return self._take(loaded, touched={*changes, *unset})

    def override(
        self,
        app: str,
        client: str,
        values: Mapping[str, object],
        expected: Mapping[str, object] | None = None,
    ) -> ConfigChange:
        """Have an app's or a client's sessions get values of their own; see `put_override`.

        Args:
            expected: What they have until now, as far as the caller knows; None for whatever.

        Raises:
            Refused: they have something else.
        """
        if expected is not None:
            has = own_values(self.loaded.settings, app, client)
            if has != {name: _as_setting(value) for name, value in expected.items()}:
                raise Refused(
                    "these settings were changed elsewhere in the meantime: "
                    "look at them as they are now, and save again",
                    status=409,
                )
        edit = partial(put_override, app=app, client=client, values=values)
        loaded = rewrite(self.loaded, edit, check=self._check, write=write_with_backup)
        return self._take(loaded, touched={ARRAY})

    def reload(self) -> ConfigChange:
        """Take over what the file says now.

        Raises:
            ConfigError: it is not valid; everything stays as it was.
        """
        loaded = self.loaded.again()
        self._check(loaded.settings)
        return self._take(loaded)

    def _check(self, settings: Settings) -> None:
        for check in self.checks:
            check(settings)

    def _take(self, loaded: LoadedConfig, touched: Collection[str] | None = None) -> ConfigChange:
        change = difference(self.loaded, loaded, touched)
        waiting = difference(self._started_with, loaded).restart_required
        self.waiting = frozenset(waiting)
        change = attrs.evolve(change, restart_required=waiting)
        self.loaded = loaded
        now = {section: getattr(loaded.settings, section) for section in LIVE_SECTIONS}
        self.settings = attrs.evolve(self.settings, **now)
        if change.changed:
            log.info("configuration changed: %s", ", ".join(change.changed))
            for tell in self.on_changed:
                tell(change)
        return change


def _as_setting(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
