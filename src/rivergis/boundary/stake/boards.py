"""Notice boards (公告牌) at bridges, villages and accesses: where on the line they stand, and what is written on them.

The texts are what the announcement says; where no announcement is known, the board says 内部草稿·非测绘成果 and cannot be put up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis.boundary.ground.bank_chains import Chain
from rivergis.boundary.stake.numbers import LETTERS
from rivergis.boundary.stake.spots import Mark
from rivergis.lifecycle import DRAFT_MARK
from rivergis.river import chainage

COLUMNS = (
    "code",
    "river_code",
    "river",
    "bank",
    "place",
    "place_name",
    "at_m",
    "chainage",
    "title",
    "content",
    "missing",
    "geom",
)
ANNOUNCED = ("announce_gov", "announce_doc_no", "announced_on")


@dataclass(frozen=True)
class Wording:
    """What boards say: heading, the acts that are forbidden with their clauses, and telephone of the office that answers."""

    title: str
    forbidden: tuple[str, ...]
    phone: str | None = None
    unit: str | None = None


def boards(
    chains: Sequence[Chain],
    marks: Sequence[Mark],
    facts_of: Callable[[Chain, float], Mapping[str, Any]],
    wording: Wording,
    *,
    bridge_m: float,
    village_m: float,
    crs: Any,
) -> gpd.GeoDataFrame:
    """Boards with the columns ``COLUMNS``, points in metres: at a bridge one on each bank, at a village or access one on the nearest line.

    ``facts_of``: chain and metres along it -> county, announce_gov, announce_doc_no, announced_on of the line there. ``missing`` names
    the fields that nothing is known for. The number tells bank and chainage, so that a board more changes no other.
    """
    rows = [
        _row(chains[n], along, mark, facts_of(chains[n], along), wording)
        for mark in marks
        for n, along in _spots(chains, mark, bridge_m if mark.kind == "bridge" else village_m)
    ]
    rows.sort(key=lambda r: (r["river_code"], r["bank"], r["at_m"]))
    frame = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object).drop_duplicates("code").astype({"at_m": float})
    return gpd.GeoDataFrame(frame.reset_index(drop=True), geometry="geom", crs=crs)


def _spots(chains: Sequence[Chain], mark: Mark, within_m: float) -> list[tuple[int, float]]:
    """Chains on which a mark asks for a board, with the place: of a bridge one on each bank of its river, else the nearest."""
    far = shapely.distance([c.line for c in chains], mark.shape)
    near = [int(i) for i in np.argsort(far, kind="stable") if far[i] <= within_m]
    if mark.kind == "bridge" and near:
        river = chains[near[0]].river
        sides = {chains[i].bank: i for i in reversed(near) if chains[i].river == river}
        near = sorted(sides.values())
    else:
        near = near[:1]
    return [(i, _foot(chains[i].line, mark.shape)) for i in near]


def _foot(line: shapely.LineString, shape: shapely.Geometry) -> float:
    on = shape if shape.geom_type == "Point" else shapely.get_point(shapely.shortest_line(shape, line), 0)
    return float(shapely.line_locate_point(line, on))


def _row(chain: Chain, along: float, mark: Mark, facts: Mapping[str, Any], wording: Wording) -> dict[str, Any]:
    at_m = float(chain.at_m(along))
    content = _content(chain, at_m, mark, facts, wording)
    return {
        "code": f"{chain.river}-{LETTERS[chain.bank]}-GP{chainage.label(at_m)}", "river_code": chain.river, "river": chain.river_name,
        "bank": chain.bank, "place": mark.kind, "place_name": mark.name or None, "at_m": round(at_m, 3), "chainage": chainage.label(at_m),
        "title": wording.title, "content": {k: v for k, v in content.items() if v},
        "missing": "、".join(k for k, v in content.items() if not v) or None, "geom": chain.point(along),
    }  # fmt: skip


def _content(
    chain: Chain, at_m: float, mark: Mark, facts: Mapping[str, Any], wording: Wording
) -> dict[str, str | None]:
    announced = all(facts.get(k) for k in ANNOUNCED)
    banks = {"left": "左岸", "right": "右岸"}
    basis = f"{facts['announce_gov']}公告({facts['announce_doc_no']},{facts['announced_on']})" if announced else None
    where = f"{banks[chain.bank]} {chainage.label(at_m)}" + (f" {mark.name}" if mark.name else "")
    return {
        "河流": chain.river_name,
        "位置": where,
        "县级行政区": facts.get("county"),
        "管理范围": f"本岸界线自{chainage.label(chain.from_m)}至{chainage.label(chain.to_m)},以界桩标示",
        "划定依据": basis,
        **({} if announced else {"成果状态": DRAFT_MARK}),
        "禁止行为": ";".join(wording.forbidden),
        "责任单位": wording.unit,
        "监督电话": wording.phone,
    }
