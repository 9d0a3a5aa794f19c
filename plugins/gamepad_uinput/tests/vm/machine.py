"""A machine that lasts for one command: Debian's kernel in QEMU, on this machine's own files.

The kernel here may have neither uinput nor uhid and load no modules; Debian's has both. QEMU
boots it in software, with the root folder of this machine read-only under a layer that is
forgotten, so a test finds the interpreter, the packages and the checkout at their usual paths.
Needs qemu-system-x86, busybox-static and kmod; nothing of it touches this machine.
"""

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import attrs
from cpio import pack

PROGRAMS = ("qemu-system-x86_64", "apt-get", "apt-cache", "dpkg-deb", "depmod")
BUSYBOX = Path("/bin/busybox")
_BOOT_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
_BUILT = "built-1"

_INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc p /proc; mount -t sysfs s /sys; mount -t devtmpfs d /dev
for m in MODULES; do modprobe $m; done
o=trans=virtio,version=9p2000.L,msize=512000
mkdir -p /lower /up; mount -t 9p -o $o,cache=loose,ro root /lower
mount -t tmpfs -o size=1G t /up; mkdir /up/u /up/w
mount -t overlay -o lowerdir=/lower,upperdir=/up/u,workdir=/up/w o /mnt
mkdir -p /mnt/lib/modules /mnt/share
mount -t 9p -o $o,cache=loose,ro kmods /mnt/lib/modules; mount -t 9p -o $o share /mnt/share
for x in proc sys dev; do mount -o move /$x /mnt/$x; done
mkdir -p /mnt/dev/pts /mnt/dev/shm
chroot /mnt /bin/sh -c 'mount -t devpts p /dev/pts
  for x in /dev/shm /run; do mount -t tmpfs t $x; done
  cd /share; sh ./run.sh >out.log 2>&1; echo $? >rc; sync'
echo o >/mnt/proc/sysrq-trigger; sleep 5
"""


@attrs.frozen
class Outcome:
    status: int
    output: str


def missing() -> str:
    """Say what this machine lacks for the other one; empty when nothing."""
    lacking = [name for name in PROGRAMS if _found(name) is None]
    if not BUSYBOX.exists():
        lacking.append("busybox-static")
    return ", ".join(lacking)


def build(folder: Path) -> Path:
    """Fetch the kernel and make what it boots from, once. About 70 MB to download.

    Raises:
        subprocess.CalledProcessError: there is no such package, or no way to fetch it.
    """
    if (folder / _BUILT).exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    package = _kernel_package()
    _run("apt-get", "download", package, cwd=folder)
    (archive,) = folder.glob("*.deb")
    _run("dpkg-deb", "-x", str(archive), str(folder / "kernel"))
    archive.unlink()
    version = package.removeprefix("linux-image-")
    _run("depmod", "-b", str(folder / "kernel"), version)
    (folder / "vmlinuz").symlink_to(f"kernel/boot/vmlinuz-{version}")
    (folder / "initrd").write_bytes(_first_files(folder, version))
    (folder / _BUILT).touch()
    return folder


def run(folder: Path, script: str, share: Path, timeout_s: float) -> Outcome:
    """Boot, run a shell script as root in the folder `/share`, and switch off.

    Args:
        share: What the machine sees as `/share`, and may write to.

    Raises:
        subprocess.TimeoutExpired: it did not switch off in time; it is gone now.
    """
    (share / "run.sh").write_text(script)
    subprocess.run(_qemu(folder, share), timeout=timeout_s, check=True, stdin=subprocess.DEVNULL)
    output, status = share / "out.log", share / "rc"
    if not status.exists():
        return Outcome(99, (share / "console.log").read_text(errors="replace"))
    return Outcome(int(status.read_text()), output.read_text(errors="replace"))


def _qemu(folder: Path, share: Path) -> Sequence[str]:
    def folder_of(path: Path | str, tag: str, *more: str) -> tuple[str, str]:
        options = ("local", f"path={path}", f"mount_tag={tag}", "security_model=none", *more)
        return "-virtfs", ",".join(options)

    return (
        "qemu-system-x86_64",
        *("-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-smp", "2"),
        *("-m", "2048", "-kernel", str(folder / "vmlinuz"), "-initrd", str(folder / "initrd")),
        *("-append", "console=ttyS0 quiet panic=-1", "-nographic", "-no-reboot", "-nodefaults"),
        *("-serial", f"file:{share / 'console.log'}"),
        *folder_of("/", "root", "multidevs=remap", "readonly=on"),
        *folder_of(folder / "kernel" / "lib" / "modules", "kmods", "readonly=on"),
        *folder_of(share, "share"),
    )


def _kernel_package() -> str:
    depends = _run("apt-cache", "depends", "linux-image-amd64")
    found = re.search(r"Depends: (linux-image-\S+)", depends)
    if found is None:
        raise LookupError("no linux-image-amd64 in this machine's package lists")
    return found[1]


def _first_files(folder: Path, version: str) -> bytes:
    """What the kernel starts with: busybox, and the modules that reach the real files."""
    root = folder / "initrd.d"
    modules = Path("lib") / "modules" / version
    for place in ("bin", "proc", "sys", "dev", "mnt", modules):
        (root / place).mkdir(parents=True)
    shutil.copy(BUSYBOX, root / "bin" / "busybox")
    source = folder / "kernel" / modules
    for listing in source.glob("modules.*"):
        shutil.copy(listing, root / modules)
    for path in _with_needs(source / "modules.dep", _BOOT_MODULES):
        (root / modules / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / path, root / modules / path)
    init = root / "init"
    init.write_text(_INIT.replace("MODULES", " ".join(_BOOT_MODULES)))
    init.chmod(0o755)
    return pack(root)


def _with_needs(listing: Path, names: Sequence[str]) -> set[str]:
    """The files of some modules and of all that they need."""
    found = set()
    for line in listing.read_text().splitlines():
        path, _, needs = line.partition(":")
        if Path(path).name.partition(".")[0].replace("-", "_") in names:
            found |= {path, *needs.split()}
    return found


@functools.cache
def _found(name: str) -> str | None:
    return shutil.which(
        name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    )


def _run(name: str, *arguments: str, cwd: Path | None = None) -> str:
    program = _found(name) or name
    done = subprocess.run(
        [program, *arguments], cwd=cwd, check=True, capture_output=True, text=True
    )
    return done.stdout
