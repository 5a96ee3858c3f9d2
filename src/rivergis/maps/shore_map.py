"""Maps of stakes and of shoreline zones from files: one page each that opens without network; drafts are stamped as such."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd

from rivergis import crs, words
from rivergis.maps import atlas, marks
from rivergis.maps.stakes_field import DRAFT_SAID

Row = tuple[str, str, Any]


def stakes_map(stakes: gpd.GeoDataFrame, boards: gpd.GeoDataFrame, lines: gpd.GeoDataFrame, *, draft: bool) -> str:
    """HTML of placed stakes on their lines with boards; what a page cannot carry is left out from the evenly spaced ones, and counted."""
    room = marks.MAX_FEATURES - len(lines) - len(boards)
    kept = stakes
    if len(stakes) > room:
        rank = (stakes["reason"] == "spacing").to_numpy().argsort(kind="stable")
        kept = stakes.iloc[sorted(rank[: max(room, 0)])]
    layers = {"boundary_line": _lines(lines), "stake": _stakes(kept), "landmark": _boards(boards)}
    zh, en = words.pair("stake.title")
    note = f" ({len(kept)}/{len(stakes)})" if len(kept) < len(stakes) else ""
    stamp = DRAFT_SAID if draft else None
    return atlas.county_map(layers, title_zh=zh + note, title_en=en + note, stamp=stamp)


def _lines(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    out = crs.to_storage(lines)
    label = [f"{r.river} {words.say(f'bank.{r.bank}')} {words.say(f'choice.line_type.{r.line_type}')}" for r in lines.itertuples()]  # fmt: skip
    return gpd.GeoDataFrame({"label": label, "cls": lines["basis"].to_numpy()}, geometry=out.geometry.to_numpy(), crs=out.crs)  # fmt: skip


def _stakes(stakes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    shapes = crs.to_storage(stakes).geometry.to_numpy()
    rows = [{"id": s.code, "label": s.code, "cls": _class(s), "popup": _popup(s)} for s in stakes.itertuples()]
    return gpd.GeoDataFrame(
        pd.DataFrame(rows, columns=["id", "label", "cls", "popup"]), geometry=shapes, crs=crs.STORAGE
    )


def _class(s: Any) -> str:
    return "lost" if s.status in ("lost", "damaged") else s.kind if s.kind in ("dense", "virtual") else ""


def _popup(s: Any) -> list[Row]:
    values = {
        "kind": words.choice("stake", "kind", s.kind),
        "chainage": f"{words.say(f'bank.{s.bank}')} {s.chainage}",
        "reason": "、".join(words.say(f"stake_reason.{w}") for w in s.reason.split(",")),
        "names": s.names,
        "county": s.county,
        "height": None if pd.isna(s.height_m) else f"{s.height_m:.2f} {s.vertical_datum}",
        "to_next": None if pd.isna(s.to_next_m) else f"{s.to_next_m:.1f}",
        "sees_next": None if not s.sees_next else words.both(f"stake_sees.{s.sees_next}"),
    }
    return [(*words.pair(f"stake_column.{k}"), v) for k, v in values.items() if v]


def _boards(boards: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    rows = [
        {
            "label": f"{words.say('stake.board')} {b.place_name or b.code}",
            "cls": "board",
            "popup": [(*words.pair("stake_column.code"), b.code), *((k, k, v) for k, v in b.content.items())],
        }
        for b in boards.itertuples()
    ]
    shapes = crs.to_storage(boards).geometry.to_numpy()
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=["label", "cls", "popup"]), geometry=shapes, crs=crs.STORAGE)


def zones_map(zones: gpd.GeoDataFrame) -> str:
    """HTML of function zones as they lie on the shoreline; a zone of a type not understood has the colour of none."""
    shapes = crs.to_storage(zones).geometry.to_numpy()
    rows = [
        {
            "label": z.name,
            "cls": z.zone_type or "",
            "popup": [
                (*words.pair("zone_column.type"), words.both(f"choice.zone_type.{z.zone_type}") if z.zone_type else z.given_type),
                (*words.pair("zone_column.given"), z.given_type),
                (*words.pair("zone_column.bank"), f"{z.river} {words.both(f'bank.{z.bank}')}"),
                (*words.pair("zone_column.length"), f"{z.length_m:.1f}"),
            ],
        }
        for z in zones.itertuples()
    ]  # fmt: skip
    frame = gpd.GeoDataFrame(pd.DataFrame(rows, columns=["label", "cls", "popup"]), geometry=shapes, crs=crs.STORAGE)
    zh, en = words.pair("layer.function_zone")
    return atlas.county_map({"function_zone": frame}, title_zh=zh, title_en=en)
