"""The apps that come with every host."""

from collections.abc import Sequence

from punktfunk.config.settings import Settings
from punktfunk.model.apps import App, LaunchSpec

DESKTOP_ID = "builtin:desktop"
TEST_PATTERN_ID = "builtin:test-pattern"

_TEST_PATTERN_WISHES = {
    "compositor": "null",
    "capture": "testcard",
    "audio": "tone",
    "input": "memory",
}


def app_list(settings: Settings) -> Sequence[App]:
    """What clients see, in order."""
    apps = []
    if settings.desktop.enabled:
        apps.append(
            App(
                library_id=DESKTOP_ID,
                title="Desktop",
                launch=LaunchSpec(argv=settings.desktop.command),
                desktop_like=True,
            )
        )
    if settings.test_pattern.enabled:
        apps.append(
            App(library_id=TEST_PATTERN_ID, title="Test pattern", wishes=_TEST_PATTERN_WISHES)
        )
    return apps
