"""Days and instants as files write them: year first or not at all, and a missing time zone is said, not hidden."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
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

# what most devices write, looked at as one text, a line for each time: exact arithmetic is enough for these
_STAMPS = re.compile(
    r"(?:(?:19|20)\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-4]):?[0-5]\d)?\n)++", re.ASCII
)
_SLASHED = re.compile(r"((?:19|20)\d\d)/(\d\d?)/(\d\d?) (\d\d?):(\d\d)(?::(\d\d))?\n", re.ASCII)
_EPOCHS = re.compile(r"(?:\d{10}\n)++|(?:\d{13}\n)++", re.ASCII)
# civil time in China is eight hours ahead since its last summer time ended
_SETTLED = {"UTC": (np.datetime64("1900-01-01"), 0), REGION.key: (np.datetime64("1992-01-01"), 8 * 60)}


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
    at, assumed = _moments(values, zone)
    return pd.Series(pd.DatetimeIndex(at, copy=False).tz_localize("UTC"), index=values.index), assumed


def moments(values: pd.Series, zone: str = "Asia/Shanghai") -> tuple[np.ndarray, int]:
    """``instants`` as datetime64[us] of UTC, NaT where there is none."""
    if values.dtype.kind == "M":
        at, assumed = instants(values, zone)
        return at.dt.tz_localize(None).to_numpy().astype("datetime64[us]"), assumed
    return _moments(values, zone)


def _moments(values: pd.Series, zone: str) -> tuple[np.ndarray, int]:
    said = values.to_numpy()
    known = pd.notna(said)
    exact = _exact(said[known].tolist(), zone)
    if exact is None:
        at, assumed = _careful(values, zone)
        return at.dt.tz_localize(None).to_numpy(), assumed
    if known.all():
        return exact
    out = np.full(len(values), np.datetime64("NaT", "us"))
    out[known] = exact[0]
    return out, exact[1]


def _exact(said: list[Any], zone: str) -> tuple[np.ndarray, int] | None:
    """Times that all have one of the usual spellings as datetime64[us] of UTC, and how many named no zone; else None.

    Gives what ``_careful`` gives, a hundred times faster.
    """
    if not said:
        return np.empty(0, "datetime64[us]"), 0
    try:
        lines = "\n".join(said) + "\n"
    except TypeError:  # not text alone
        return None
    if _EPOCHS.fullmatch(lines):
        unit = "datetime64[s]" if len(said[0]) == 10 else "datetime64[ms]"
        return np.array(said).astype(np.int64).view(unit).astype("datetime64[us]"), 0
    if not _STAMPS.fullmatch(lines):
        said = [f"{y}-{m:0>2}-{d:0>2}T{h:0>2}:{n}:{s or '00'}" for y, m, d, h, n, s in _slashed(lines)]
        if not said:
            return None
    try:
        at, ends = _civil_parts(said, lines)
    except ValueError:  # a 30th of February
        return None
    return _shifted(at, ends, zone)


def _civil_parts(said: list[str], lines: str) -> tuple[np.ndarray, list[str]]:
    """Civil times as datetime64[us], and what stands behind each of them."""
    if lines.count("Z\n") == len(said):
        return np.array(lines.replace("Z\n", "\n").split("\n")[:-1], "datetime64[us]"), ["Z"] * len(said)
    ends = [text[19:].lstrip(".0123456789") for text in said]
    civil = [text[: len(text) - len(end)] for text, end in zip(said, ends, strict=True)]
    return np.array(civil, "datetime64[us]"), ends


def _slashed(lines: str) -> list[tuple[str, ...]]:
    """The parts of days with slashes and times of day, if every line is one."""
    parts = _SLASHED.findall(lines)
    return parts if len(parts) == lines.count("\n") and _SLASHED.sub("", lines) == "" else []


def _shifted(at: np.ndarray, ends: Sequence[str], zone: str) -> tuple[np.ndarray, int] | None:
    """Civil times as UTC, by the ends that name their zones; None where the offset of ``zone`` is not one and the same."""
    ahead = {end: _minutes(end) for end in set(ends) - {""}}
    assumed = ends.count("")
    if assumed:
        since, ahead[""] = _SETTLED.get(zone, (None, 0))
        if since is None or (at < since).any():
            return None
    if len(ahead) == 1:
        return at - np.timedelta64(ahead[ends[0]], "m"), assumed
    return at - np.array([ahead[end] for end in ends], "timedelta64[m]"), assumed


def _minutes(end: str) -> int:
    """How far ahead of UTC a zone such as Z, +08:00 or -0330 is."""
    if end == "Z":
        return 0
    minutes = int(end[1:3]) * 60 + int(end[-2:])
    return -minutes if end[0] == "-" else minutes


def _careful(values: pd.Series, zone: str) -> tuple[pd.Series, int]:
    """Times in whatever spelling, each by itself."""
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
        micros = [_micros(t) for t in text[epoch]]
        out[epoch] = pd.to_datetime(pd.Series(micros, index=text.index[epoch]), unit="us", utc=True).astype(out.dtype)
    if zoned.any():
        out[zoned] = pd.to_datetime(text[zoned], format="mixed", errors="coerce", utc=True).astype(out.dtype)
    if naive.any():
        out[naive] = _local(_civil(text[naive]), zone).astype(out.dtype)
    clock = naive & out.notna() & text.str.contains(":").fillna(False).astype(bool)
    return out, int(clock.sum())


def _micros(text: str) -> int:
    """Microseconds of epoch seconds or milliseconds, exactly; what is finer is left out."""
    whole, _, rest = text.partition(".")
    return int(whole) * 1000 if len(whole) == 13 else int(whole) * 1_000_000 + int(f"{rest:0<6}"[:6])


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
