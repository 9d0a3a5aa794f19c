"""Recordings on a real disk, damaged ones among them."""

import os
import random
import signal
import stat
import string
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from punktfunk.errors import Refused
from punktfunk.stats.recording_file import (
    RecordingDamaged,
    as_file,
    is_id,
    name_of,
    parse_file,
    parse_head,
)
from punktfunk.stats.recordings import (
    MAX_RECORDINGS,
    DiskRefused,
    NoSuchRecording,
    Recordings,
)

ID = "2026-06-26T20-14-03Z_5120x1440"
HOSTILE_IDS = [
    "",
    ".",
    "..",
    "../mgmt-token",
    "..%2fmgmt-token",
    "%2e%2e%2fmgmt-token",
    "/etc/passwd",
    "a/../b",
    "a\\..\\b",
    f"{ID}.json",
    f"{ID}/",
    f"{ID}\n",
    f"{ID}\0",
    f"{ID}\0.json",
    f".{ID}",
    f"-{ID}",
    "a" * 65,
    "a" * 5_000,
    "\uff0e\uff0e\uff0fx",
    "\u0661",
    "\udc80",
    "con:",
    "~",
]


def test_what_was_saved_is_read_again_from_a_private_file(folder, recordings, make_capture) -> None:
    capture = make_capture()
    meta = recordings.save(capture)

    again = Recordings(folder)

    assert meta == capture.meta
    assert meta.id == ID
    assert again.get(ID) == capture
    assert again.summaries() == [meta]
    assert stat.S_IMODE((folder / f"{ID}.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_capture_without_a_single_sample_is_one_too(recordings, make_capture) -> None:
    capture = make_capture(samples=0)

    assert recordings.get(recordings.save(capture).id) == capture


def test_one_that_an_earlier_version_saved_is_read(folder, recordings, make_capture) -> None:
    path = folder / f"{recordings.save(make_capture()).id}.json"
    path.write_bytes(path.read_bytes().replace(b',"client":"c0ffee00"}', b"}"))

    samples = recordings.get(ID).samples

    assert not [it for it in samples if b"client" in it]
    assert len(samples) == 3


def test_two_of_the_same_second_have_different_ids(recordings, make_capture) -> None:
    ids = [recordings.save(make_capture(samples=count)).id for count in (1, 2, 3)]

    assert ids == [ID, f"{ID}-2", f"{ID}-3"]
    assert [recordings.get(one).meta.sample_count for one in ids] == [1, 2, 3]
    recordings.delete(f"{ID}-2")
    assert recordings.save(make_capture()).id == f"{ID}-2"


def test_the_newest_come_first(recordings, make_capture) -> None:
    began = (3_000_000, 1_000_000, 2_000_000)
    for unix_ms in began:
        recordings.save(make_capture(began_unix_ms=unix_ms))

    assert [meta.started_unix_ms for meta in recordings.summaries()] == sorted(began, reverse=True)


def test_a_file_that_was_renamed_has_its_new_name_as_its_id(
    folder, recordings, make_capture
) -> None:
    recordings.save(make_capture())
    (folder / f"{ID}.json").rename(folder / "boss-fight.json")

    assert [meta.id for meta in recordings.summaries()] == ["boss-fight"]
    assert recordings.get("boss-fight").meta.id == "boss-fight"


def test_a_deleted_one_is_gone(folder, recordings, make_capture) -> None:
    recordings.save(make_capture())
    recordings.delete(ID)

    assert list(folder.iterdir()) == []
    for ask in (recordings.get, recordings.delete):
        with pytest.raises(NoSuchRecording):
            ask(ID)


def test_a_folder_that_somebody_deleted_is_made_again(folder, recordings, make_capture) -> None:
    folder.rmdir()

    assert recordings.summaries() == []
    assert recordings.save(make_capture()).id == ID


def test_when_there_are_many_none_is_begun(folder, recordings, make_capture) -> None:
    data = as_file(make_capture(samples=0))
    for number in range(MAX_RECORDINGS):
        recordings.check_room()
        (folder / f"r{number}.json").write_bytes(data)

    with pytest.raises(Refused, match="delete some first") as refused:
        recordings.check_room()

    assert refused.value.fields["status"] == 409
    recordings.delete("r7")
    recordings.check_room()


DAMAGES = {
    "empty": lambda text: b"",
    "cut short": lambda text: text[: len(text) // 2],
    "the last byte": lambda text: text[:-1],
    "more than it was": lambda text: text + b"\n]}\n",
    "not ours": lambda text: b'{"a": 1}\n',
    "other version": lambda text: text.replace(b'"version":1', b'"version":2'),
    "no number": lambda text: text.replace(b'"t_ms":1000', b'"t_ms":NaN'),
    "infinite": lambda text: text.replace(b'"fps":60.0', b'"fps":1e999'),
    "negative": lambda text: text.replace(b'"t_ms":1000', b'"t_ms":-1'),
    "a text": lambda text: text.replace(b'"t_ms":1000', b'"t_ms":"1000"'),
    "true": lambda text: text.replace(b'"t_ms":1000', b'"t_ms":true'),
    "a member is missing": lambda text: text.replace(b'"mbps"', b'"mbit"'),
    "a stage": lambda text: text.replace(b'"p50_us":500', b'"p50_us":null'),
    "stages": lambda text: text.replace(b'"stages":[', b'"stages":{},"x":['),
    "not a sample": lambda text: text.replace(b'{"t_ms":1000', b'[],{"t_ms":1000'),
    "a sample too few": lambda text: text.replace(b'"sample_count":3', b'"sample_count":4'),
    "deep": lambda text: text.replace(b'"t_ms":1000', b'"t_ms":' + b"[" * 100_000),
    "zeros": lambda text: bytes(len(text)),
    "no text": lambda text: text.replace(b'"capture"', b'"captur\xff"'),
    "utf-16": lambda text: text.decode().encode("utf-16"),
    "its summary": lambda text: text.replace(b'"width":5120', b'"width":"5120"'),
    "a long name": lambda text: text.replace(b'"hevc"', b'"%b"' % (b"x" * 65)),
    "huge": lambda text: text + b" " * (17 << 20),
}
SEEN_IN_THE_HEAD = {"empty", "cut short", "not ours", "other version", "zeros", "its summary"}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_costs_itself_and_nothing_else(
    damage, folder, recordings, make_capture, caplog
) -> None:
    good = recordings.save(make_capture(began_unix_ms=1))
    bad = recordings.save(make_capture())
    path = folder / f"{bad.id}.json"
    damaged = DAMAGES[damage](path.read_bytes())
    assert damaged != path.read_bytes()
    path.write_bytes(damaged)

    with pytest.raises(RecordingDamaged, match=bad.id) as caught:
        recordings.get(bad.id)

    assert str(folder) not in str(caught.value)
    listed = [meta.id for meta in recordings.summaries()]
    assert good.id in listed
    if damage in SEEN_IN_THE_HEAD:
        assert listed == [good.id]
        recordings.summaries()
        assert caplog.text.count(bad.id) == 1
    assert path.read_bytes() == damaged
    recordings.delete(bad.id)
    assert recordings.get(good.id)


@given(st.binary(max_size=300))
def test_no_bytes_are_mistaken_for_a_recording(data: bytes) -> None:
    for read in (parse_head, parse_file):
        with pytest.raises(RecordingDamaged):
            read(data, ID)


def test_any_single_byte_may_rot(make_capture) -> None:
    whole = as_file(make_capture(samples=1))
    for place in range(len(whole)):
        rotten = bytearray(whole)
        rotten[place] ^= 0x80
        with pytest.raises(RecordingDamaged):
            parse_file(bytes(rotten), ID)


@settings(deadline=None)
@given(
    st.one_of(
        st.text(max_size=100), st.text(alphabet="./\\%2e\0-_aZ0", max_size=80), st.from_regex(ID)
    )
)
@example(ID)
def test_threat_19_an_id_is_a_word_and_leads_nowhere_else(text: str) -> None:
    allowed = set(string.ascii_letters + string.digits + "-_")

    assert is_id(text) == (
        0 < len(text) <= 64 and set(text) <= allowed and not text.startswith(("-", "_"))
    )
    if is_id(text):
        path = Path("/captures") / f"{text}.json"
        assert path.parent == Path(os.path.normpath(path)).parent == Path("/captures")


@pytest.mark.parametrize("unix_ms", [0, 1_782_504_843_999, 2**62])
@pytest.mark.parametrize("side", [0, 2**31 - 1])
def test_every_name_that_we_make_is_an_id(unix_ms: int, side: int) -> None:
    assert is_id(name_of(unix_ms, side, side) + f"-{MAX_RECORDINGS}")


@pytest.mark.parametrize("hostile", HOSTILE_IDS, ids=ascii)
def test_threat_19_an_id_that_is_no_word_names_nothing(hostile, folder, recordings) -> None:
    outside = folder.parent / "mgmt-token.json"
    outside.write_text("secret")

    for ask in (recordings.get, recordings.delete):
        with pytest.raises(NoSuchRecording) as refused:
            ask(hostile)
        assert refused.value.fields["status"] == 404
        assert "secret" not in str(refused.value)

    assert outside.read_text() == "secret"


def test_threat_19_links_folders_and_pipes_are_no_recordings(
    folder, recordings, make_capture, tmp_path
) -> None:
    outside = tmp_path / "outside.json"
    outside.write_bytes(as_file(make_capture()))
    (folder / "link.json").symlink_to(outside)
    (folder / "dangling.json").symlink_to(tmp_path / "nothing")
    (folder / "loop.json").symlink_to("loop.json")
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")

    for name in ("link", "dangling", "loop", "folder", "pipe"):
        for ask in (recordings.get, recordings.delete):
            with pytest.raises(NoSuchRecording):
                ask(name)

    assert recordings.summaries() == []
    assert outside.exists()
    assert len(list(folder.iterdir())) == 5


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_leaves_nothing_behind(folder, recordings, make_capture, monkeypatch) -> None:
    # A descriptor of the device that is always full takes the place of the new file's.
    real = os.fchmod
    monkeypatch.setattr(
        "os.fchmod",
        lambda fd, mode: (real(fd, mode), os.dup2(os.open("/dev/full", os.O_WRONLY), fd)),
    )

    with pytest.raises(DiskRefused, match="No space left"):
        recordings.save(make_capture())

    assert list(folder.iterdir()) == []


SAVES_FOR_EVER = """
import sys
from pathlib import Path
from punktfunk.stats.recording_file import parse_file
from punktfunk.stats.recordings import Recordings

capture = parse_file(Path(sys.argv[2]).read_bytes(), "x")
recordings = Recordings(Path(sys.argv[1]))
while True:
    print(recordings.save(capture).id, flush=True)
    for meta in recordings.summaries()[5:]:
        recordings.delete(meta.id)
"""


def test_a_kill_at_any_moment_leaves_no_half_recording(tmp_path, folder, make_capture) -> None:
    capture = make_capture(samples=2_000)
    source = tmp_path / "source"
    source.write_bytes(as_file(capture))
    dice = random.Random(19)
    for _ in range(5):
        arguments = [sys.executable, "-c", SAVES_FOR_EVER, str(folder), str(source)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
            for _line in range(dice.randint(1, 12)):
                assert process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL

        recordings = Recordings(folder)

        assert not list(folder.glob("*.tmp"))
        assert not list(folder.glob(".*"))
        listed = recordings.summaries()
        assert len(listed) == len(list(folder.iterdir())) >= 1
        for meta in listed:
            whole = recordings.get(meta.id)
            assert whole.samples == capture.samples
            assert whole.meta == attrs.evolve(capture.meta, id=meta.id)
