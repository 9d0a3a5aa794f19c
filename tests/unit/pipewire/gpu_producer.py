"""A program that shows pictures on PipeWire in GPU memory, as a compositor does.

`python gpu_producer.py JSON`: `formats` it offers, each `[pixels, modifiers]` (none of them for
CPU memory), `memory` to make DMA-BUFs of: `udmabuf`, `vgem`, or `memfd`, which is none but goes
the same way. Pixels are the picture's number, 17, 201 and 99, as bytes in this order.
"""

import ctypes
import fcntl
import json
import mmap
import os
import struct
import sys
import time
from pathlib import Path

from punktfunk.pipewire import library, pods
from punktfunk.pipewire.stream import connect

MEM_FD, DMA_BUF, HEADER = 2, 3, 1
OUTPUT, DRIVER, ALLOC_BUFFERS = 1, 1 << 3, 1 << 8
FORMAT, ENUM_FORMAT, BUFFERS, META = 4, 3, 5, 6
MODIFIER = 0x2_0002
BUFFER_COUNT, STEP_S = 6, 1 / 60


def udmabuf(size: int) -> int:
    """A DMA-BUF of ordinary memory."""
    fd = os.memfd_create("picture", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
    device = os.open("/dev/udmabuf", os.O_RDWR)
    try:
        return fcntl.ioctl(device, 0x4018_7542, struct.pack("=IIQQ", fd, 1, 0, size))
    finally:
        os.close(device)
        os.close(fd)


def vgem(size: int) -> int:
    """A DMA-BUF of the kernel's GPU that is none."""
    device = os.open("/dev/dri/card0", os.O_RDWR)
    try:
        dumb = bytearray(struct.pack("=IIIIIIQ", 1, size, 8, 0, 0, 0, 0))
        fcntl.ioctl(device, 0xC020_64B2, dumb)
        handle = struct.unpack_from("=I", dumb, 16)[0]
        shared = bytearray(struct.pack("=IIi", handle, os.O_CLOEXEC | os.O_RDWR, 0))
        fcntl.ioctl(device, 0xC00C_642D, shared)
        return struct.unpack_from("=i", shared, 8)[0]
    finally:
        os.close(device)


def memfd(size: int) -> int:
    fd = os.memfd_create("picture", os.MFD_CLOEXEC)
    os.ftruncate(fd, size)
    return fd


class Producer:
    def __init__(self, wanted: dict) -> None:
        self.width, self.height = wanted.get("size", (320, 200))
        self.stride = 4 * self.width + wanted.get("padding", 0)
        self.offset = wanted.get("offset", 0)
        self.size = -(-(self.offset + self.stride * self.height) // 4_096) * 4_096
        self.formats = wanted["formats"]
        self.says_size = wanted.get("says_size", True)
        self.make = {"udmabuf": udmabuf, "vgem": vgem, "memfd": memfd}[wanted["memory"]]
        self.mapped: dict[int, mmap.mmap] = {}
        self.pw = library.load()
        self.number = 0

    def format(self, pixels: int, modifiers: list[int], *, fixed: bool = False) -> bytes:
        any_rate = pods.fraction(0, 1), pods.fraction(0, 1), pods.fraction(1_000, 1)
        layouts = []
        if modifiers:
            longs = [pods.long(it) for it in modifiers]
            layouts = [(MODIFIER, longs[0] if fixed else pods.one_of(*longs))]
        flags = pods.MANDATORY if fixed else pods.MANDATORY | pods.DONT_FIXATE
        return pods.build(
            0x4_0003,
            ENUM_FORMAT,
            (
                (1, pods.identifier(2)),
                (2, pods.identifier(1)),
                (0x2_0001, pods.identifier(pixels)),
                *layouts,
                (0x2_0003, pods.rectangle(self.width, self.height)),
                (0x2_0004, pods.fraction(0, 1)),
                (0x2_0005, pods.between(*any_rate)),
            ),
            {MODIFIER: flags},
        )

    def on_param(self, number: int, pod: bytes) -> None:
        if number != FORMAT:
            return
        agreed = pods.read_object(pod)
        modifier = agreed.get(MODIFIER)
        where = pod.find(struct.pack("=II", MODIFIER, pods.MANDATORY | pods.DONT_FIXATE))
        if modifier is not None and where >= 0:  # it is ours to choose one
            print("chose", modifier, flush=True)
            self.update(self.format(agreed[0x2_0001], [modifier], fixed=True), *self.offered())
            return
        kinds = 1 << DMA_BUF if modifier is not None else 1 << MEM_FD
        properties = (
            (1, pods.between(*(pods.integer(it) for it in (BUFFER_COUNT, 2, 16)))),
            (2, pods.integer(1)),
            (3, pods.integer(self.size)),
            (4, pods.integer(self.stride)),
            (6, pods.choice(pods.CHOICE_FLAGS, pods.integer(kinds))),
        )
        header = pods.build(0x4_0005, META, ((1, pods.identifier(1)), (2, pods.integer(32))))
        self.update(pods.build(0x4_0004, BUFFERS, properties), header)

    def offered(self) -> list[bytes]:
        return [self.format(pixels, modifiers) for pixels, modifiers in self.formats]

    def update(self, *params: bytes) -> None:
        array, _kept = as_array(params)
        self.pw.pw_stream_update_params(self.stream, array, len(params))

    def on_add(self, address: int) -> None:
        data = data_of(address)
        is_gpu = bool(data.type & 1 << DMA_BUF)
        data.type = DMA_BUF if is_gpu else MEM_FD
        data.flags, data.mapoffset, data.maxsize = 3, 0, self.size
        data.fd = self.make(self.size) if is_gpu else memfd(self.size)
        self.mapped[address] = mmap.mmap(data.fd, self.size)

    def on_remove(self, address: int) -> None:
        self.mapped.pop(address).close()
        os.close(data_of(address).fd)

    def show(self) -> None:
        self.pw.pw_thread_loop_lock(self.loop)
        address = self.pw.pw_stream_dequeue_buffer(self.stream)
        if address:
            self.number += 1
            row = bytes((self.number & 0xFF, 17, 201, 99)) * self.width
            padded = row + b"\xee" * (self.stride - len(row))
            begin, end = self.offset, self.offset + self.stride * self.height
            self.mapped[address][begin:end] = padded * self.height
            chunk = data_of(address).chunk.contents
            chunk.offset, chunk.stride, chunk.flags = self.offset, self.stride, 0
            chunk.size = self.stride * self.height if self.says_size else 0
            for header in (it for it in metas_of(address) if it.type == HEADER):
                ctypes.memset(header.data, 0, header.size)
            self.pw.pw_stream_queue_buffer(self.stream, address)
        self.pw.pw_thread_loop_unlock(self.loop)

    def run(self) -> None:
        pw = self.pw
        self.loop = pw.pw_thread_loop_new(b"producer", None)
        context = pw.pw_context_new(pw.pw_thread_loop_get_loop(self.loop), None, 0)
        pw.pw_thread_loop_lock(self.loop)
        fd = connect(Path(os.environ["PIPEWIRE_RUNTIME_DIR"]) / "pipewire-0")
        core = pw.pw_context_connect_fd(context, fd, None, 0)
        properties = b"{ media.class=Video/Source node.name=source }"
        self.stream = pw.pw_stream_new(core, b"source", pw.pw_properties_new_string(properties))

        def on_param(_: object, number: int, pod: int | None) -> None:
            if pod:
                size = int.from_bytes(ctypes.string_at(pod, 4), "little")
                self.on_param(number, ctypes.string_at(pod, 8 + size))

        events = library.StreamEvents(
            version=library.StreamEvents.VERSION,
            param_changed=library.ParamChanged(on_param),
            add_buffer=library.BufferEvent(lambda _, address: self.on_add(address)),
            remove_buffer=library.BufferEvent(lambda _, address: self.on_remove(address)),
        )
        hook = library.Hook()
        pw.pw_stream_add_listener(self.stream, ctypes.byref(hook), ctypes.byref(events), None)
        array, _kept = as_array(self.offered())
        pw.pw_stream_connect(
            *(self.stream, OUTPUT, 0xFFFF_FFFF, DRIVER | ALLOC_BUFFERS, array, len(self.formats))
        )
        pw.pw_thread_loop_start(self.loop)
        pw.pw_thread_loop_unlock(self.loop)
        while True:
            self.show()
            time.sleep(STEP_S)


def as_array(params: object) -> tuple[object, object]:
    buffers = [ctypes.create_string_buffer(pod, len(pod)) for pod in params]
    return (ctypes.c_void_p * len(buffers))(*map(ctypes.addressof, buffers)), buffers


def buffer_of(address: int) -> library.SpaBuffer:
    return ctypes.cast(address, ctypes.POINTER(library.Buffer)).contents.buffer.contents


def data_of(address: int) -> library.Data:
    return buffer_of(address).datas[0]


def metas_of(address: int) -> list[library.Meta]:
    buffer = buffer_of(address)
    return [buffer.metas[index] for index in range(buffer.n_metas)]


if __name__ == "__main__":
    Producer(json.loads(sys.argv[1])).run()
