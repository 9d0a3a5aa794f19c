"""Box art for Moonlight: a PNG of at most 600x900, of a game's picture or drawn with its title.

Everything here takes a while and belongs into a thread.
"""

import colorsys
import logging
from functools import lru_cache
from hashlib import sha256
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont, ImageOps

from punktfunk.library.pictures import Picture

WIDTH_PX, HEIGHT_PX = 600, 900
FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
_GROUND = (24, 26, 30)
_INK = (245, 245, 245)
_FAINT = (245, 245, 245, 150)
_MARGIN_PX = 48
_FONT_SIZES_PX = (84, 72, 60, 50, 42, 36)
_MAX_LINES = 7

# The font inside Pillow knows Latin only.
_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSans-Regular.ttf",
    "DejaVuSans.ttf",
    "FreeSans.ttf",
)

log = logging.getLogger(__name__)


def portrait(picture: Picture) -> bytes | None:
    """Make box art of an upright picture; None when it cannot be decoded."""
    image = _decoded(picture)
    if image is None:
        return None
    image.thumbnail((WIDTH_PX, HEIGHT_PX))
    return _png(image)


def card(title: str, store: str, header: Picture | None = None) -> bytes:
    """Draw a card with the title, and with a horizontal picture above it if there is one."""
    image = _ground(title)
    draw = ImageDraw.Draw(image, "RGBA")
    banner = _decoded(header) if header else None
    top = 0
    if banner is not None:
        banner = ImageOps.contain(banner, (WIDTH_PX, HEIGHT_PX // 2))
        image.paste(banner, ((WIDTH_PX - banner.width) // 2, 0))
        top = banner.height
    _write_title(draw, title, top)
    draw.line(
        [(_MARGIN_PX, HEIGHT_PX - 110), (_MARGIN_PX + 72, HEIGHT_PX - 110)], fill=_FAINT, width=4
    )
    draw.text((_MARGIN_PX, HEIGHT_PX - 90), store, font=_font(30, store), fill=_FAINT, anchor="la")
    return _png(image)


def _decoded(picture: Picture) -> Image.Image | None:
    """Decode what the header has promised, and nothing larger or other than that."""
    try:
        with Image.open(BytesIO(picture.data), formats=[FORMATS[picture.media_type]]) as image:
            if image.size != (picture.width_px, picture.height_px):
                return None
            image.draft("RGB", (WIDTH_PX, HEIGHT_PX))
            layer = image.convert("RGBA")
    except Exception as error:  # decoders raise whatever they like at broken files
        log.info("a picture cannot be decoded: %r", error)
        return None
    ground = Image.new("RGBA", layer.size, _GROUND)
    ground.alpha_composite(layer)
    return ground.convert("RGB")


def _ground(title: str) -> Image.Image:
    """A quiet gradient; each title always has the same hue."""
    hue = sha256(title.encode(errors="replace")).digest()[0] / 256
    top, bottom = _rgb(hue, 0.55, 0.45), _rgb(hue + 0.08, 0.7, 0.13)
    return ImageOps.colorize(
        Image.linear_gradient("L").resize((WIDTH_PX, HEIGHT_PX)), black=top, white=bottom
    )


def _rgb(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _write_title(draw: ImageDraw.ImageDraw, title: str, top_px: int) -> None:
    width_px = WIDTH_PX - 2 * _MARGIN_PX
    room_px = HEIGHT_PX - 150 - top_px - _MARGIN_PX
    for size_px in _FONT_SIZES_PX:
        font = _font(size_px, title)
        lines = _lines(title, font, width_px)
        line_px = round(size_px * 1.25)
        if len(lines) <= _MAX_LINES and len(lines) * line_px <= room_px:
            break
    most = max(1, min(_MAX_LINES, room_px // line_px))
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1].rstrip() + "…"]
    at_px = top_px + _MARGIN_PX if top_px else (HEIGHT_PX - 110 - len(lines) * line_px) // 2
    for number, line in enumerate(lines):
        place = (_MARGIN_PX, at_px + number * line_px)
        draw.text(place, line, font=font, fill=_INK, anchor="la")


def _lines(text: str, font: ImageFont.FreeTypeFont, width_px: int) -> list[str]:
    """Break at spaces, and inside words that are wider than a line."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if font.getlength(joined) <= width_px:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if lines[-1] and font.getlength(lines[-1] + letter) > width_px:
                lines.append("")
            lines[-1] += letter
    return lines


def _font(size_px: int, text: str) -> ImageFont.FreeTypeFont:
    latin = all(ord(letter) < 0x250 for letter in text)
    return _plain_font(size_px) if latin else _wide_font(size_px)


@lru_cache
def _plain_font(size_px: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size_px)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow without FreeType"
    return font


@lru_cache
def _wide_font(size_px: int) -> ImageFont.FreeTypeFont:
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size_px)
        except OSError:
            continue
    return _plain_font(size_px)


def _png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
