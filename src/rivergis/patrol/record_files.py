"""Files of patrol records: a platform's XLSX, XLS or CSV read through a file profile, with every row accounted for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from rivergis.errors import InputError, RuleError
from rivergis.intake import profile as profile_files
from rivergis.intake import sources, tables, times
from rivergis.intake.grids import Grid
from rivergis.patrol import record_values, records
from rivergis.patrol.record_values import plain
from rivergis.patrol.records import Header, Profile, Record

FOLDER = "record_fields"
SHANGHAI = ZoneInfo("Asia/Shanghai")
# serial days of Excel from 1954 to 2119: no other figure in a column of times is one
_SERIALS = (20_000, 80_000)
_SERIAL_ZERO = datetime(1899, 12, 30)
_CLOCK = re.compile(r"(上午|下午)?\s*(\d{1,2})[::时](\d{2})(?:[::分](\d{2})秒?|分)?")
_MOMENT = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[ T](\d{1,2}):(\d{2})(?::(\d{2}))?")
_SLACK_S = 60.0
_HELD = re.compile(r"^'(?=[=+\-@\t\r\n'])")


@dataclass(frozen=True)
class Row:
    """One row of a file: where it stands, and its record, or why it is set aside (``code``, ``said``), or what else it is."""

    sheet: str
    number: int
    kind: str
    """record, aside, or what is no record: heading, total, note, repeated, not_read."""
    record: Record | None = None
    code: str | None = None
    said: str = ""
    cells: dict[str, str] = field(default_factory=dict)
    """What the row said, field by field."""


@dataclass(frozen=True)
class RecordFile:
    """A file read through a profile: its rows below the headings, and what of it no field takes."""

    sha256: str
    rows: list[Row]
    unread: dict[str, list[str]]
    """Sheet -> headings that no field takes."""
    without_heading: list[str]
    """Sheets without a heading of the profile."""


class NoHeading(InputError):
    """No sheet of a file has a row of headings that the profile knows."""

    code, zh = "no_heading", "没有可识别的表头"


class _Aside(Exception):
    """A row that is no record as it stands: ``code``, and what was said."""

    def __init__(self, code: str, said: Any = "") -> None:
        super().__init__(code)
        self.code, self.said = code, plain(said)


def profiles(rules_dir: Path) -> list[str]:
    """Names of the record profiles there are."""
    return profile_files.names_in(rules_dir / FOLDER)


def load_profile(name: str, rules_dir: Path) -> Profile:
    """The record profile of that name; ``InputError`` lists those there are, ``RuleError`` says what is wrong in its file."""
    profile = records.profile_of(name, profile_files.body_of(name, rules_dir / FOLDER, "record"))
    try:
        ZoneInfo(profile.time_zone)
    except (ValueError, OSError) as error:
        raise RuleError(f"{name}.yaml: {profile.time_zone!r} is no time zone: write Asia/Shanghai or UTC.") from error
    return profile


def read(path: Path, profile: Profile, *, encoding: str | None = None, max_kmh: float) -> RecordFile:
    """Every row of a file as a record, set aside with a reason, or no record (读取平台巡河记录).

    Title rows, headings of one or two rows, merged cells, repeated headings, totals and notes are known; times without a zone
    are those of the profile. ``max_kmh``: a way faster than this has its unit wrong. ``NoHeading`` where no sheet has
    a heading of the profile.
    """
    grids, _ = tables.open_grids(path, encoding)
    rows: list[Row] = []
    unread: dict[str, list[str]] = {}
    headless: list[str] = []
    for grid in grids:
        header = records.find_header(grid.head(), profile)
        if header is None:
            headless.append(grid.name)
            continue
        unread[grid.name] = list(header.unread)
        rows += _rows(grid, header, profile, max_kmh)
    if not unread:
        raise _no_heading(path, profile, grids)
    return RecordFile(sources.sha256(path), _each_once(rows, profile), unread, headless)


def fitting(path: Path, candidates: list[Profile]) -> list[str]:
    """Which profiles find a heading in a file, the one with most fields first."""
    grids, _ = tables.open_grids(path)
    found = [
        (max((len(h.fields) for g in grids if (h := records.find_header(g.head(), p))), default=0), p.name)
        for p in candidates
    ]
    return [name for n, name in sorted(found, key=lambda f: (-f[0], f[1])) if n]


def _no_heading(path: Path, profile: Profile, grids: list[Grid]) -> NoHeading:
    wanted = [
        " or ".join(profile.columns[f][:3])
        for f in ("chief", "chief_code", "day", "started_at")
        if f in profile.columns
    ]
    first = next((" ".join(dict.fromkeys(map(plain, cells))) for g in grids for _, cells in g.head()), "nothing")
    return NoHeading(
        f"{path.name} has no row of headings that the profile {profile.name} knows (it needs columns such as {'; '.join(wanted)}; "
        f"the file begins with {first[:80]!r}): choose another --profile or add the headings to it.",
        file=str(path),
    )


def _rows(grid: Grid, header: Header, profile: Profile, max_kmh: float) -> Iterator[Row]:
    for number, cells in grid.filled():
        if number <= header.rows[-1]:
            continue
        kind = records.kind_of(cells, header)
        if kind == "blank":
            continue
        said = {name: plain(cells[i]) for name, i in header.fields.items() if i < len(cells) and plain(cells[i])}
        if kind != "record":
            told = {str(i): plain(c) for i, c in enumerate(cells) if plain(c)}
            yield Row(grid.name, number, kind, said=" ".join(dict.fromkeys(told.values()))[:200], cells=said or told)
            continue
        try:
            record = _record(cells, header, profile, max_kmh)
        except _Aside as error:
            yield Row(grid.name, number, "aside", code=error.code, said=error.said, cells=said)
        else:
            yield Row(grid.name, number, "record", record, cells=said)


def _each_once(rows: list[Row], profile: Profile) -> list[Row]:
    """Rows that say the same again are repeated; rows of one number that say different things are all set aside.

    Two equal rows without number and hour may be two patrols of a day: the second is set aside.
    """
    told: dict[str, set[str]] = {}
    keyed = [(row, records.key_of(row.record, profile) if row.record else None) for row in rows]
    for row, key in keyed:
        if row.record is not None and key is not None:
            told.setdefault(key, set()).add(str(row.record.content()))
    out, met = [], set()
    for row, key in keyed:
        if key is not None and len(told[key]) > 1:
            row = replace(row, kind="aside", record=None, code="number_twice", said=key)
        elif key is not None and key in met:
            row = _again(row)
        met.add(key)
        out.append(row)
    return out


def _again(row: Row) -> Row:
    """A row that says what an earlier one said."""
    r = row.record
    if r is not None and not r.external_id and r.started_at is None:
        return replace(row, kind="aside", record=None, code="perhaps_known", said=f"{r.chief or r.chief_code}, {r.day}")
    return replace(row, kind="repeated", record=None)


def _record(cells: list[Any], header: Header, profile: Profile, max_kmh: float) -> Record:
    def get(name: str) -> Any:
        return records.cell(cells, header, name)

    def text(name: str) -> str:
        return _HELD.sub("", plain(get(name)))

    if plain(get("valid")).casefold() in profile.not_valid and plain(get("valid")):
        raise _Aside("not_valid", get("valid"))
    day, start, end = _when(get("day"), get("started_at"), get("ended_at"), profile.time_zone)
    span = (end - start).total_seconds() if start and end else None
    unit = {f: header.units.get(f) or profile.units.get(f) for f in ("duration", "length")}
    seconds = _duration(get("duration"), unit["duration"], span)
    if start and end is None and seconds is not None:
        end = start + timedelta(seconds=seconds)
    metres = _length(get("length"), unit["length"])
    pace_s = seconds if seconds is not None else span
    if metres and pace_s is not None and metres > max_kmh / 3.6 * max(pace_s, 1.0):
        raise _Aside("too_fast", f"{get('length')}, {get('duration') or ''}")
    problems = record_values.count(get("problems"))
    if problems is None and plain(get("problems")):
        raise _Aside("problems_unreadable", get("problems"))
    named = ("chief", "chief_code", "title", "unit", "unit_code", "river", "river_code", "reach", "note", "external_id")
    return Record(
        day=day,
        started_at=start,
        ended_at=end,
        seconds=seconds if seconds is not None else span,
        metres=metres,
        problems=problems,
        **{name: text(name) for name in named},
    )


def _duration(value: Any, unit: str | None, span_s: float | None) -> float | None:
    """Whole seconds as said; set aside where they cannot be read, or are longer than from start to end."""
    if not plain(value) or plain(value) in ("-", "—", "/"):
        return None
    seconds = record_values.duration_s(value, unit, span_s)
    if seconds is None:
        raise _Aside("duration_unreadable", value)
    if span_s is not None and seconds > span_s + _SLACK_S:
        raise _Aside("duration_contradicts", value)
    return float(round(seconds))


def _length(value: Any, unit: str | None) -> float | None:
    if not plain(value) or plain(value) in ("-", "—", "/"):
        return None
    metres = record_values.length_m(value, unit)
    if metres is None:
        raise _Aside("length_unreadable", value)
    return round(metres, 3)


# ---- when ----------------------------------------------------------------------------------------------------------------


def _when(day: Any, start: Any, end: Any, zone: str) -> tuple[date, datetime | None, datetime | None]:
    """Civil day (Asia/Shanghai), start and end of a patrol; set aside where they cannot be read or contradict each other."""
    on = _day(day)
    started, start_clock = _moment(start, on, zone)
    if started is None and plain(start) and on is None:
        on = _day(start)  # a day alone in the column of the start
        if on is None:
            raise _Aside("time_unreadable", start)
    elif started is None and plain(start) and not start_clock and _day(start) != on:
        raise _Aside("time_unreadable", start)
    own = started.astimezone(SHANGHAI).date() if started else on
    if own is None:
        raise _Aside("time_unreadable" if plain(day) else "time_missing", day)
    if on is not None and own != on:
        raise _Aside("day_contradicts", f"{plain(day)}, {plain(start)}")
    ended, end_clock = _moment(end, own, zone)
    if ended is None and plain(end) and _day(end) is None:
        raise _Aside("time_unreadable", end)
    if started and ended and ended < started:
        if not (start_clock and end_clock):
            raise _Aside("ends_before", f"{plain(start)} – {plain(end)}")
        ended += timedelta(days=1)  # hours alone: the patrol went past midnight
    return own, started, ended if started else None


def _day(value: Any) -> date | None:
    serial = _serial(value)
    if serial is not None:
        return serial.date()
    return times.day(value if isinstance(value, (datetime, date)) else plain(value)) if plain(value) else None


def _moment(value: Any, on: date | None, zone: str) -> tuple[datetime | None, bool]:
    """A moment with its zone, and whether the cell named a time of day only; None where it is empty, a day only, or unreadable."""
    if not plain(value):
        return None, False
    clock = _clock(value)
    if clock is not None:
        return (datetime.combine(on, clock, ZoneInfo(zone)), True) if on else (None, True)
    serial = _serial(value)
    value = serial if serial is not None else value
    if isinstance(value, datetime):
        if value.time() == time(0) and value.tzinfo is None:
            return None, False
        return (value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))), False
    text = plain(value)
    if found := _MOMENT.fullmatch(text):
        return _of_parts(found, zone), False
    if not re.search(r"\d[::时T]\s?\d|\d{10,}", text):
        return None, False
    at, _ = times.instants(pd.Series([re.sub(r"(\d{4})\.(\d{1,2})\.(\d{1,2})", r"\1-\2-\3", text)]), zone)
    return (None if pd.isna(at.iloc[0]) else at.iloc[0].to_pydatetime().astimezone(ZoneInfo(zone))), False


def _of_parts(found: re.Match[str], zone: str) -> datetime | None:
    """The usual way to write a moment, which need not be searched for."""
    try:
        return datetime(*(int(g or 0) for g in found.groups()), tzinfo=ZoneInfo(zone))  # type: ignore[misc, arg-type]
    except ValueError:
        return None


def _clock(value: Any) -> time | None:
    """A time of day alone: 9:05, 下午 2:30, a cell that Excel shows as an hour."""
    if isinstance(value, time):
        return value
    if isinstance(value, datetime):
        return value.time() if value.year < 1901 else None
    found = _CLOCK.fullmatch(plain(value)) if isinstance(value, str) else None
    if found is None:
        return None
    hour = int(found[2]) + (12 if found[1] == "下午" and int(found[2]) < 12 else 0)
    try:
        return time(hour, int(found[3]), int(found[4] or 0))
    except ValueError:
        return None


def _serial(value: Any) -> datetime | None:
    """A moment that Excel holds as days since 1900 and nobody formatted."""
    text = plain(value)
    if (
        isinstance(value, bool)
        or not re.fullmatch(r"\d{5}(\.\d+)?", text)
        or not _SERIALS[0] <= float(text) < _SERIALS[1]
    ):
        return None
    return _SERIAL_ZERO + timedelta(seconds=round(float(text) * 86_400))
