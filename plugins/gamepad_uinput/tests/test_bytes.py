"""What goes through `/dev/uinput` and `/dev/uhid`, against the kernel's own headers."""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from punktfunk_gamepad_uinput import uhid, uinput
from punktfunk_gamepad_uinput.uinput import Axis, Event

SIXTY_FOUR = struct.calcsize("P") == 8

SIZES = r"""
#include <stddef.h>
#include <stdio.h>
#include <linux/uhid.h>
#include <linux/uinput.h>
int main(void) {
  printf("%zu %zu %zu %zu %zu %zu %zu\n", sizeof(struct input_event), sizeof(struct uhid_event),
         sizeof(struct uinput_ff_upload), offsetof(struct uinput_ff_upload, effect.u),
         offsetof(struct uhid_event, u.output.size), offsetof(struct uhid_event, u.create2.rd_data),
         offsetof(struct uhid_event, u.input2.data));
  printf("%lu %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu %lu\n", (long)UI_DEV_CREATE,
         (long)UI_DEV_DESTROY, (long)UI_DEV_SETUP, (long)UI_ABS_SETUP, (long)UI_SET_EVBIT,
         (long)UI_SET_KEYBIT, (long)UI_SET_FFBIT, (long)UI_SET_PHYS, (long)UI_BEGIN_FF_UPLOAD,
         (long)UI_END_FF_UPLOAD, (long)UI_BEGIN_FF_ERASE, (long)UI_END_FF_ERASE);
}
"""


@pytest.mark.skipif(
    not (shutil.which("cc") and Path("/usr/include/linux/uhid.h").exists()),
    reason="no C compiler, or no kernel headers",
)
def test_sizes_and_numbers_are_those_of_the_kernels_headers(tmp_path) -> None:
    (tmp_path / "sizes.c").write_text(SIZES)
    subprocess.run(["cc", "sizes.c", "-o", "sizes"], cwd=tmp_path, check=True)
    told = subprocess.run([tmp_path / "sizes"], check=True, capture_output=True, text=True)
    sizes, numbers = ([int(word) for word in line.split()] for line in told.stdout.splitlines())

    assert sizes == [
        uinput.EVENT_BYTES,
        uhid.EVENT_BYTES,
        len(uinput.upload_request(1)),
        uinput._REQUEST.size + uinput._UNION_AT,
        4 + 4_096,
        4 + uhid._CREATE_HEAD.size,
        len(uhid.report(b"")),
    ]
    assert [number & 0xFFFF_FFFF for number in numbers] == [
        uinput.UI_DEV_CREATE,
        uinput.UI_DEV_DESTROY,
        uinput.UI_DEV_SETUP,
        uinput.UI_ABS_SETUP,
        uinput.UI_SET_EVBIT,
        uinput.UI_SET_KEYBIT,
        uinput.UI_SET_FFBIT,
        uinput.UI_SET_PHYS,
        uinput.UI_BEGIN_FF_UPLOAD,
        uinput.UI_END_FF_UPLOAD,
        uinput.UI_BEGIN_FF_ERASE,
        uinput.UI_END_FF_ERASE,
    ]


def test_a_device_and_its_axes() -> None:
    setup = uinput.setup(
        bus=3, vendor=0x045E, product=0x028E, version=0x0114, name="Pad", effects=16
    )
    axis = uinput.abs_setup(Axis(code=1, least=-32_768, most=32_767, fuzz=16, flat=128))

    assert setup.hex() == "03005e048e021401" + b"Pad".hex() + "00" * 77 + "10000000"
    assert axis.hex() == "01000000000000000080ffffff7f0000100000008000000000000000"


def test_a_name_that_is_too_long_is_cut_and_ends() -> None:
    packed = uinput.setup(bus=3, vendor=1, product=2, version=3, name="x" * 200, effects=0)

    assert packed[8:88] == b"x" * 79 + b"\0"


@pytest.mark.skipif(not SIXTY_FOUR, reason="the times have other sizes")
def test_events_there_and_back() -> None:
    events = [Event(3, 1, -32_767), Event(0, 0, 0)]

    packed = uinput.pack(events)

    assert packed.hex() == "00" * 16 + "030001000180ffff" + "00" * 24
    assert uinput.unpack(packed + b"half") == events


@pytest.mark.skipif(not SIXTY_FOUR, reason="the union lies elsewhere")
@pytest.mark.parametrize(
    ("effect", "strengths"),
    [
        ("50000300000000000000f4010a00000000c00040", (0xC000, 0x4000)),
        ("51000300000000000000f4010a0000005a00000000c0", (0x8000,) * 2),
        ("51000300000000000000f4010a0000005a0000000080", (0xFFFF,) * 2),
    ],
)
def test_an_upload_is_read(effect: str, strengths: tuple[int, int]) -> None:
    answer = uinput.upload_request(7)[:8] + bytes.fromhex(effect).ljust(96, b"\0")

    it = uinput.uploaded(answer)

    assert it is not None
    assert (it.strong, it.weak) == strengths
    assert (it.id, it.length_ms, it.delay_ms) == (3, 500, 10)


def test_a_force_that_pads_have_not_is_refused() -> None:
    answer = bytearray(uinput.upload_request(7))
    struct.pack_into("@H", answer, 8, 0x52)  # a constant force, as of a wheel

    assert uinput.uploaded(bytes(answer)) is None
    assert uinput.refused(bytes(answer), 22)[:8].hex() == "07000000eaffffff"


def test_a_hid_device_is_plugged_in() -> None:
    device = uhid.HidDevice(
        name="Pad", bus=3, vendor=0x54C, product=0xCE6, version=0x100, descriptor=b"\x05\x01"
    )

    packed = uhid.create(device, "punktfunk/x/pad0", "02:00:00:00:00:01")

    assert packed[:4].hex() == "0b000000"
    assert packed[4:132] == b"Pad".ljust(128, b"\0")
    assert packed[132:196] == b"punktfunk/x/pad0".ljust(64, b"\0")
    assert packed[196:260] == b"02:00:00:00:00:01".ljust(64, b"\0")
    assert packed[260:].hex() == "020003004c050000e60c000000010000000000000501"


def test_what_a_hid_device_says() -> None:
    assert uhid.report(b"\x01\x02").hex() == "0c00000002000102"
    assert uhid.answer_feature(9, b"\x05").hex() == "0a000000090000000000010005"
    assert uhid.answer_feature(9, None).hex() == "0a0000000900000005000000"
    assert uhid.taken(9).hex() == "0e000000090000000000"
    assert uhid.DESTROY.hex() == "01000000"


def test_what_a_hid_device_hears() -> None:
    output = bytes.fromhex("060000000203") + bytes(4_094) + bytes.fromhex("020001")

    assert uhid.wish(output) == uhid.Output(b"\x02\x03")
    assert uhid.wish(bytes.fromhex("09000000070000002000")) == uhid.FeatureWanted(7, 0x20)
    assert uhid.wish(bytes.fromhex("0d00000007000000020102000203")) == (
        uhid.ReportGiven(7, b"\x02\x03")
    )
    assert uhid.wish(bytes.fromhex("02000000")) is None


@pytest.mark.parametrize("kind", range(16))
def test_no_event_is_too_short_or_says_too_much(kind: int) -> None:
    uhid.wish(kind.to_bytes(4, "little"))
    uhid.wish(kind.to_bytes(4, "little") + b"\xff" * 5_000)
    uhid.wish(b"")
