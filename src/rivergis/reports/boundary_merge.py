"""Several results of delimitation on one map (划界整合上图): what each file held, what came twice, what contradicts, and a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio

from rivergis import crs, words
from rivergis.boundary.delivery.merging import Limits, Merged
from rivergis.errors import CrsRefused, RivergisError
from rivergis.maps import atlas, marks
from rivergis.reports.patrol_paper import Paper, Table
from rivergis.river import chainage, files

_MOST_DRAWN = 1200


@dataclass
class Delivered:
    """What became of one layer of a file: how it was read, how many features were taken, and which were not, with the sentence."""

    file: str
    layer: str | None
    system: str | None
    encoding: str | None
    taken: int = 0
    aside: list[tuple[str, str]] = field(default_factory=list)
    error: RivergisError | None = None

    @property
    def said(self) -> str:
        """Why the file could not be taken, with the option to type here."""
        if isinstance(self.error, CrsRefused) and "--crs" in str(self.error):
            return f"{self.error} 此处 here: --crs {self.file}=EPSG:CODE"
        return "" if self.error is None else str(self.error)


def paper(
    merged: Merged, delivered: Sequence[Delivered], limits: Limits, known_at: datetime, rules: Sequence[dict[str, Any]]
) -> Paper:
    """The report of a merging (``patrol_paper.write`` by its ending)."""
    note = words.both("patrol_report.quality.merged_note", near=f"{limits.near_m:g}", far=f"{limits.far_m:g}")
    pair = ("first", "second", "river", "bank", "metres", "apart_m", "mean_m", "differs", "place")
    aside: list[tuple[Any, ...]] = [(d.file, d.layer, n, s) for d in delivered for n, s in d.aside]
    aside += [(d.file, d.layer, None, d.said) for d in delivered if d.error is not None]
    tables = [
        _table("files", ("file", "layer", "crs", "encoding", "features", "status"), [_file(d) for d in delivered]),
        _table("conflicts", pair, [_pair(r) for r in merged.conflicts.to_dict("records")], note),
        _table("duplicates", pair, [_pair(r) for r in merged.duplicates.to_dict("records")]),
        _table(
            "overlaps",
            ("first", "second", "rivers", "area_m2", "status"),
            [_overlap(r) for r in merged.overlaps.to_dict("records")],
        ),
        _table("aside", ("file", "layer", "feature", "sentence"), aside),
    ]
    figures = figures_of(merged, delivered)
    tiles = [
        (f"quality.tile_{k}", figures[k]) for k in ("files", "lines", "conflicts", "duplicates", "overlaps", "aside")
    ]
    title = words.pair("patrol_report.block_merge")
    about = (
        [
            (
                words.both("deliver.about.note"),
                f"{merged.unjudged} 条界线未注明河流或岸别,未判断是否矛盾 lines name no river or bank: not judged",
            )
        ]
        if merged.unjudged
        else []
    )
    return Paper(title[0], title[1], known_at, about, tables, tiles, rules, footer="quality.footer", figures=figures)


def figures_of(merged: Merged, delivered: Sequence[Delivered]) -> dict[str, int]:
    return {
        "files": len({d.file for d in delivered}), "lines": len(merged.lines), "areas": len(merged.areas),
        "duplicates": len(merged.duplicates), "conflicts": len(merged.conflicts), "overlaps": len(merged.overlaps),
        "proposed_to_leave_out": int((merged.lines["proposal"] == "leave_out").sum()) if len(merged.lines) else 0,
        "aside": sum(len(d.aside) + (d.error is not None) for d in delivered), "unjudged": merged.unjudged,
    }  # fmt: skip


def _table(key: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], note: str | None = None) -> Table:
    return Table(f"merge_{key}", [f"quality.{c}" for c in columns], rows, "merge", note)


def _file(d: Delivered) -> tuple[Any, ...]:
    return (d.file, d.layer, d.system, d.encoding, d.taken, d.said or None)


def _of(row: dict[str, Any], side: str) -> str:
    code = row.get(f"{side}code")
    return f"{row[f'{side}file']} · {row[f'{side}layer']} · {code if code is not None and code == code else row[f'{side}feature']}"


def _pair(row: dict[str, Any]) -> tuple[Any, ...]:
    river = row["river"] if row["river"] is not None and row["river"] == row["river"] else row["river_code"]
    bank = row["bank"]
    said = words.say(f"bank.{bank}") if bank in ("left", "right") else bank
    differs = "、".join(words.say(f"column.boundary_line.{c}") for c in str(row["differs"]).split(",") if c)
    return (
        _of(row, ""),
        _of(row, "other_"),
        river,
        said,
        row["length_m"],
        row["apart_m"],
        row["mean_m"],
        differs,
        f"{row['lon']:.6f}, {row['lat']:.6f}",
    )


def _overlap(row: dict[str, Any]) -> tuple[Any, ...]:
    rivers = "、".join(
        dict.fromkeys(
            str(row[c]) for c in ("river_code", "other_river_code") if row[c] is not None and row[c] == row[c]
        )
    )
    status = words.say("patrol_report.table_merge_duplicates") if row["same"] else None
    return (_of(row, ""), _of(row, "other_"), rivers, row["area_m2"], status)


def write_data(merged: Merged, path: Path) -> None:
    """Everything as a GeoPackage: lines, areas, duplicates, conflicts, overlaps; EPSG:4490."""
    layers = {
        "lines": merged.lines, "areas": merged.areas, "duplicates": merged.duplicates, "conflicts": merged.conflicts, "overlaps": merged.overlaps,
    }  # fmt: skip
    with files.whole(path) as part:
        for name, frame in layers.items():
            if len(frame):
                plain = frame.assign(
                    **{c: [None if v is None or v != v else str(v) for v in frame[c]] for c in _texts(frame)}
                )
                pyogrio.write_dataframe(crs.outward(plain), part, layer=name, driver="GPKG")


def _texts(frame: gpd.GeoDataFrame) -> list[str]:
    """Columns of mixed kinds, which several files filled differently, go out as text."""
    return [c for c in frame.columns if c != frame.geometry.name and frame[c].dtype == object]


def draw(merged: Merged) -> str:
    """HTML of the map: what contradicts on top; where a page cannot carry all, the shortest lines are left out and counted."""
    layers: atlas.Layers = {
        "merged_overlap": _shown(merged.overlaps, _overlap_popup), "merged_conflict": _shown(merged.conflicts, _pair_popup),
        "merged_duplicate": _shown(merged.duplicates, _pair_popup),
    }  # fmt: skip
    layers = {k: f.iloc[: _MOST_DRAWN // 3] for k, f in layers.items() if len(f)}
    room = marks.MAX_FEATURES - sum(len(f) for f in layers.values())
    lines = (
        merged.lines.assign(m=crs.length_m(merged.lines.geometry.values)).sort_values("m", ascending=False)
        if len(merged.lines)
        else merged.lines
    )
    shown = {"merged_line": lines.iloc[: room * 3 // 4], "merged_area": merged.areas.iloc[: room // 4]}
    left = sum(len(f) for f in (merged.lines, merged.areas)) - sum(len(f) for f in shown.values())
    layers |= {k: _shown(f, _feature_popup) for k, f in shown.items() if len(f)}
    zh, en = words.pair("patrol_report.block_merge")
    note = f" · {words.say('map.thinned', layers=str(left))}" if left else ""
    return atlas.county_map(layers, title_zh=zh + note, title_en=en)


def _shown(frame: gpd.GeoDataFrame, popup: Any) -> gpd.GeoDataFrame:
    records = frame.to_dict("records")
    cls = ["leave_out" if r.get("proposal") == "leave_out" else "" for r in records]
    labels = [str(r.get("code") or r.get("river_code") or r.get("feature") or "") for r in records]
    return gpd.GeoDataFrame(
        {"cls": cls, "label": labels, "popup": [popup(r) for r in records]},
        geometry=list(frame.geometry),
        crs=frame.crs,
    )


def _popup(
    row: dict[str, Any], columns: Sequence[str], group: str = "patrol_report.quality"
) -> list[tuple[str, str, Any]]:
    said = [(*words.pair(f"{group}.{c}"), row.get(c)) for c in columns]
    return [(zh, en, str(v)) for zh, en, v in said if v is not None and v == v and str(v)]


def _feature_popup(row: dict[str, Any]) -> list[tuple[str, str, Any]]:
    ends = {
        c: chainage.label(float(row[c]))
        for c in ("from_m", "to_m")
        if row.get(c) is not None and pd.notna(pd.to_numeric(row[c], errors="coerce"))
    }
    told = {**row, **ends, "crs": row.get("source_crs")}
    return _popup(told, ("file", "layer", "feature", "crs", "river", "river_code", "bank", "from_m", "to_m"))


def _pair_popup(row: dict[str, Any]) -> list[tuple[str, str, Any]]:
    told = {**row, "first": _of(row, ""), "second": _of(row, "other_"), "metres": row["length_m"]}
    return _popup(told, ("first", "second", "river", "bank", "metres", "apart_m", "mean_m", "differs"))


def _overlap_popup(row: dict[str, Any]) -> list[tuple[str, str, Any]]:
    return _popup({**row, "first": _of(row, ""), "second": _of(row, "other_")}, ("first", "second", "area_m2"))
