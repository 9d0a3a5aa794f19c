"""Numbers, times and sizes as a person reads them, in the page's language."""

import datetime
import time

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal, format_percent

from punktfunk.console.language import _, locale
from punktfunk.model.clients import MAX_NAME_CHARS


def number(value: float, digits: int = 0) -> str:
    """With separators; at most so many digits after the point."""
    pattern = "#,##0" + ("." + "#" * digits if digits else "")
    return format_decimal(value, format=pattern, locale=locale())


def fixed(value: float, digits: int = 1) -> str:
    """With just so many digits, for columns and for figures that change under one's eyes."""
    return format_decimal(value, format="#,##0." + "0" * digits, locale=locale())


def percent(fraction: float, digits: int = 0) -> str:
    pattern = "#,##0" + ("." + "0" * digits if digits else "") + " %"
    return format_percent(fraction, format=pattern, locale=locale())


def ms(microseconds: float) -> str:
    """A duration in µs as milliseconds, such as `4.2 ms`."""
    return f"{fixed(microseconds / 1_000, 1)} ms"


def mbps(kbps: float) -> str:
    return f"{fixed(kbps / 1_000, 1)} Mbit/s"


def duration(seconds: float) -> str:
    """As a stopwatch shows it: `0:07`, `12:30`, `1:02:03`."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3_600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def ago(unix_s: float) -> str:
    """Such as `3 minutes ago`; `just now` within the last minute."""
    age_s = time.time() - unix_s
    if age_s < 60:
        return _("just now")
    delta = datetime.timedelta(seconds=-age_s)
    return format_timedelta(delta, add_direction=True, locale=locale())


def age(unix_s: float) -> str:
    """How long something has been going on, such as `3 minutes`."""
    delta = datetime.timedelta(seconds=max(1, int(time.time() - unix_s)))
    return format_timedelta(delta, locale=locale())


def moment(unix_s: float) -> str:
    """Date and time of this machine's clock and zone."""
    local = datetime.datetime.fromtimestamp(unix_s).astimezone()
    return format_datetime(local, "medium", locale=locale())


def day(unix_s: float) -> str:
    """Date of this machine's clock and zone."""
    return format_date(datetime.datetime.fromtimestamp(unix_s).astimezone(), locale=locale())


def apart(text: str) -> str:
    """A name from outside in a sentence without markup: short, and never turning it around."""
    short = text if len(text) <= MAX_NAME_CHARS else f"{text[:MAX_NAME_CHARS]}…"
    return f"\u2068{short}\u2069"


_ALL = (number, fixed, percent, ms, mbps, duration, ago, age, moment, day, apart)
FILTERS = {it.__name__: it for it in _ALL}
