"""The coordinate table of stakes (界桩坐标成果表) as a workbook: what it is, left bank, right bank, existing stakes, boards, what to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pandas as pd
from pyproj import CRS

from rivergis import crs, words
from rivergis.maps.stakes_field import DRAFT_SAID
from rivergis.reports import workbook
from rivergis.reports.writing import whole

_COLUMNS = (
    "code", "kind", "status", "x_north", "y_east", "y_zone", "lon", "lat", "height", "datum", "chainage", "reason", "names", "county",
    "to_next", "sees_next", "moved", "said",
)  # fmt: skip


def zone_words(zone: CRS) -> tuple[str, int | None]:
    """A metric system in words, and the number of its 3-degree zone (None outside China)."""
    code = zone.to_epsg()
    if code is None or not 4534 <= code <= 4554:
        return f"{zone.name or '地方横轴墨卡托 local transverse Mercator'}", None
    number = code - 4509
    return f"CGCS2000 3度带第{number}带 zone {number},中央子午线 central meridian {3 * number}°E (EPSG:{code})", number


def write(
    path: Path,
    *,
    stakes: gpd.GeoDataFrame,
    boards: gpd.GeoDataFrame,
    notes: pd.DataFrame,
    figures: Mapping[str, Any],
    rules: Sequence[Mapping[str, Any]],
    said: Sequence[str],
    zone: CRS,
    draft: bool,
    made_at: datetime | None = None,
) -> None:
    """Write the table; x is north and y is east, as surveyors say it, and every sheet that has coordinates says so."""
    book = openpyxl.Workbook(write_only=True)
    text, number = zone_words(zone)
    workbook.add_table(book, "说明 about", [words.both("stake.item"), words.both("stake.value")], _about(figures, text, rules, said, draft))  # fmt: skip
    head = [words.both(f"stake_column.{c}") for c in _COLUMNS]
    places = crs.to_storage(stakes)
    for bank in ("left", "right"):
        mine = (stakes["bank"] == bank).to_numpy()
        rows = [_row(s, p, number) for s, p in zip(stakes[mine].itertuples(), places[mine].itertuples(), strict=True)]
        workbook.add_table(book, words.both(f"bank.{bank}"), head, rows)
    _existing(book, stakes)
    _boards(book, boards)
    _notes(book, notes)
    with whole(path) as part:
        workbook.write_fixed(book, part, made_at or datetime.now(UTC))


def _about(
    figures: Mapping[str, Any], zone: str, rules: Sequence[Mapping[str, Any]], said: Sequence[str], draft: bool
) -> list[list[Any]]:
    rows: list[list[Any]] = [["成果性质 standing", DRAFT_SAID]] if draft else []
    rows += [
        ["坐标系 system", zone],
        ["X", "北坐标 north, m"],
        ["Y", "东坐标 east, m:不含带号 without zone number;另列含带号 with it beside"],
        ["经纬度 lon/lat", "CGCS2000 度 degrees (EPSG:4490)"],
        ["桩距 spacing", "沿界线量测 measured along the line, m"],
    ]
    rows += [[words.both(f"stake_figure.{k}"), _said(v)] for k, v in figures.items() if k not in ("draft",)]
    rows += [[f"规则 rule {r['key']}", f"{r['value']} {r['unit'] or ''} · {r['basis']} · {words.both('rule_status.' + r['status'])}"] for r in rules]  # fmt: skip
    return rows + [["说明 note", s] for s in said]


def _said(value: Any) -> Any:
    return ", ".join(f"{_word(k)} {v}" for k, v in value.items()) if isinstance(value, dict) else value


def _word(code: str) -> str:
    for key in (f"choice.kind.{code}", f"bank.{code}"):
        if key in words.catalogue():
            return words.both(key)
    return code


def _row(s: Any, p: Any, zone: int | None) -> list[Any]:
    moved = None if pd.isna(s.moved_m) else f"{s.moved_m:.2f} m, {s.moved_bearing_deg:.1f}°"
    return [
        s.code,
        words.choice("stake", "kind", s.kind),
        words.choice("stake", "status", s.status),
        round(s.geom.y, 3),
        round(s.geom.x, 3),
        None if zone is None else round(zone * 1_000_000 + s.geom.x, 3),
        round(p.geom.x, 9),
        round(p.geom.y, 9),
        None if pd.isna(s.height_m) else round(s.height_m, 2),
        s.vertical_datum,
        s.chainage,
        "、".join(words.say(f"stake_reason.{w}") for w in s.reason.split(",")),
        s.names,
        s.county,
        None if pd.isna(s.to_next_m) else round(s.to_next_m, 2),
        None if s.sees_next is None else words.both(f"stake_sees.{s.sees_next}"),
        moved,
        None if not s.said else "、".join(words.say(f"stake_note.{w}") for w in s.said.split(",")),
    ]


def _existing(book: Any, stakes: gpd.GeoDataFrame) -> None:
    there = stakes[stakes["existing"]]
    keys = ("code", "bank", "chainage", "kind", "status", "off_line", "moved")
    rows = [
        [
            s.code,
            words.both(f"bank.{s.bank}"),
            s.chainage,
            words.choice("stake", "kind", s.kind),
            words.choice("stake", "status", s.status),
            round(s.off_line_m, 3),
            None if pd.isna(s.moved_m) else f"{s.moved_m:.2f} m, {s.moved_bearing_deg:.1f}°",
        ]
        for s in there.itertuples()
    ]
    workbook.add_table(book, "既有界桩 existing", [words.both(f"stake_column.{k}") for k in keys], rows)


def _boards(book: Any, boards: gpd.GeoDataFrame) -> None:
    """A row a board, and a column for each field of its text."""
    fields = list(dict.fromkeys(k for content in boards["content"] for k in content))
    keys = ("code", "bank", "chainage", "x_north", "y_east", "place", "names", "title")
    head = [*(words.both(f"stake_column.{k}") for k in keys), *fields, words.both("stake_column.missing")]
    rows = [
        [
            b.code,
            words.both(f"bank.{b.bank}"),
            b.chainage,
            round(b.geom.y, 3),
            round(b.geom.x, 3),
            words.both(f"board_place.{b.place}"),
            b.place_name,
            b.title,
            *(b.content.get(f) for f in fields),
            b.missing,
        ]
        for b in boards.itertuples()
    ]
    workbook.add_table(book, "公告牌 boards", head, rows)


def _notes(book: Any, notes: pd.DataFrame) -> None:
    keys = ("note", "river", "bank", "chainage", "code", "measure")
    rows = [
        [
            words.both(f"stake_note.{n.code}"),
            n.river,
            words.both(f"bank.{n.bank}") if n.bank else None,
            None if pd.isna(n.at_m) else round(n.at_m, 1),
            n.stakes,
            None if pd.isna(n.measure) else round(n.measure, 3),
        ]
        for n in notes.itertuples()
    ]
    workbook.add_table(book, "待看 to look at", [words.both(f"stake_column.{k}") for k in keys], rows)
