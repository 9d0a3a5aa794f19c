import os
import shutil
import subprocess
import sys
from pathlib import Path

import punktfunk_capture_gamescope as plugin
import pytest
from punktfunk_capture_gamescope import eis, probe, vulkan
from punktfunk_capture_gamescope.nodes import PROGRAM, gamescope_nodes
from punktfunk_capture_gamescope.program import POINTER_FLAG, command_line, find, lacking
from punktfunk_capture_gamescope.running import _has_flag
from punktfunk_capture_gamescope.settings import GamescopeSettings

from punktfunk.plugin import Availability, DriverFailed, HostFacts, Kind, VideoMode

MODE = VideoMode(width_px=1920, height_px=1080, refresh_mhz=59_940)
HELP = """\
[gamescope] [Info]  console: gamescope version 3.16.4 (gcc 14.2.0)
  -W, --output-width     output width
  -r, --nested-refresh   game refresh rate (frames per second)
  -R, --ready-fd         notify FD when ready
  -e, --steam            enable Steam integration
  --xwayland-count       create N xwayland servers
  --framerate-limit      Set a simple framerate limit.
  --backend              select rendering backend
                             headless => use headless backend
"""
OLD_HELP = HELP.replace("headless", "sdl").replace("version 3.16.4", "by some")
PROGRAMS = ("gamescope", "pipewire", "wireplumber", "pw-dump", "Xwayland")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A PATH of made-up programs on a machine with a GPU, where gamescope says what it is told."""
    monkeypatch.setattr(probe, "pipewire_availability", Availability.yes)
    monkeypatch.setattr(eis, "is_installed", lambda: True)
    monkeypatch.setattr(vulkan, "hardware", lambda: ["a GPU"])
    monkeypatch.setattr("punktfunk_capture_gamescope.program._ELSEWHERE", ())

    def make(says: str = HELP, without: str = "", **facts: object) -> HostFacts:
        for name in set(PROGRAMS) - {without}:
            program = tmp_path / name
            program.write_text(
                f"#!/bin/sh\nwhile read -r l; do echo \"$l\"; done >&2 <<'E'\n{says}E\n"
            )
            program.chmod(0o755)
        facts.setdefault("render_nodes", ("/dev/dri/renderD128",))
        return HostFacts(environment={"PATH": str(tmp_path)}, **facts)

    return make


def own(host: HostFacts) -> Availability:
    offer = next(it for it in plugin.compositor_offers(host=host) if not it.attaches)
    assert offer.kind is Kind.COMPOSITOR
    return offer.availability


def test_a_new_enough_gamescope_on_a_machine_with_everything_is_offered(machine) -> None:
    host = machine()

    assert own(host) == Availability.yes("gamescope 3.16.4")
    for offers in (plugin.capture_offers(host=host), plugin.input_offers(host=host)):
        assert offers[0].availability.available
        assert offers[0].compositors == {"gamescope"}


def test_every_real_desktop_goes_first(machine) -> None:
    ranks = {offer.rank for offer in plugin.compositor_offers(host=machine())}

    assert ranks == {5}


@pytest.mark.parametrize(
    ("without", "reason"),
    [
        ("gamescope", "gamescope is not installed"),
        ("wireplumber", "wireplumber not installed"),
        ("pw-dump", "pw-dump not installed"),
        ("Xwayland", "Xwayland is not installed"),
    ],
)
def test_what_is_missing_is_named_with_a_hint(machine, without, reason) -> None:
    found = own(machine(without=without))

    assert not found.available
    assert found.reason == reason
    assert "install" in found.hint


def test_a_gamescope_without_headless_backend_is_too_old(machine) -> None:
    found = own(machine(OLD_HELP))

    assert "gamescope of unknown version" in found.reason
    assert "has no headless backend" in found.reason
    assert "3.15" in found.hint


def test_without_a_render_node_the_hint_names_the_group(machine) -> None:
    found = own(machine(render_nodes=()))

    assert "no render node" in found.reason
    assert "group `render`" in found.hint


def test_without_a_vulkan_gpu_the_hint_names_the_driver(machine, monkeypatch) -> None:
    monkeypatch.setattr(vulkan, "hardware", lambda: [])

    assert "mesa-vulkan-drivers" in own(machine()).hint


def test_without_libei_there_is_no_input_and_so_no_gamescope(machine, monkeypatch) -> None:
    monkeypatch.setattr(eis, "is_installed", lambda: False)

    found = own(machine())

    assert "libei.so.1 is not installed" in found.reason
    assert "apt install libei1" in found.hint


def test_who_knows_better_needs_no_gpu(machine) -> None:
    host = machine(render_nodes=(), settings={"gamescope": {"need_gpu": False}})

    assert own(host).available


def test_one_that_hangs_costs_two_seconds(machine, tmp_path, monkeypatch) -> None:
    host = machine()
    (tmp_path / "gamescope").write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    monkeypatch.setattr(probe, "PROBE_S", 0.2)

    found = own(host)

    assert "does not run" in found.reason


def test_without_a_running_gamescope_there_is_nothing_to_attach_to(machine) -> None:
    host = machine()
    offer = next(it for it in plugin.compositor_offers(host=host) if it.attaches)

    assert offer.availability.reason == "no gamescope runs for this user"
    assert "start gamescope" in offer.availability.hint


def test_a_socket_that_nobody_listens_on_is_no_gamescope(machine, tmp_path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as crashed:
        crashed.bind(str(tmp_path / "gamescope-0"))
    host = machine()
    environment = {**host.environment, "XDG_RUNTIME_DIR": str(tmp_path)}

    found = probe.attach_availability(environment, GamescopeSettings.read({}))

    assert found.reason == "no gamescope runs for this user"


def test_it_is_started_at_the_clients_size_and_rate(machine, tmp_path) -> None:
    gamescope = find("gamescope", machine().environment["PATH"], 10)

    argv, unknown = command_line(gamescope, MODE, "/run/ready", GamescopeSettings.read({}))

    assert argv == [
        *(str(tmp_path / "gamescope"), "--backend", "headless", "-W", "1920", "-H", "1080"),
        *("-w", "1920", "-h", "1080", "-r", "60", "-R", "/run/ready"),
    ]
    assert unknown == []


def test_settings_become_flags_as_far_as_this_version_has_them(machine) -> None:
    gamescope = find("gamescope", machine().environment["PATH"], 10)
    wishes = GamescopeSettings.read(
        {"steam": True, "framerate_limit": 30, "wayland": True, "arguments": ["--hdr-enabled"]}
    )

    argv, unknown = command_line(gamescope, MODE, "/run/ready", wishes)

    more = ["--xwayland-count", "2", "--framerate-limit", "30", "--steam", "--hdr-enabled"]
    assert argv[-len(more) :] == more
    assert unknown == ["--expose-wayland"]


def test_a_gamescope_that_can_draw_the_pointer_is_told_to(machine) -> None:
    flag = f"--{POINTER_FLAG}"
    facts = machine(f"{HELP}  {flag}   draw the pointer\n")
    gamescope = find("gamescope", facts.environment["PATH"], 10)

    argv, _ = command_line(gamescope, MODE, "/run/ready", GamescopeSettings.read({}))

    assert gamescope.draws_pointer
    assert argv[-1] == flag


def test_a_running_gamescope_is_seen_to_draw_the_pointer() -> None:
    waits = [sys.executable, "-c", "print(flush=True); input()", f"--{POINTER_FLAG}"]
    with subprocess.Popen(waits, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as it:
        assert it.stdout is not None
        it.stdout.readline()
        assert _has_flag(it.pid, POINTER_FLAG)
        assert not _has_flag(os.getpid(), POINTER_FLAG)
        it.kill()


@pytest.mark.skipif(not Path("/usr/games/gamescope").exists(), reason="no gamescope of Debian's")
def test_debians_own_gamescope_is_refused_in_words() -> None:
    found = find("gamescope", os.environ["PATH"], 10)

    assert found.path == "/usr/games/gamescope"
    if lacking(found):
        assert "no headless backend" in lacking(found)


def test_vulkan_answers_whatever_the_machine_has() -> None:
    found = vulkan.hardware()

    assert found is None or all(name for name in found)
    assert not any("llvmpipe" in name for name in found or [])


@pytest.mark.parametrize(
    "said", ["", "nonsense", "{}", "[1]", '[{"id": 1, "info": 5}]', "[" * 10_000, "null"]
)
def test_a_pipewire_that_says_nonsense_is_a_failure_in_words(tmp_path, said) -> None:
    program = tmp_path / PROGRAM
    (tmp_path / "said").write_text(said)
    program.write_text(f"#!/bin/sh\nexec {shutil.which('cat')} {tmp_path}/said\n")
    program.chmod(0o755)

    try:
        assert gamescope_nodes(tmp_path, str(tmp_path)) == []
    except DriverFailed as error:
        assert "PipeWire" in str(error) or PROGRAM in str(error)
