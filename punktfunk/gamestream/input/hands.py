"""Keys, text, pointer, fingers and pens: docs/protocol/gamestream.md, section 6.5."""

from punktfunk.errors import ProtocolError
from punktfunk.gamestream.input.values import clamp, contact, unit
from punktfunk.model.input import (
    MAX_TEXT_CHARS,
    ButtonEvent,
    KeyEvent,
    Modifiers,
    PenButtons,
    PenEvent,
    PenTool,
    PointerButton,
    PointerMotion,
    PointerPosition,
    ScrollEvent,
    TextEvent,
    TouchEvent,
)
from punktfunk.model.keys import evdev_code
from punktfunk.wire.reader import Reader

_ROTATION_UNKNOWN = 0xFFFF
_TILT_UNKNOWN = 0xFF


def key(reader: Reader, *, pressed: bool) -> KeyEvent:
    flags = reader.u8()
    vk = reader.u16_le() & 0xFF
    modifiers = Modifiers(reader.u8() & 0x0F)
    return KeyEvent(
        vk=vk,
        evdev=evdev_code(vk),
        pressed=pressed,
        modifiers=modifiers,
        us_layout=not flags & 1,
    )


def text(reader: Reader) -> TextEvent:
    try:
        typed = reader.rest().decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolError("text is not UTF-8") from None
    if len(typed) > MAX_TEXT_CHARS or "\0" in typed:
        raise ProtocolError("text is too long or has a NUL", length=len(typed))
    return TextEvent(typed)


def motion(reader: Reader) -> PointerMotion:
    return PointerMotion(reader.i16_be(), reader.i16_be())


def position(reader: Reader) -> PointerPosition:
    x, y = reader.i16_be(), reader.i16_be()
    reader.skip(2)
    right, bottom = reader.i16_be(), reader.i16_be()
    if right <= 0 or bottom <= 0:
        raise ProtocolError("pointer position in an area of no size", right=right, bottom=bottom)
    return PointerPosition(clamp(x / right), clamp(y / bottom))


def button(reader: Reader, *, pressed: bool) -> ButtonEvent:
    number = reader.u8()
    try:
        return ButtonEvent(PointerButton(number), pressed)
    except ValueError:
        raise ProtocolError("unknown pointer button", number=number) from None


def scroll(reader: Reader) -> ScrollEvent:
    return ScrollEvent(vertical_120ths=reader.i16_be())


def horizontal_scroll(reader: Reader) -> ScrollEvent:
    return ScrollEvent(horizontal_120ths=reader.i16_be())


def touch(reader: Reader) -> TouchEvent:
    kind = contact(reader.u8())
    reader.skip(1)
    rotation_deg = _rotation(reader.u16_le())
    pointer_id = reader.u32_le()
    x, y, pressing, major, minor = (unit(reader) for _ in range(5))
    return TouchEvent(
        kind=kind,
        pointer_id=pointer_id,
        x=x,
        y=y,
        pressure=0.0 if kind.hovers else pressing,
        distance=pressing if kind.hovers else 0.0,
        contact_major=major,
        contact_minor=minor,
        rotation_deg=rotation_deg,
    )


def pen(reader: Reader) -> PenEvent:
    kind = contact(reader.u8())
    tool = reader.u8()
    buttons = PenButtons(reader.u8() & 0x07)
    reader.skip(1)
    x, y, pressing = (unit(reader) for _ in range(3))
    rotation_deg = _rotation(reader.u16_le())
    tilt_deg = reader.u8()
    reader.skip(1)
    return PenEvent(
        kind=kind,
        tool=PenTool(tool) if tool <= PenTool.ERASER.value else PenTool.UNKNOWN,
        buttons=buttons,
        x=x,
        y=y,
        pressure=0.0 if kind.hovers else pressing,
        distance=pressing if kind.hovers else 0.0,
        contact_major=unit(reader),
        contact_minor=unit(reader),
        rotation_deg=rotation_deg,
        tilt_deg=None if tilt_deg == _TILT_UNKNOWN else min(tilt_deg, 90),
    )


def _rotation(degrees: int) -> int | None:
    return None if degrees == _ROTATION_UNKNOWN else degrees % 360
