import json

import pytest

from punktfunk.errors import StateDamaged
from punktfunk.model.offers import Availability, HostFacts, Kind, Offer
from punktfunk.model.video import Codec
from punktfunk.registry.discovery import PluginRecord, PluginState
from punktfunk.registry.report import (
    PluginReport,
    ProbeAnswer,
    ProbeReport,
    ProbeRequest,
    converter,
    from_line,
    to_line,
)

OFFER = Offer(
    kind=Kind.ENCODE,
    driver="software",
    title="Software",
    rank=10,
    availability=Availability.yes(),
    codecs=frozenset({Codec.AV1, Codec.H264}),
    features=frozenset({"rfi"}),
)
REPORT = ProbeReport(
    plugins=(
        PluginReport(
            record=PluginRecord(
                name="builtin",
                distribution="punktfunk",
                version="1",
                api=1,
                state=PluginState.LOADED,
                title="Built in",
            ),
            status=Availability.no("not yet", hint="wait"),
            offers=(OFFER,),
            problems=("It is too slow.",),
        ),
    )
)


def test_a_report_comes_back_from_json_as_it_was() -> None:
    assert ProbeReport.from_json(json.loads(json.dumps(REPORT.to_json()))) == REPORT


def test_offers_are_found_by_kind_and_their_plugin_by_driver() -> None:
    assert REPORT.offers(Kind.ENCODE) == (OFFER,)
    assert REPORT.offers(Kind.CAPTURE) == ()
    assert REPORT.plugin_of(Kind.ENCODE, "software") == "builtin"
    assert REPORT.plugin_of(Kind.CAPTURE, "software") is None


@pytest.mark.parametrize("damaged", [None, [], {"plugins": [{}]}, {"plugins": [], "more": 1}])
def test_a_damaged_report_is_not_taken(damaged: object) -> None:
    with pytest.raises(StateDamaged):
        ProbeReport.from_json(damaged)


@pytest.mark.parametrize(
    "change",
    [
        {"rank": 101},
        {"rank": "10"},
        {"rank": True},
        {"driver": None},
        {"kind": "teapot"},
        {"codecs": ["vp9"]},
        {"codecs": 3},
        {"availability": {"available": "yes", "reason": "", "hint": ""}},
        {"surprise": 1},
    ],
)
def test_an_offer_is_checked_when_it_arrives(change: dict[str, object]) -> None:
    plain = {**REPORT.to_json()["plugins"][0], "failures": {}}
    del plain["harmful"]
    assert from_line(json.dumps(plain).encode(), ProbeAnswer).offers == (OFFER,)  # type: ignore[union-attr]

    plain["offers"] = [{**plain["offers"][0], **change}]

    with pytest.raises(ValueError, match="offers"):
        from_line(json.dumps(plain).encode(), ProbeAnswer)


def test_a_line_that_is_no_json_is_refused() -> None:
    for line in (b"\n", b"null\n", b"[1]\n", b"\xff\xfe\n", b"[" * 100_000):
        with pytest.raises(ValueError):
            from_line(line, ProbeAnswer)


def test_a_request_carries_settings_of_all_toml_types() -> None:
    request = ProbeRequest(
        facts=HostFacts(settings={"a": {"b": [1, "x"], "c": True, "d": 1.5}}), ask=("a",)
    )

    assert converter.structure(json.loads(to_line(request)), ProbeRequest) == request
