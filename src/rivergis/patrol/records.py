"""Records of patrols without geometry (平台巡河记录): who, when, how long, how far, as a platform's table has them.

A file profile says how a platform calls its columns and in which units it counts; a row is a record, set aside with a
reason, or no record at all (title, repeated heading, total, note), and every one of them is accounted for.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from rivergis.errors import RuleError
from rivergis.patrol.record_values import DURATION_UNITS, LENGTH_UNITS, plain

FIELDS = (
    "external_id", "chief_code", "chief", "title", "unit_code", "unit", "river_code", "river", "reach", "day", "started_at",
    "ended_at", "duration", "length", "problems", "valid", "note",
)  # fmt: skip
# what a row must tell to be a record: one of each
_NEEDED = (("chief", "chief_code"), ("day", "started_at"))
_TOLD = ("external_id", "day", "started_at", "ended_at", "duration", "length")
# who made a table and what it is about, in a line of its own: 填报人:…, 注:…
_ABOUT = re.compile(
    r"(填|制表|审核|复核|统计|单位|注|说明|备注|负责|联系|打印|导出|数据|来源|截至|日期|时间)[^:]{0,12}:"
)
_TOTALS = ("合计", "总计", "小计", "共计", "累计", "平均", "total", "sum")
_WRITTEN = {"duration": ("words", "clock", "min", "s"), "length": ("km", "m")}
_HEAD_ROWS = 60
_UNIT_AFTER = re.compile(r"^(.*?)[(\[【/]([^()\[\]【】/]+)[)\]】]?$")


@dataclass(frozen=True)
class Writing:
    """How a profile writes such a file."""

    title: str
    columns: tuple[tuple[str, str], ...]
    """Heading and field, in order; the field ``number`` counts the rows."""
    time: str = "%Y-%m-%d %H:%M:%S"
    duration: str = "words"
    length: str = "m"
    total: str | None = None
    """Word of a last row with sums; None = none is written."""
    encoding: str = "gb18030"
    """Of CSV files."""


@dataclass(frozen=True)
class Profile:
    """A platform's table: names of columns, units, time zone, what makes a record the same, and how we write it."""

    name: str
    about: str
    columns: Mapping[str, tuple[str, ...]]
    """Field -> headings, the first that is there is read."""
    time_zone: str = "Asia/Shanghai"
    units: Mapping[str, str] = field(default_factory=dict)
    """``duration`` and ``length``: unit where neither cell nor heading states one."""
    key: tuple[str, ...] = ()
    """Fields that make a record the same where it has no number of its own; none: all of them."""
    not_valid: tuple[str, ...] = ("否", "无效", "不合格", "n", "no", "false", "0")
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What a person has decided: ``chief`` and ``river`` -> name as written -> code."""
    write: Writing | None = None


@dataclass(frozen=True)
class Record:
    """One patrol as a platform tells it; times with their zone, ``seconds`` and ``metres`` as said, never proven coverage."""

    day: date
    chief: str = ""
    chief_code: str = ""
    title: str = ""
    unit: str = ""
    unit_code: str = ""
    river: str = ""
    river_code: str = ""
    reach: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: float | None = None
    metres: float | None = None
    problems: int | None = None
    note: str = ""
    external_id: str = ""

    def content(self) -> dict[str, Any]:
        """Everything it tells, as JSON-ready values that do not depend on how they were written."""
        out = {k: v for k, v in vars(self).items() if v not in (None, "")}
        for name in ("started_at", "ended_at"):
            if name in out:
                out[name] = round(out[name].timestamp())
        return {k: v.isoformat() if isinstance(v, date) else v for k, v in out.items()}


def key_of(record: Record, profile: Profile) -> str:
    """What makes a record the same when it is delivered again: its number, else a hash of its key columns, else of all of it."""
    if record.external_id:
        return record.external_id
    content = record.content()
    wanted = {"duration": "seconds", "length": "metres"}
    parts = [wanted.get(k, k) for k in profile.key] or sorted(content)
    body = json.dumps([[k, content.get(k)] for k in parts], ensure_ascii=False)
    return "row:" + hashlib.sha256(body.encode()).hexdigest()[:32]


def profile_of(name: str, body: Any) -> Profile:
    """A profile from the content of its file; ``RuleError`` says what is wrong in it."""
    known = {"about", "columns", "time_zone", "units", "key", "not_valid", "names", "write"}
    if (
        not isinstance(body, dict)
        or not {"about", "columns"} <= set(body) <= known
        or not isinstance(body["columns"], dict)
    ):
        raise RuleError(
            f"{name}.yaml: a profile of records has 'about' and 'columns' and may have {', '.join(sorted(known))}."
        )
    _known_fields(name, "columns", body["columns"])
    columns = {k: tuple(str(v) for v in (n if isinstance(n, list) else [n])) for k, n in body["columns"].items()}
    for one in _NEEDED:
        if not set(one) & set(columns):
            raise RuleError(
                f"{name}.yaml: no column for {' or '.join(one)}: without it a row is no record of a patrol."
            )
    _known_fields(name, "key", body.get("key") or [])
    units = body.get("units") or {}
    for what, table in (("duration", DURATION_UNITS), ("length", LENGTH_UNITS)):
        if what in units and units[what] not in table:
            raise RuleError(f"{name}.yaml: units.{what} = {units[what]!r} is none of {', '.join(table)}.")
    more = {k: body[k] for k in ("time_zone",) if k in body}
    if "not_valid" in body:
        more["not_valid"] = tuple(plain(w).casefold() for w in body["not_valid"])
    return Profile(
        name, str(body["about"]), columns, units=units, key=tuple(body.get("key") or ()),
        names=body.get("names") or {}, write=_writing(name, body.get("write")), **more,
    )  # fmt: skip


def _known_fields(name: str, part: str, fields: Any) -> None:
    wrong = [f for f in fields if f not in FIELDS]
    if wrong:
        raise RuleError(f"{name}.yaml: {part} names {wrong[0]!r}, which is none of {', '.join(FIELDS)}.")


def _writing(name: str, body: Any) -> Writing | None:
    if body is None:
        return None
    columns = body.get("columns") if isinstance(body, dict) else None
    if not isinstance(columns, dict) or "title" not in body or set(body) - {*Writing.__dataclass_fields__}:
        raise RuleError(
            f"{name}.yaml: 'write' needs 'title' and 'columns' (heading: field) and may have {', '.join(Writing.__dataclass_fields__)}."
        )
    _known_fields(name, "write.columns", [f for f in columns.values() if f != "number"])
    for what, allowed in _WRITTEN.items():
        if body.get(what, allowed[0]) not in allowed:
            raise RuleError(f"{name}.yaml: write.{what} = {body[what]!r} is none of {', '.join(allowed)}.")
    return Writing(**{**body, "columns": tuple((str(h), str(f)) for h, f in columns.items())})


# ---- what the rows of a table are ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Header:
    """Where the fields of a table stand: row numbers of the heading, field -> position, units that the headings state."""

    rows: tuple[int, ...]
    fields: Mapping[str, int]
    units: Mapping[str, str]
    texts: Mapping[int, str]
    """Position -> heading as compared, to know a repeated heading."""
    unread: tuple[str, ...]
    """Headings that no field takes."""

    @property
    def worth(self) -> tuple[int, int]:
        """What makes one heading better than another: more fields, then more units (a row of units below)."""
        return len(self.fields), len(self.units)


def heading(cell: Any) -> tuple[str, str | None]:
    """A heading as it is compared, and the unit it states: ``里程（公里）`` is 里程 and 公里."""
    text = plain(cell).replace(" ", "").strip("*:：").casefold()
    found = _UNIT_AFTER.match(text)
    if found and (found[2] in DURATION_UNITS or found[2] in LENGTH_UNITS):
        return found[1], found[2]
    return text, None


def find_header(rows: Sequence[tuple[int, list[Any]]], profile: Profile) -> Header | None:
    """The heading of a table: the first row, or pair of rows under merged cells, that names most fields; None if none does."""
    best: Header | None = None
    for i, (number, cells) in enumerate(rows[:_HEAD_ROWS]):
        options: list[tuple[tuple[int, ...], list[list[Any]]]] = [((number,), [[c] for c in cells])]
        if i + 1 < len(rows):
            below = rows[i + 1][1]
            width = max(len(cells), len(below))
            upper, lower = (list(r) + [None] * (width - len(r)) for r in (cells, below))
            stacked = [[b, f"{plain(a)}{plain(b)}", a] for a, b in zip(upper, lower, strict=True)]
            options.append(((number, rows[i + 1][0]), stacked))
        for numbers, names in options:
            found = _header(numbers, names, profile)
            if found is not None and (best is None or found.worth > best.worth):
                best = found
    return best


def _header(numbers: tuple[int, ...], names: Sequence[Sequence[Any]], profile: Profile) -> Header | None:
    """``names``: what the column at each position may be called."""
    there: dict[str, tuple[int | None, str | None]] = {}
    for position, several in enumerate(names):
        for text, stated in map(heading, several):
            if text:
                there.setdefault(text, (position, stated))
    fields: dict[str, int] = {}
    units: dict[str, str] = {}
    for name, aliases in profile.columns.items():
        for text, unit in map(heading, aliases):
            at, stated = there.get(text, (None, None))
            if at is not None and at not in fields.values():
                fields[name] = at
                if stated or unit:
                    units[name] = str(stated or unit)
                break
    if not all(set(one) & set(fields) for one in _NEEDED):
        return None
    texts = {i: next((t for t, _ in map(heading, several) if t), "") for i, several in enumerate(names)}
    unread = tuple(t for i, t in texts.items() if t and i not in fields.values())
    return Header(numbers, fields, units, {i: texts[i] for i in fields.values()}, unread)


def kind_of(cells: Sequence[Any], header: Header) -> str:
    """What a row below the heading is: record, heading (repeated), total, note or blank."""
    filled = [plain(c) for c in cells if plain(c)]
    if not filled:
        return "blank"
    first = [f.casefold().replace(" ", "") for f in filled[:2]]
    if any(f.startswith(_TOTALS) or f.endswith(_TOTALS[:4]) for f in first):
        return "total"
    same = sum(heading(cells[i])[0] == t for i, t in header.texts.items() if i < len(cells))
    if 2 * same > len(header.texts):
        return "heading"
    at = {name: plain(cells[i]) if i < len(cells) else "" for name, i in header.fields.items()}
    told = [at[name] for name in _TOLD if any(c.isdigit() for c in at.get(name, ""))]
    named = at.get("chief") or at.get("chief_code")
    # a line under the table: one text, also over merged cells, or words for who filled it in
    if len(set(filled)) == 1 or _ABOUT.match(filled[0]) or (not told and (not named or ":" in named)):
        return "note"
    return "record"


def cell(cells: Sequence[Any], header: Header, name: str) -> Any:
    """The cell of a field in a row; None where the table has no such column or the row ends before it."""
    position = header.fields.get(name)
    return cells[position] if position is not None and position < len(cells) else None
