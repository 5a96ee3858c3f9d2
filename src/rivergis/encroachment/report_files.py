"""Reports as files: a table with the names of photos beside it, or a folder of photos that say where and when themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from rivergis import words
from rivergis.encroachment import reports
from rivergis.encroachment.report_workflow import Said
from rivergis.errors import InputError
from rivergis.intake import cells, fields, times, vector
from rivergis.intake.delivery import Asked
from rivergis.intake.limits import DEFAULT, Limits

TABLES = (".csv", ".xlsx", ".xls", ".geojson", ".gpkg", ".shp")
PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
_NAMES = {
    "kind": "kind|class|类别|类型|问题类型|问题类别|四乱类型",
    "at": "at|time|时间|上报时间|发现时间|拍摄时间|日期",
    "accuracy_m": "accuracy_m|accuracy|精度|定位精度|精度m",
    "photo": "photo|照片|图片|照片名|附件",
    "note": "note|说明|描述|问题描述|备注",
    "datum": "datum|坐标系|基准",
}


@dataclass
class ReportFile:
    """Reports of a file or folder, and the rows that are none with the reason: said + refused = rows."""

    said: list[Said] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def read(
    path: Path,
    kind_of: Callable[[str], str | None],
    *,
    kind: str | None,
    photos: Path | None,
    asked: Asked,
    limits: Limits = DEFAULT,
) -> ReportFile:
    """The reports of a table (photos beside it or in ``photos``) or of a folder: its one table, else each of its photos.

    ``kind``: for rows and photos that name none. Raises ``InputError`` where there is nothing to read.
    """
    if not path.is_dir():
        return _table(path, kind_of, kind, photos or path.parent, asked, limits)
    tables = sorted(p for p in path.iterdir() if p.suffix.lower() in TABLES and not p.name.startswith(("~$", ".")))
    if len(tables) > 1:
        names = ", ".join(p.name for p in tables)
        raise InputError(f"{path} holds several tables ({names}): name the one that holds the reports.", file=str(path))
    if tables:
        return _table(tables[0], kind_of, kind, photos or path, asked, limits)
    found = sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURES and not p.name.startswith("."))
    if not found:
        raise InputError(f"{path} holds neither a table nor a photo of reports.", file=str(path))
    return ReportFile([Said(kind or "unknown", photo=p, source=p.name) for p in found])


def _table(
    path: Path,
    kind_of: Callable[[str], str | None],
    kind: str | None,
    photos: Path,
    asked: Asked,
    limits: Limits,
) -> ReportFile:
    out = ReportFile()
    opened = vector.chosen(path, vector.open_layers(path, asked, limits=limits), asked.layer)
    opened.check_place()
    for source in opened.pieces():
        for place, row, shape in _rows(path, source.frame):
            try:
                out.said.append(_said(place, row, shape, kind_of, kind, photos))
            except ValueError as error:
                out.refused.append((place, str(error)))
    return out


def _rows(path: Path, frame: pd.DataFrame) -> Iterator[tuple[str, dict[str, str | None], Any]]:
    columns = {name: cells.text(fields.first_of(frame, spellings)) for name, spellings in _NAMES.items()}
    shapes = frame["geom"] if "geom" in frame else pd.Series(None, index=frame.index, dtype=object)
    for n in frame.index:
        yield f"{path.name}, {n}", {name: column.loc[n] for name, column in columns.items()}, shapes.loc[n]


def _said(
    place: str,
    row: Mapping[str, str | None],
    shape: Any,
    kind_of: Callable[[str], str | None],
    kind: str | None,
    photos: Path,
) -> Said:
    """One row as a report; ``ValueError`` with the reason where it is none."""
    word = row["kind"]
    own = kind if word is None else reports.NOTHING if reports.nothing(word) else kind_of(word) or "unknown"
    if own is None:
        raise ValueError(words.both("report.kind_missing"))
    picture = photos / Path(row["photo"].replace("\\", "/")).name if row["photo"] else None
    if picture is not None and not picture.is_file():
        raise ValueError(words.both("report.photo_missing", name=picture.name))
    point = None if shape is None or shape.is_empty else shape.representative_point()
    if point is None and picture is None:
        raise ValueError(words.both("report.place_missing"))
    return Said(
        own,
        None if point is None else float(point.x),
        None if point is None else float(point.y),
        _moment(row["at"]),
        _accuracy(row["accuracy_m"]),
        "wgs84",
        picture,
        row["note"],
        word,
        place,
    )


def _moment(said: str | None) -> datetime | None:
    if said is None:
        return None
    at, _ = times.instants(pd.Series([said]))
    if pd.isna(at.iloc[0]):
        raise ValueError(words.both("report.time_unreadable", said=said[:40]))
    return at.iloc[0].to_pydatetime()


def _accuracy(said: str | None) -> float | None:
    if said is None:
        return None
    try:
        return abs(float(said.rstrip("m米 ")))
    except ValueError:
        raise ValueError(words.both("report.accuracy_unreadable", said=said[:40])) from None
