"""From what was judged to what is told: one lead for one thing, whatever number of sources show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.encroachment import permit_place
from rivergis.encroachment.area_error import area_error_m2
from rivergis.encroachment.judge_workflow import KEYS, Judged, Night, rounded, scene_code, where
from rivergis.encroachment.overlay import BASIS_RANK
from rivergis.lead import Lead


def lead(judged: Judged, rows: Sequence[int]) -> Lead:
    """The lead on candidates (rows of ``judged``) that are one thing: classed, explained, with all that it rests on.

    The largest part inside speaks for it; its ground is that of all of them together.
    """
    night, over = judged.night, judged.over
    assert night is not None and over is not None and rows
    rows = sorted(rows, key=lambda i: (-np.nan_to_num(float(over.net_m2[i])), str(judged.candidates["id"].iloc[i])))
    chief = rows[0]
    net = _together([over.net[i] for i in rows])
    main = _main(over.main[list(rows)], night)
    area = night.areas.iloc[main]
    row, spot = judged.candidates.iloc[chief], judged.spots[chief]
    line = night.view.classify(row["kind"])
    degrees = gpd.GeoSeries([net, net.representative_point()], crs=night.ground.crs).to_crs(crs.STORAGE)
    ids = [(str(judged.candidates["id"].iloc[i]), int(judged.candidates["version"].iloc[i])) for i in rows]
    permits = sorted({p for i in rows for p in over.permits.of(i)})
    within = sorted({a for i in rows for a in over.within.of(i)})
    sigma = np.hypot(area["xy_error_m"], row["accuracy_m"])
    figures = {
        "area_m2": rounded(net.area) if net.area else None,
        "area_error_m2": rounded(area_error_m2(net, area.geometry.boundary, area["xy_error_m"], row["accuracy_m"])),
        "gross_m2": rounded(_together([over.shape[i] for i in rows]).area)
        if len(rows) > 1
        else rounded(over.gross_m2[chief]),
        "sigma_m": rounded(sigma, 2),
        **_told_by(judged, chief, rows),
        "expired_permit": permit_place.ended_here(night.permits, row["kind"], net),
        **_line(area, within, night),
        **where(spot),
    }
    unaccepted = [p for p in permits if night.permits.unaccepted[p]]
    if unaccepted:
        figures["permits_unaccepted"] = permit_place.words(night.permits, unaccepted)
    return Lead(
        topic="encroachment",
        key=ids[0][0],
        kind=row["kind"],
        class_code=line.code,
        place=degrees.iloc[1],
        geom=degrees.iloc[0],
        position=_position(net, area, sigma),
        basis=area["basis"],
        clause=line.clause,
        competent_authority=line.competent_authority,
        our_action=line.our_action if area["basis"] == "announced" else "仅提示",
        figures=figures,
        rules=rule_rows(night, sorted({judged.candidates["source_kind"].iloc[i] for i in rows})),
        inputs={
            "candidates": [list(i) for i in ids],
            "ground": [reference(night.areas.iloc[a]) for a in sorted({main, *within})],
            "permits": [
                [str(night.permits.frame["id"].iloc[p]), int(night.permits.frame["version"].iloc[p])] for p in permits
            ],
        },
        sources=[_source(judged, i) for i in rows],
        boundary_id=str(area["boundary_id"]),
        boundary_version=int(area["boundary_version"]),
        area_m2=rounded(net.area) if net.area else None,
        district=spot.village_code or "",
        evidence=row["evidence"] or {},
    )


def reference(area: pd.Series) -> dict[str, Any]:
    """What a piece of ground is made of: delimitation, area or lines, each with its version."""
    made = {"boundary": [str(area["boundary_id"]), int(area["boundary_version"])]}
    if pd.notna(area["area_id"]):
        return made | {"area": [str(area["area_id"]), int(area["area_version"])]}
    return made | {"lines": [[str(i), int(v)] for i, v in area["lines"]]}


def rule_rows(night: Night, source_kinds: Sequence[str]) -> list[dict[str, Any]]:
    """The rule rows that the overlay rests on."""
    rows = [night.view.value(key).as_dict() for key in KEYS]
    return rows + [night.view.value("encroach.source_accuracy", source_kind=k).as_dict() for k in source_kinds]


def _together(shapes: Sequence[Any]) -> Any:
    """One shape of several; points count only where there is no ground."""
    flat = [s for s in shapes if s.area > 0]
    return shapely.union_all(flat) if len(flat) > 1 else flat[0] if flat else shapes[0]


def _main(mains: np.ndarray, night: Night) -> int:
    """The area a lead is judged by: the announced one first, then that of its largest part."""
    ranks = [BASIS_RANK.get(night.areas["basis"].iloc[m], 9) for m in mains]
    return int(mains[int(np.argmin(ranks))])


def _position(net: Any, area: pd.Series, sigma: float) -> str:
    """inside: some of it lies deeper than the error; edge: all of it within; undecided: the error is unknown."""
    if np.isnan(sigma):
        return "undecided"
    return "inside" if shapely.intersects(net, area.geometry.buffer(-sigma)) else "edge"


def _told_by(judged: Judged, chief: int, rows: Sequence[int]) -> dict[str, Any]:
    """What the sources say of it; of several the one that shows the largest part, and when the first of them did."""
    row = judged.candidates.iloc[chief]
    evidence = row["evidence"] or {}
    first = [d for d in judged.candidates["first_delivered_on"].iloc[list(rows)] if d is not None]
    return {
        "name": row["name"],
        "kind": row["kind"],
        "source_kind": row["source_kind"],
        "feed": row["feed"],
        "first_delivered_on": str(min(first)) if first else None,
        "imagery_first_seen": scene_code(evidence.get("after")),
        "imagery_before": scene_code(evidence.get("before")),
    }


def _line(area: pd.Series, within: Sequence[int], night: Night) -> dict[str, Any]:
    """The line it is judged by, and every one it lies in where that is more than one."""
    own = {
        "announce_gov": area["announce_gov"],
        "announce_doc_no": area["announce_doc_no"],
        "line_code": area["boundary_code"],
    }
    if len(within) < 2:
        return own
    lines = [
        {"line_code": a["boundary_code"], "river": a["river"], "announce_gov": a["announce_gov"]}
        for a in (night.areas.iloc[i] for i in within)
    ]
    return own | {"lines": lines}


def _source(judged: Judged, i: int) -> dict[str, Any]:
    row = judged.candidates.iloc[i]
    kept = {c: row[c] for c in ("code", "feed", "kind", "source_kind")}
    return {"candidate": str(row["id"]), "version": int(row["version"]), **kept}
