"""The log of a walk as most phones write it: commas, one header of known names, numbers and one spelling of times.

Such a file leaves the reader of tables nothing to find out: it is read a column at a time, and comes out as that reader would
give it. Whatever is not as plain as that, in a single cell, is left to the reader of tables.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rivergis.intake import columns, text, track_names
from rivergis.intake.track_course import Course
from rivergis.intake.track_order import in_order

REGION = "Asia/Shanghai"
_MOST_ROWS = 50_000
_PLACES = {"lon": 180.0, "lat": 90.0}
_AMOUNTS = ("ele_m", "acc_m", "speed_ms")
_TIMES = ("at", "received_at")
# names of these say where somebody was as well, or need a look at the values
_OTHERWISE = {"date", "east_west", "north_south", "segment"}
_NAME = re.compile(r"[^\W\d][\w/()]*")
_MINUTES = re.compile("min|分")
_NUMBERS = re.compile(r"(?:-?\d{1,9}(?:\.\d{1,15})?,)++", re.ASCII)
_NUMBERS_OR_NOT = re.compile(r"(?:(?:-?\d{1,9}(?:\.\d{1,15})?)?,)++", re.ASCII)
_INSTANTS = re.compile(
    r"(?:\d{10},)++|(?:\d{13},)++|(?:(?:(?:19|20)\d\d[-/]\d\d?[-/]\d\d?[T ]\d\d?:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?,)++",
    re.ASCII,
)
# a number from which on it may read as an epoch or a year
_LIKE_A_TIME = 1000.0


def plain_log(path: Path, raw: bytes) -> Course | None:
    """The track of a plain CSV; None where the file wants a closer look."""
    encoding = text.find_encoding(raw)
    if b"\0" in raw or any(d.severity != "info" for d in encoding.defects):
        return None
    said = encoding.read(raw).removeprefix("\ufeff").replace("\r\n", "\n").rstrip("\n")
    header, _, body = said.partition("\n")
    names = header.split(",")
    ours = _columns(tuple(names))
    if ours is None or not body:
        return None
    cells = _cells(body, len(names))
    course = None if cells is None else _course(path, ours, dict(zip(names, cells, strict=True)))
    if course is not None:
        course.defects = list(encoding.defects)
    return course


@lru_cache(maxsize=64)
def _columns(names: tuple[str, ...]) -> dict[str, str] | None:
    """Our name of each column to the file's; None where a name leaves anything open."""
    found = track_names.found_names(names)
    if not {"at", "lon", "lat"} <= set(found) or _OTHERWISE & set(found):
        return None
    if len({n.casefold() for n in names}) < len(names) or not all(map(_is_plain, names)):
        return None
    wanted = names.index(found["lon"]), names.index(found["lat"])
    only = [(p.x, p.y, p.angular, p.weak) for p in columns.pairs(names)] == [(*wanted, True, False)]
    return found if only and columns.sign_columns(names) == (None, None) else None


def _is_plain(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and not _MINUTES.search(name.lower()) and not columns.is_geometry(name)


def _cells(body: str, width: int) -> list[list[str]] | None:
    """The columns of lines that all have the same number of fields."""
    lines = body.split("\n")
    if len(lines) > _MOST_ROWS or {line.count(",") for line in lines} != {width - 1}:
        return None
    flat = body.replace("\n", ",").split(",")
    return [flat[k::width] for k in range(width)]


def _course(path: Path, ours: dict[str, str], cells: dict[str, list[str]]) -> Course | None:
    """The columns as a track if every cell is what its column is for."""
    known = {theirs: name for name, theirs in ours.items()}
    rows: dict[str, Any] = {}
    largest = 0.0  # of all numbers
    for theirs, column in cells.items():
        name = known.get(theirs, "")
        if name in _TIMES:
            if not _INSTANTS.fullmatch(",".join(column) + ","):
                return None
            rows[name] = pd.Series([cell or None for cell in column], dtype=object)
            continue
        numbers = _numbers(column, name in _PLACES)
        if numbers is None:
            return None
        if name in _PLACES and not (np.abs(numbers) <= _PLACES[name]).all():
            return None
        if name in _PLACES or name in _AMOUNTS:
            rows[name] = numbers / 3.6 if name == "speed_ms" and track_names.in_kmh(theirs) else numbers
        largest = max(largest, float(np.nanmax(np.abs(numbers), initial=0.0)))
    if largest >= _LIKE_A_TIME and not in_order(rows["at"]):  # another column may hold the times
        return None
    zone = "UTC" if "utc" in ours["at"].lower() else REGION
    return Course(path.stem, pd.DataFrame(rows, copy=False), zone)


def _numbers(column: list[str], filled: bool) -> np.ndarray | None:
    """Plain decimal numbers, in a column of amounts empty cells as NaN."""
    if not (_NUMBERS if filled else _NUMBERS_OR_NOT).fullmatch(",".join(column) + ","):
        return None
    return np.array(column if filled or "" not in column else [cell or "nan" for cell in column], dtype=float)
