"""Numbers, times and sizes as a person reads them, in the page's language."""

import datetime
import time

from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal, format_percent

from punktfunk.console.language import _, locale


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


def moment(unix_s: float) -> str:
    """Date and time of this machine's clock and zone."""
    local = datetime.datetime.fromtimestamp(unix_s).astimezone()
    return format_datetime(local, "medium", locale=locale())


FILTERS = {it.__name__: it for it in (number, fixed, percent, ms, mbps, duration, ago, moment)}
