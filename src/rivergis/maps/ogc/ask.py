"""What a request for features asks, read strictly: every parameter is known and has a meaning, or the request is refused.

Unknown or repeated parameters and values out of their kind are a ``UsageError`` with one sentence (HTTP 400).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import shapely

from rivergis.errors import UsageError
from rivergis.maps import export_filter
from rivergis.maps.export_columns import Field
from rivergis.maps.export_filter import Where
from rivergis.maps.ogc import places as ogc_places
from rivergis.maps.ogc.places import Extent, Place
from rivergis.maps.ogc.source import Source

SHANGHAI = ZoneInfo("Asia/Shanghai")
DEFAULT_LIMIT, MOST, MOST_SHOWN = 100, 10_000, 1_000
"""Features on a page where nothing is said, at most, and at most on one to be read: more asked for is capped."""
JSON, HTML = "json", "html"
FORMATS = {
    JSON: "application/geo+json", HTML: "text/html", "fgb": "application/flatgeobuf",
    "gpkg": "application/geopackage+sqlite3", "csv": "text/csv", "parquet": "application/vnd.apache.parquet",
}  # fmt: skip
FILES = ("fgb", "gpkg", "csv", "parquet")
_ALSO_JSON = ("geojson", "application/geo+json", "application/json")
ITEMS = (
    "f",
    "limit",
    "offset",
    "after",
    "bbox",
    "bbox-crs",
    "crs",
    "datetime",
    "filter",
    "filter-lang",
    "filter-crs",
    "properties",
)
ITEM = ("f", "crs", "properties")
_AFTER = re.compile(r"[0-9a-z]{1,13}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2}))?")
_MOST_OFFSET = 10**15
_KINDS: dict[str, Callable[[str], Any]] = {
    "number": float, "integer": float, "boolean": lambda v: {"true": True, "false": False}[v.lower()],
}  # fmt: skip


@dataclass(frozen=True)
class Days:
    """Civil days that are asked about: one, or from ``first`` (none = open) to ``last``."""

    last: date
    first: date | None = None
    interval: bool = False
    said: bool = False


@dataclass(frozen=True)
class Wanted:
    """A request for features. ``limit``: none in a download without one; ``after``: the row it goes on behind."""

    form: str
    limit: int | None
    offset: int
    after: int | None
    place: Place
    days: Days
    ground: shapely.Geometry | None
    where: Where | None
    fields: tuple[Field, ...]
    narrowed: bool
    """Not all columns go out."""
    query: tuple[tuple[str, str], ...]
    """The parameters as they came, for links."""


def single(query: Sequence[tuple[str, str]], known: Sequence[str]) -> dict[str, str]:
    """Parameters by name: each known, and said once."""
    out: dict[str, str] = {}
    for name, value in query:
        if name not in known:
            raise UsageError(f"{name[:60]!r} is no parameter here; there are {', '.join(known)}.")
        if name in out:
            raise UsageError(f"The parameter {name!r} is said twice.")
        if "\0" in value:
            raise UsageError(f"The parameter {name!r} has a NUL character.")
        out[name] = value
    return out


def form_of(said: str | None, accept: str, offered: Sequence[str] = (JSON, HTML)) -> str:
    """The format asked for: ``f=`` first, then the header Accept by its order of preference; GeoJSON where neither is met."""
    if said is not None:
        short = said.lower()
        found = JSON if short in _ALSO_JSON else short if short in offered else _by_type(short, offered)
        if found is None:
            raise UsageError(f"f={said[:60]!r} is no format here; there are {', '.join(offered)}.")
        return found
    for wanted in _preferred(accept):
        if wanted in _ALSO_JSON or wanted == "*/*":
            return JSON
        if found := _by_type(wanted, offered):
            return found
    return JSON


def _by_type(media: str, offered: Sequence[str]) -> str | None:
    return next((f for f in offered if FORMATS.get(f, "") == media), None)


def _preferred(accept: str) -> list[str]:
    """Media types of an Accept header, best first."""
    ranked = []
    for part in accept.lower().split(","):
        media, *more = (p.strip() for p in part.split(";"))
        weight = next((m[2:] for m in more if m.startswith("q=")), "1")
        try:
            ranked.append((-float(weight), media))
        except ValueError:
            ranked.append((0.0, media))
    return [media for weight, media in sorted(ranked, key=lambda r: r[0]) if weight < 0]


def items(query: Sequence[tuple[str, str]], accept: str, source: Source, extent: Extent | None, today: date) -> Wanted:
    """A request for a page, or a file, of features. ``extent``: where the collection lies, degrees; ``today``: in Asia/Shanghai."""
    names = tuple(f.name for f in source.fields if f.kind != "json" and f.name not in ITEMS)
    if ("f", HTML) in query:  # a form sends the fields that nobody filled in
        query = [(name, value) for name, value in query if value]
    said = single(query, (*ITEMS, *names))
    form = form_of(said.get("f"), accept, tuple(FORMATS))
    place = _place(said, "crs", extent)
    wanted = _properties(said)
    return Wanted(
        form, _limit(said.get("limit"), form), _whole(said, "offset", 0), _after(said.get("after")), place,
        days(said.get("datetime"), today), _ground(said, extent), _where(said, source, names, extent),
        source.chosen(wanted), wanted is not None, tuple(query),
    )  # fmt: skip


def item(query: Sequence[tuple[str, str]], accept: str, source: Source, extent: Extent | None, today: date) -> Wanted:
    """A request for one feature."""
    said = single(query, ITEM)
    wanted = _properties(said)
    return Wanted(
        form_of(said.get("f"), accept), 1, 0, None, _place(said, "crs", extent), Days(today), None, None,
        source.chosen(wanted), wanted is not None, tuple(query),
    )  # fmt: skip


def _place(said: Mapping[str, str], name: str, extent: Extent | None) -> Place:
    return ogc_places.named(said[name], extent, name) if name in said else ogc_places.CRS84


def _properties(said: Mapping[str, str]) -> list[str] | None:
    return [n.strip() for n in said["properties"].split(",") if n.strip()] if "properties" in said else None


def _whole(said: Mapping[str, str], name: str, least: int) -> int:
    text = said.get(name, str(least))
    if not re.fullmatch(r"\+?[0-9]{1,40}", text) or int(text) < least:
        raise UsageError(f"{name}={text[:40]!r} is no whole number from {least} on.")
    return min(int(text), _MOST_OFFSET)


def _limit(text: str | None, form: str) -> int | None:
    if text is None:
        return None if form in FILES else DEFAULT_LIMIT
    limit = _whole({"limit": text}, "limit", 1)
    return limit if form in FILES else min(limit, MOST_SHOWN if form == HTML else MOST)


def _after(text: str | None) -> int | None:
    if text is None:
        return None
    if not _AFTER.fullmatch(text) or int(text, 36) >= 1 << 63:
        raise UsageError("after is not what a next link of this service says: follow the link as it is.")
    return int(text, 36)


def mark(fid: int) -> str:
    """The place behind a row, as a next link says it."""
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    out = ""
    while fid or not out:
        fid, rest = divmod(fid, 36)
        out = digits[rest] + out
    return out


def days(text: str | None, today: date) -> Days:
    """``datetime`` as civil days in Asia/Shanghai: a day or moment, or an interval with ``..`` for an open end.

    Nothing said means today. A moment means the day it falls on.
    """
    if text is None:
        return Days(today)
    if "/" not in text:
        day = _day(text, text)
        return Days(day, day, False, True)
    ends = text.split("/")
    if len(ends) != 2:
        raise UsageError(f"datetime={text[:60]!r} is no interval: write 2026-01-01/2026-12-31, or .. for an open end.")
    first = None if ends[0] in ("", "..") else _day(ends[0], text)
    last = date.max if ends[1] in ("", "..") else _day(ends[1], text)
    if first is not None and first > last:
        raise UsageError(f"datetime={text[:60]!r} ends before it begins.")
    return Days(last, first, True, True)


def _day(text: str, whole: str) -> date:
    text = re.sub(r" (\d{2}:\d{2})$", r"+\1", text)  # a plus sign that nobody encoded is a blank
    try:
        if not _MOMENT.fullmatch(text):
            raise ValueError
        if len(text) == len("2026-05-20"):
            return date.fromisoformat(text)
        return datetime.fromisoformat(text.upper()).astimezone(SHANGHAI).date()
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"datetime={whole[:60]!r} is no day or moment: write 2026-05-20 or 2026-05-20T08:00:00Z."
        ) from error


def _ground(said: Mapping[str, str], extent: Extent | None) -> shapely.Geometry | None:
    place = _place(said, "bbox-crs", extent)
    return ogc_places.area(said["bbox"], place) if "bbox" in said else None


def _where(said: Mapping[str, str], source: Source, names: Sequence[str], extent: Extent | None) -> Where | None:
    """The filter, and the columns that are named as parameters of their own, as one condition."""
    lang = said.get("filter-lang", export_filter.TEXT)
    if lang not in (export_filter.TEXT, export_filter.JSON):
        raise UsageError(f"filter-lang={lang[:40]!r} is none: there are {export_filter.TEXT} and {export_filter.JSON}.")
    place = _place(said, "filter-crs", extent)
    parts = [_equal(source, name, said[name]) for name in names if name in said]
    if "filter" in said:
        parts.append(export_filter.tree(said["filter"], lang))
    if not parts:
        return None
    whole = parts[0] if len(parts) == 1 else {"op": "and", "args": parts}
    move = None if place.degrees and not place.north_first else place.to_storage
    return export_filter.of_tree(whole, source.properties(), move)


def _equal(source: Source, name: str, text: str) -> dict[str, Any]:
    kind = source.properties()[name].kind
    try:
        value = _KINDS.get(kind, str)(text)
    except (KeyError, ValueError) as error:
        raise UsageError(f"{name}={text[:60]!r} is not {kind}.") from error
    return {"op": "=", "args": [{"property": name}, value]}
