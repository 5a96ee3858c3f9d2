"""Days and instants as files write them: year first or not at all, and a missing time zone is said, not hidden."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

REGION = ZoneInfo("Asia/Shanghai")
_DAY = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[T\s].*)?|(\d{4})(\d{2})(\d{2})(?:\.0)?"
)
_ZONE = re.compile(r"(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}|:\d{2}(?:\.\d+)?\s*[+-]\d{1,2})$", re.IGNORECASE)
# as Excel and Windows write the clock in Chinese
_HALF_DAY = re.compile(r"(上午|下午)\s*(\d{1,2}:\d{2}(?::\d{2})?)")
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})")
_CHINESE = str.maketrans({"年": "-", "月": "-", "日": " ", "时": ":", "分": ":", "秒": " ", "/": "-"})


def day(value: Any) -> date | None:
    """A civil day (Asia/Shanghai) from a date, an instant or text that names the year first; ``None`` if it is none.

    ``1/2/2024`` is none: two countries read it as two days.
    """
    if isinstance(value, datetime):  # pandas' Timestamp is one
        return None if pd.isna(value) else (value.astimezone(REGION) if value.tzinfo else value).date()
    if isinstance(value, date):
        return value
    text = str(value).strip()
    if "T" in text and _ZONE.search(text):
        at, _ = instants(pd.Series([text]))
        return None if pd.isna(at.iloc[0]) else at.iloc[0].tz_convert(REGION).date()
    found = _DAY.fullmatch(text)
    if not found:
        return None
    try:
        return date(*(int(g) for g in found.groups() if g is not None))
    except ValueError:
        return None


def instants(values: pd.Series, zone: str = "Asia/Shanghai") -> tuple[pd.Series, int]:
    """Times as UTC, and how many of them named no time zone and were taken as ``zone``.

    Epoch seconds and milliseconds are known by their 10 and 13 digits. What does not name its year first, a time of day
    alone for instance, is missing: completing it would invent a day.
    """
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values.dt.tz_convert("UTC"), 0
    if pd.api.types.is_datetime64_dtype(values.dtype):
        clock = values.notna() & (values != values.dt.normalize())
        return _local(values, zone), int(clock.sum())
    text = values.map(lambda v: v.isoformat() if isinstance(v, (datetime, date)) else v).astype("string").str.strip()
    epoch = text.str.fullmatch(r"\d{10}(\.\d+)?|\d{13}(\.0)?").fillna(False).astype(bool)
    dated = text.str.match(r"\d{4}[-/.年]\s*\d|\d{8}(T|$)").fillna(False).astype(bool) & ~epoch
    packed = text.str.fullmatch(r"(19|20)\d{12}").fillna(False).astype(bool)
    text = text.where(~packed, text.str.replace(_PACKED, r"\1-\2-\3 \4:\5:\6", regex=True))
    dated |= packed
    text = text.where(~dated, text.str.translate(_CHINESE).str.strip().str.rstrip(":"))
    text = text.where(
        ~dated, text.str.replace(_HALF_DAY, lambda m: f"{m[2]} {'AM' if m[1] == '上午' else 'PM'}", regex=True)
    )
    zoned = dated & text.str.contains(_ZONE).fillna(False).astype(bool)
    naive = dated & ~zoned
    out = pd.Series(pd.NaT, index=values.index, dtype="datetime64[us, UTC]")
    if epoch.any():
        number = pd.to_numeric(text[epoch])
        out[epoch] = pd.to_datetime(number.where(number < 1e11, number / 1000), unit="s", utc=True).astype(out.dtype)
    if zoned.any():
        out[zoned] = pd.to_datetime(text[zoned], format="mixed", errors="coerce", utc=True).astype(out.dtype)
    if naive.any():
        out[naive] = _local(_civil(text[naive]), zone).astype(out.dtype)
    clock = naive & out.notna() & text.str.contains(":").fillna(False).astype(bool)
    return out, int(clock.sum())


def _civil(text: pd.Series) -> pd.Series:
    """Text without a zone as civil times; one that the parser takes for a zone it knows (EST) is missing."""
    try:
        read = pd.to_datetime(text, format="mixed", errors="coerce")
    except (TypeError, ValueError):  # zones here and there
        read = pd.Series([pd.to_datetime(t, errors="coerce") for t in text], index=text.index, dtype=object)
    if pd.api.types.is_datetime64_dtype(read.dtype):
        return read
    return pd.Series([pd.NaT if t is pd.NaT or t.tzinfo else t for t in read], index=text.index, dtype="datetime64[us]")


def _local(values: pd.Series, zone: str) -> pd.Series:
    # an hour that summer time (1986-1991) repeated or left out names no instant
    return values.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC")
