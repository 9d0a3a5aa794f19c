"""The GPUs that Vulkan knows here. gamescope draws with nothing else."""

import ctypes
import struct

_LIBRARY = "libvulkan.so.1"
_INSTANCE_INFO = 1
_CPU = 4
_MOST_DEVICES = 16
_KIND_AT, _NAME_AT, _NAME_BYTES = 16, 20, 256
_PROPERTIES_BYTES = 4_096  # they are 824; longer is not wrong
_CREATE_INFO = struct.Struct("@IPIPIPIP")


def hardware() -> list[str] | None:
    """Names of the GPUs; drivers that draw on the CPU are left out. None without Vulkan."""
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    pointer = ctypes.c_void_p
    library.vkEnumeratePhysicalDevices.argtypes = [pointer] * 3
    library.vkGetPhysicalDeviceProperties.argtypes = [pointer] * 2
    library.vkDestroyInstance.argtypes = [pointer] * 2
    instance = pointer()
    create = ctypes.create_string_buffer(_CREATE_INFO.pack(_INSTANCE_INFO, 0, 0, 0, 0, 0, 0, 0))
    if library.vkCreateInstance(create, None, ctypes.byref(instance)) != 0:
        return []  # no driver at all
    try:
        count = ctypes.c_uint32(_MOST_DEVICES)
        devices = (pointer * _MOST_DEVICES)()
        found = library.vkEnumeratePhysicalDevices(instance, ctypes.byref(count), devices)
        if found < 0:
            return []
        return [
            name
            for kind, name in (_describe(library, device) for device in devices[: count.value])
            if kind != _CPU
        ]
    finally:
        library.vkDestroyInstance(instance, None)


def _describe(library: ctypes.CDLL, device: int | None) -> tuple[int, str]:
    properties = ctypes.create_string_buffer(_PROPERTIES_BYTES)
    library.vkGetPhysicalDeviceProperties(device, properties)
    (kind,) = struct.unpack_from("=I", properties.raw, _KIND_AT)
    name = properties.raw[_NAME_AT : _NAME_AT + _NAME_BYTES].partition(b"\0")[0]
    return kind, name.decode(errors="replace")
