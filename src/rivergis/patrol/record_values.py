"""Values of patrol records as platforms write them: durations in every spelling, ways in kilometres or metres.

Nothing is guessed: a figure whose unit nobody states is read only where start and end of the patrol tell it.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, time, timedelta
from typing import Any

DURATION_UNITS: dict[str, float] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "秒", "秒钟"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes", "m", "分", "分钟", "′", "'"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "时", "小时", "钟头"), 3600.0),
    **dict.fromkeys(("d", "day", "days", "天"), 86_400.0),
}
LENGTH_UNITS: dict[str, float] = {
    **dict.fromkeys(("m", "米", "公尺"), 1.0),
    **dict.fromkeys(("km", "公里", "千米"), 1000.0),
}
_NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+")
_PARTS = re.compile(r"(\d+(?:\.\d+)?)\s*([^\d\s.]+)\s*")
_CLOCK = re.compile(r"(\d{1,3}):(\d{2}):(\d{2})(?:\.\d+)?")
_SHORT_CLOCK = re.compile(r"(\d{1,3}):(\d{2})")
_ISO = re.compile(r"pt(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")
# Excel shows a duration as a moment of its first days
_EXCEL_ZERO = datetime(1899, 12, 31)
_AGREES_S, _AGREES_SHARE = 60.0, 0.05
_DAY_S = 86_400.0


def plain(value: Any) -> str:
    """A cell as text: full-width figures and letters made ordinary, blanks around taken off; '' for an empty one."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(unicodedata.normalize("NFKC", str(value)).split())


def duration_s(value: Any, unit: str | None = None, span_s: float | None = None) -> float | None:
    """Seconds of a duration (时长): ``35分12秒``, ``0:35:12``, ``35.2 min``, 2112 with the unit of its column; None = not readable.

    ``unit``: what heading or profile state, a key of ``DURATION_UNITS``. ``span_s``: seconds from start to end; it decides
    between readings of ``35:12`` and of figures without a unit where it agrees with one of them only.
    """
    if isinstance(value, timedelta):
        return _in_a_day(value.total_seconds(), span_s)
    if isinstance(value, datetime):
        return _in_a_day((value - _EXCEL_ZERO).total_seconds(), span_s) if value.year < 1901 else None
    if isinstance(value, time):
        return float(value.hour * 3600 + value.minute * 60 + value.second)
    text = plain(value).casefold().replace("′′", "秒").replace('"', "秒")
    if found := _CLOCK.fullmatch(text):
        return float(int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3]))
    if found := _SHORT_CLOCK.fullmatch(text):
        a, b = int(found[1]), int(found[2])
        return _agreeing([a * 3600 + b * 60, a * 60 + b], span_s)
    if _NUMBER.fullmatch(text):
        figure = float(text.replace(",", ""))
        return figure * DURATION_UNITS[unit] if unit else _agreeing([figure * f for f in (1, 60, 3600, _DAY_S)], span_s)
    return _in_words(text)


def _in_a_day(seconds: float, span_s: float | None) -> float | None:
    """A duration typed into Excel: 35:12 becomes 35 hours, and was meant as minutes where the span says so."""
    return seconds if 0 <= seconds < _DAY_S else _agreeing([seconds, seconds / 60], span_s)


def _agreeing(readings: list[float], span_s: float | None) -> float | None:
    """The one reading that agrees with the span from start to end; equal readings are one."""
    if span_s is None:
        return 0.0 if set(readings) == {0.0} else None
    near = {r for r in readings if abs(r - span_s) <= max(_AGREES_S, _AGREES_SHARE * span_s)}
    return float(near.pop()) if len(near) == 1 else None


def _in_words(text: str) -> float | None:
    """``1小时5分``, ``35分12秒``, ``1h 5m``, ``PT35M12S``: every figure with its unit, each unit once, large before small."""
    if (iso := _ISO.fullmatch(text)) and any(iso.groups()):
        return sum(float(g) * f for g, f in zip(iso.groups(), (3600, 60, 1), strict=True) if g)
    parts = _PARTS.findall(text)
    if not parts or _PARTS.sub("", text).strip():
        return None
    factors = [DURATION_UNITS.get(word.strip()) for _, word in parts]
    known = [f for f in factors if f is not None]
    if len(known) < len(factors) or known != sorted(set(known), reverse=True):
        return None
    return sum(float(n) * f for (n, _), f in zip(parts, known, strict=True))


def length_m(value: Any, unit: str | None = None) -> float | None:
    """Metres of a way (里程): ``1.2公里``, ``1,200 米``, 1.2 with the unit of its column; None = not readable or without a unit."""
    text = plain(value).casefold()
    found = _NUMBER.match(text)
    if not found:
        return None
    said = text[found.end() :].strip() or unit
    factor = LENGTH_UNITS.get(said) if said else None
    return None if factor is None else float(found[0].replace(",", "")) * factor


def count(value: Any) -> int | None:
    """A whole number of things (问题数): 3, ``3个``, ``无`` = 0; None = not readable."""
    text = plain(value)
    if text in ("无", "没有", "否", "-", "—", "/"):
        return 0
    found = re.fullmatch(r"(\d{1,6})(?:\.0+)?\s*(?:个|处|条|件|起)?", text)
    return int(found[1]) if found else None
