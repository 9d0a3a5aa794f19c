import json
import subprocess
import sys

import pytest

from punktfunk import builtin
from punktfunk.builtin import probing
from punktfunk.builtin.null_compositor import NullCompositor
from punktfunk.errors import DriverUnavailable
from punktfunk.model.offers import Availability, HostFacts, Kind, Offer
from punktfunk.model.video import Codec, VideoMode
from punktfunk.registry.ranking import choose

HOST = HostFacts()


def test_importing_the_plugin_loads_no_media_library():
    program = (
        "import sys, json, punktfunk.builtin as b\n"
        "print(json.dumps(sorted({'av', 'numpy', 'numba'} & set(sys.modules))))"
    )

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert json.loads(ran.stdout) == []


def test_the_software_encoder_offers_what_was_tried():
    (offer,) = builtin.encode_offers(HOST)

    assert (offer.driver, offer.rank, offer.availability.available) == ("software", 10, True)
    assert offer.codecs == frozenset(Codec)


def test_a_codec_that_does_not_open_is_left_out_with_a_reason(monkeypatch):
    real_open = probing.SoftwareEncoder.open

    def open_all_but_hevc(self, params):
        if params.codec is Codec.HEVC:
            raise DriverUnavailable("software", "no libx265 in this build")
        real_open(self, params)

    monkeypatch.setattr(probing.SoftwareEncoder, "open", open_all_but_hevc)

    (offer,) = builtin.encode_offers(HOST)

    assert offer.codecs == {Codec.H264, Codec.AV1}
    assert "no libx265" in offer.availability.reason


def test_settings_that_break_the_encoder_are_found_by_the_probe():
    (offer,) = builtin.encode_offers(HostFacts(settings={"builtin": {"preset": "warp"}}))

    assert Codec.H264 not in offer.codecs
    assert "h264: " in offer.availability.reason


def test_opus_is_offered_with_surround():
    (offer,) = builtin.audio_encode_offers(HOST)

    assert offer.availability.available
    assert offer.features == {"surround"}


@pytest.mark.parametrize(
    ("hook", "kind", "driver"),
    [
        (builtin.compositor_offers, Kind.COMPOSITOR, "null"),
        (builtin.capture_offers, Kind.CAPTURE, "testcard"),
        (builtin.audio_offers, Kind.AUDIO, "tone"),
        (builtin.input_offers, Kind.INPUT, "memory"),
        (builtin.gamepad_offers, Kind.GAMEPAD, "memory"),
    ],
)
def test_test_drivers_are_never_picked_by_rank(hook, kind, driver):
    offer = next(offer for offer in hook(HOST) if offer.driver == driver)

    assert (offer.kind, offer.rank) == (kind, 0)


def test_silence_is_what_a_desktop_gets_without_a_sound_server():
    offers = builtin.audio_offers(HOST)
    server = Offer(
        kind=Kind.AUDIO, driver="pulse", rank=50, availability=Availability.no("not installed")
    )

    assert choose(Kind.AUDIO, [*offers, server]).picked.driver == "silence"


def test_the_null_display_has_every_mode_it_is_asked_for():
    mode = VideoMode(width_px=801, height_px=333, refresh_mhz=59_940)
    compositor = NullCompositor()

    assert compositor.open(None, mode).mode == mode
    assert compositor.resize(mode).compositor == "null"
    compositor.close()
