import pytest

from punktfunk.model.events import EVENT_TYPES, types_matching


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["session.started"], {"session.started"}),
        (["stats.*", "client.paired"], {"stats.started", "stats.stopped", "client.paired"}),
        (["*.paired"], {"client.paired"}),
        (["*"], set(EVENT_TYPES)),
        ([], set()),
    ],
)
def test_a_pattern_stands_for_the_types_it_matches(patterns: list[str], found: set[str]) -> None:
    assert types_matching(patterns) == found


@pytest.mark.parametrize(
    "pattern", ["", "session", "session.startd", "Session.started", "[a-z]*", "?*", "*" * 41, "a\n"]
)
def test_a_pattern_that_means_nothing_is_a_mistake(pattern: str) -> None:
    with pytest.raises(ValueError, match="no event is called"):
        types_matching(["session.*", pattern])
