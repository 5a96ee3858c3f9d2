"""The list of river chiefs for the public notice (河长名单公告): by township and village, each stretch with its line. Register ids B9, B12.

Name, title, level, unit and stretch are what a notice says; nothing else of a person goes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import Connection

from rivergis import crs, words
from rivergis.layers import LEVELS, Column
from rivergis.maps import along
from rivergis.maps.features import When
from rivergis.maps.public_rows import CHIEFS, Part, Wanted
from rivergis.river import store
from rivergis.river.chainage import label

COLUMNS = (
    Column("unit", "text", "行政区", "unit"),
    Column("unit_code", "text", "行政区编码", "unit code"),
    Column("level", "text", "级别", "level"),
    Column("chief", "text", "河长", "chief"),
    Column("title", "text", "职务", "title"),
    Column("river", "text", "河流", "river"),
    Column("river_code", "text", "河流编码", "river code"),
    Column("bank", "text", "岸别", "bank"),
    Column("from_to", "text", "起止桩号", "from – to"),
    Column("length_m", "number", "长度 m", "length, m"),
)


def part(conn: Connection, at: When, wanted: Wanted) -> Part:
    """The list as a part of a bundle: one row a stretch, with its piece of the river (EPSG:4490) where there is an axis."""
    return Part(CHIEFS, *words.pair("sheet.chief_list"), COLUMNS, rows(conn, at, wanted))


def rows(conn: Connection, at: When, wanted: Wanted) -> gpd.GeoDataFrame:
    """Stretches with ``COLUMNS``, by unit, level, river and chainage."""
    held = store.duties(conn, at.on, at.known_at)
    rivers = store.rivers(conn, at.on, at.known_at).set_index("id")
    if wanted.unit:
        held = held[held["unit_code"].fillna("").str.startswith(_prefix(wanted.unit))]
    if wanted.rivers:
        held = held[held["river_id"].map(rivers["code"]).isin(wanted.rivers)]
    names, units = rivers["name"].to_dict(), store.units(conn, at.on, at.known_at).set_index("code")["name"].to_dict()
    lines = along.on_lines(
        held.reset_index(drop=True),
        store.axes(conn, at.on, at.known_at),
        store.reaches(conn, at.on, at.known_at),
        names,
    )
    told = lines.assign(
        unit=lines["unit_code"].map(units),
        river_code=lines["river_id"].map(rivers["code"]),
        from_to=[f"{label(a)} – {label(b)}" for a, b in zip(lines["from_m"], lines["to_m"], strict=True)],
        length_m=(lines["to_m"] - lines["from_m"]).round(1),
        rank=lines["level"].map({level: i for i, level in enumerate(LEVELS)}),
    )
    kept = told.sort_values(["unit_code", "rank", "river", "from_m", "bank"], kind="stable")
    return gpd.GeoDataFrame(kept[[c.name for c in COLUMNS]], geometry=kept.geometry.to_numpy(), crs=crs.STORAGE).reset_index(drop=True)  # fmt: skip


def _prefix(unit: str) -> str:
    """Digits that the codes of a unit and of all below it begin with (GB/T 2260)."""
    return unit.rstrip("0") if len(unit) == 6 and unit.endswith("00") else unit


def tables(parts: Sequence[Part]) -> list[tuple[str, list[list[Any]]]]:
    """The list as a notice prints it: each unit with its chiefs and stretches."""
    found = next((p.frame for p in parts if p.name == CHIEFS), None)
    if found is None:
        return []
    plain = pd.DataFrame(found.drop(columns=found.geometry.name))
    return [
        (str(name or code or "—"), _printed(own))
        for (code, name), own in plain.groupby(["unit_code", "unit"], sort=False, dropna=False)
    ]


def _printed(own: pd.DataFrame) -> list[list[Any]]:
    return [
        [
            words.both(f"level.{r.level}"),
            r.chief,
            r.title or "",
            r.river,
            words.both(f"bank.{r.bank}"),
            r.from_to,
            f"{r.length_m:,.0f}",
        ]
        for r in own.itertuples()
    ]
