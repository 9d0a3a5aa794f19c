"""Takes gamescope's place where none can run: its options, sockets, ready line, node, input.

Real are the PipeWire node (GStreamer's), the X server (Xvfb) and the server for emulated input
(libeis, where it is installed). What it draws is a test picture; nothing that starts on it is
seen. Options of its own begin with `--fake-`.
"""

import argparse
import ctypes
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

VERSION = "gamescope version 3.16.4 (a stand-in)"
USAGE = """usage: gamescope [options...] -- [command...]
  --help, --version, -W, --output-width, -H, --output-height, -w, --nested-width,
  -h, --nested-height, -r, --nested-refresh, -R, --ready-fd, -e, --steam,
  --xwayland-count, --expose-wayland, --framerate-limit
  --backend   select the backend: auto, drm, sdl, headless, wayland
"""
PR_SET_PDEATHSIG = 1


POINTER_USAGE = "  --pipewire-composite-cursor   draw the pointer into the stream"


def main() -> None:
    print(VERSION, file=sys.stderr)
    if sys.argv[1:] in (["--help"], ["--version"]):
        with_pointer = "FAKE_POINTER" in os.environ
        usage = f"{USAGE}{POINTER_USAGE}\n" if with_pointer else USAGE
        sys.exit(usage if sys.argv[1] == "--help" else 0)
    options = parse()
    runtime = Path(os.environ["XDG_RUNTIME_DIR"])
    if options.fake_exit is not None:
        sys.exit(options.fake_exit)
    if options.backend != "headless":
        sys.exit("only headless is played here")
    name, listener = listen(runtime)
    display = start_x()
    if not options.fake_no_input:
        start_input(runtime / f"{name}-ei", options)
    if not options.fake_mute:
        Path(options.ready_fd).write_text(options.fake_ready or f"{display} {name}\n")
    os.set_inheritable(listener.fileno(), True)
    show(options)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(add_help=False)
    for flags in (("-W", "--output-width"), ("-H", "--output-height")):
        parser.add_argument(*flags, type=int, required=True)
    for flags in (("-w", "--nested-width"), ("-h", "--nested-height"), ("-r", "--nested-refresh")):
        parser.add_argument(*flags, type=int, required=True)
    parser.add_argument("-R", "--ready-fd", required=True)
    parser.add_argument("-e", "--steam", action="store_true")
    parser.add_argument("--expose-wayland", action="store_true")
    parser.add_argument("--backend", required=True)
    parser.add_argument("--xwayland-count", type=int, default=1)
    parser.add_argument("--pipewire-composite-cursor", action="store_true")
    parser.add_argument("--framerate-limit", type=int, default=0)
    parser.add_argument("--fake-events", default=os.devnull)
    parser.add_argument("--fake-format", default="BGRx")
    parser.add_argument("--fake-pattern", default="ball")
    parser.add_argument("--fake-frames", type=int, default=-1)
    parser.add_argument("--fake-ready", default="")
    parser.add_argument("--fake-exit", type=int)
    parser.add_argument("--fake-mute", action="store_true")
    parser.add_argument("--fake-no-input", action="store_true")
    parser.add_argument("--fake-no-node", action="store_true")
    return parser.parse_args()


def listen(runtime: Path) -> tuple[str, socket.socket]:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    for number in itertools.count():
        path = runtime / f"gamescope-{number}"
        if not path.exists():
            listener.bind(str(path))
            listener.listen()
            return path.name, listener
    raise AssertionError


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def start_x() -> str:
    if shutil.which("Xvfb") is None:
        return ":99"
    reading, writing = os.pipe()
    argv = ["Xvfb", "-displayfd", str(writing), "-nolisten", "tcp", "-screen", "0", "640x480x24"]
    subprocess.Popen(argv, pass_fds=[writing], preexec_fn=die_with_parent)
    os.close(writing)
    with os.fdopen(reading) as said:
        return f":{said.readline().strip()}"


def start_input(path: Path, options: argparse.Namespace) -> None:
    try:
        from libei import eis
    except ImportError:
        return
    if not eis.is_available():
        return
    server = Path(__file__).with_name("eis_server.py")
    argv = [sys.executable, str(server), str(path), options.fake_events]
    # Its commands would come on standard input, which is /dev/null on a seat.
    subprocess.Popen(argv, preexec_fn=die_with_parent)
    deadline = time.monotonic() + 20
    while not path.is_socket() and time.monotonic() < deadline:
        time.sleep(0.01)


def show(options: argparse.Namespace) -> None:
    """Become the node's process: sockets and node belong to one process in the real thing, too."""
    if options.fake_no_node:
        signal.pause()
    size = f"width={options.output_width},height={options.output_height}"
    caps = f"video/x-raw,format={options.fake_format},{size},framerate={options.nested_refresh}/1"
    source = [f"pattern={options.fake_pattern}", f"num-buffers={options.fake_frames}"]
    argv = ["gst-launch-1.0", "-q", "videotestsrc", "is-live=true", *source, "!", caps, "!"]
    argv += ["pipewiresink", "mode=provide"]
    argv.append("stream-properties=p,media.class=Video/Source,node.name=gamescope")
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main()
