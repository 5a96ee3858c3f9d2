"""From what was judged to what is told: one lead for one thing, whatever number of sources show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from rivergis.encroachment import permit_place
from rivergis.encroachment.facts_workflow import Known, facts, together
from rivergis.encroachment.judge_workflow import Judged
from rivergis.encroachment.night_workflow import Night, reference, rounded, scene_code, where
from rivergis.encroachment.verdict import Verdict, verdict
from rivergis.lead import Lead


def lead(judged: Judged, rows: Sequence[int]) -> Lead:
    """The lead on candidates (rows of ``judged``) that are one thing: classed, explained, with all that it rests on.

    The largest part inside speaks for it; its ground is that of all of them together.
    """
    night, over = judged.night, judged.over
    assert rows
    rows = sorted(rows, key=lambda i: (-np.nan_to_num(float(over.net_m2[i])), str(judged.candidates["id"].iloc[i])))
    known = facts(judged.candidates, over, judged.spots, rows, night)
    found = verdict(known.facts, night.view)
    area, spot, row = night.areas.iloc[known.main], judged.spots[rows[0]], judged.candidates.iloc[rows[0]]
    geom = shapely.transform(known.net, night.to_degrees)
    place = shapely.transform(known.net.representative_point(), night.to_degrees)
    return Lead(
        topic="encroachment",
        key=str(row["id"]),
        kind=row["kind"],
        class_code=found.class_code,
        place=place,
        geom=geom,
        position=found.position,
        basis=area["basis"],
        clause=found.clause,
        competent_authority=found.competent_authority,
        our_action=found.our_action,
        figures=_figures(judged, rows, known, found),
        rules=_rules(found, night, sorted({judged.candidates["source_kind"].iloc[i] for i in rows})),
        inputs=_inputs(judged, rows, known),
        sources=[_source(judged, i) for i in rows],
        boundary_id=str(area["boundary_id"]),
        boundary_version=int(area["boundary_version"]),
        area_m2=rounded(known.net.area) if known.net.area else None,
        district=spot.village_code or spot.county_code or "",
        severity=found.severity.said,
        built_period=found.built_period.period,
        evidence=row["evidence"] or {},
    )


def _figures(judged: Judged, rows: Sequence[int], known: Known, found: Verdict) -> dict[str, Any]:
    """What lists and pages show, and the verdict as it was reached."""
    night, over = judged.night, judged.over
    size = known.facts.area
    sigma = (
        None if known.facts.line_error_m is None else np.hypot(known.facts.line_error_m, known.facts.accuracy_m or 0.0)
    )
    whole = rounded(over.gross_m2[rows[0]]) if len(rows) == 1 else rounded(together([over.shape[i] for i in rows]).area)
    figures = {
        "area_m2": size and size.value,
        "area_error_m2": size and size.sigma,
        "gross_m2": whole,
        "sigma_m": rounded(sigma, 2),
        "distance_m": known.facts.distance_m,
        **_told_by(judged, rows),
        "expired_permit": permit_place.ended_here(night.permits, known.facts.kind, known.net),
        **_line(known, night),
        **where(judged.spots[rows[0]]),
    }
    unaccepted = [p for i in rows for p in over.permits.of(i) if night.permits.unaccepted[p]]
    if unaccepted:
        figures["permits_unaccepted"] = permit_place.words(night.permits, sorted(set(unaccepted)))
    return figures | {"verdict": {k: v for k, v in found.as_dict().items() if k not in ("rules", "line", "sources")}}


def _rules(found: Verdict, night: Night, source_kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Every rule row that the overlay and the verdict rest on, once."""
    rows = night.rule_rows + [
        night.view.value("encroach.source_accuracy", source_kind=k).as_dict() for k in source_kinds
    ]
    return rows + [r for r in found.rules if r not in rows]


def _inputs(judged: Judged, rows: Sequence[int], known: Known) -> dict[str, Any]:
    """Ids and versions of everything that was read for it."""
    night, over = judged.night, judged.over
    taken = sorted({p for i in rows for p in over.permits.of(i)} | set(known.permits))
    rests = {noun: sorted({(str(i), int(v)) for i, v in found}) for noun, found in known.rests.items() if found}
    return {
        "candidates": [[str(judged.candidates["id"].iloc[i]), int(judged.candidates["version"].iloc[i])] for i in rows],
        "measured_at": list(night.at),
        "ground": [reference(night.areas.iloc[a]) for a in known.within],
        "permits": [
            [str(night.permits.frame["id"].iloc[p]), int(night.permits.frame["version"].iloc[p])] for p in taken
        ],
    } | {noun: [list(x) for x in found] for noun, found in sorted(rests.items())}


def _told_by(judged: Judged, rows: Sequence[int]) -> dict[str, Any]:
    """What the sources say of it; of several the one that shows the largest part, and when the first of them did."""
    row = judged.candidates.iloc[rows[0]]
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


def _line(known: Known, night: Night) -> dict[str, Any]:
    """The line it is judged by, and every one it lies in where that is more than one."""
    area = night.areas.iloc[known.main]
    own = {
        "announce_gov": area["announce_gov"],
        "announce_doc_no": area["announce_doc_no"],
        "line_code": area["boundary_code"],
    }
    if len(known.within) < 2:
        return own
    lines = [
        {"line_code": a["boundary_code"], "river": a["river"], "announce_gov": a["announce_gov"]}
        for a in (night.areas.iloc[i] for i in known.within)
    ]
    return own | {"lines": lines}


def _source(judged: Judged, i: int) -> dict[str, Any]:
    row = judged.candidates.iloc[i]
    kept = {c: row[c] for c in ("code", "feed", "kind", "source_kind")}
    return {"candidate": str(row["id"]), "version": int(row["version"]), **kept}
