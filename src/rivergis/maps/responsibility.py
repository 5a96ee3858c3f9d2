"""每米一长 on the map: which stretch of which bank has one chief of a level, which has nobody, which has several.

Each level is a layer of its own, farther from the water the higher it is; gaps and doubles of all levels are one layer, so that they
can be listed together. Register ids B5 and A10.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd

from rivergis import words
from rivergis.layers import LEVELS
from rivergis.maps import along, marks
from rivergis.maps.atlas import Layers
from rivergis.maps.features import Row
from rivergis.river.chainage import label

OPEN = "duty_gap"
FIRST_M, STEP_M = 10.0, 9.0
"""How far off the bank the lowest level is drawn, and each higher one beyond it, m; for the eye only."""


def layer_of(level: str) -> str:
    """The map layer of a level."""
    return f"duty_{level}"


def drawn(
    intervals: pd.DataFrame,
    axes: gpd.GeoDataFrame,
    reaches: gpd.GeoDataFrame,
    names: dict[Any, str],
    *,
    shortest_m: float,
) -> Layers:
    """Map layers of an assignment (``river.duties``): one of each level with one chief a metre, and ``OPEN``.

    ``intervals``: columns of ``duties.INTERVAL``; ``axes``, ``reaches``, ``names``: as ``along.on_lines`` takes them. Stretches shorter
    than ``shortest_m`` come from rounded chainages; they are not drawn.
    """
    long = intervals[intervals["length_m"] >= shortest_m]
    lines = along.on_lines(long, axes, reaches, names)
    lines = lines[lines.geometry.notna()]
    records = lines.drop(columns="geometry").to_dict("records")
    lines = lines.assign(
        cls=["" if r["persons"] == 1 else "nobody" if r["persons"] == 0 else "several" for r in records],
        label=[_label(r) for r in records],
        popup=[_popup(r) for r in records],
    )
    used = [level for level in LEVELS if level in set(lines["level"])]
    placed = [_beside(lines[lines["level"] == level], used, level) for level in used]
    out: Layers = {layer_of(level): part[part["cls"] == ""] for level, part in zip(used, placed, strict=True)}
    gaps = pd.concat([p[p["cls"] != ""] for p in placed]) if placed else _columns(lines)
    return {**out, OPEN: gaps}


def _beside(lines: gpd.GeoDataFrame, used: list[str], level: str) -> gpd.GeoDataFrame:
    beyond = FIRST_M + STEP_M * (len(used) - 1 - used.index(level))
    return _columns(marks.on_bank(lines, beyond_m=beyond))


def _columns(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return lines[["cls", "label", "popup", "river", "geometry"]]


def state_word(persons: int) -> str:
    """How many answer for a metre, in words."""
    return words.both(
        "sheet.duty_one" if persons == 1 else "sheet.duty_nobody" if persons == 0 else "sheet.duty_several"
    )


def _label(r: dict[str, Any]) -> str:
    who = r["chiefs"] or words.say("sheet.duty_nobody")
    side = words.say("bank." + r["bank"])
    return f"{words.say('level.' + r['level'])} {who} · {r['river']} {side} {label(r['from_m'])} – {label(r['to_m'])}"


def _popup(r: dict[str, Any]) -> list[Row]:
    values = {
        "level": words.both(f"level.{r['level']}"),
        "status": state_word(r["persons"]),
        "chiefs": r["chiefs"] or "—",
        "river": r["river"],
        "bank": words.both(f"bank.{r['bank']}"),
        "stretch": f"{label(r['from_m'])} – {label(r['to_m'])}",
        "length_m": f"{r['length_m']:,.0f}",
    }
    return [(*words.pair(f"sheet.{k}"), v) for k, v in values.items()]
