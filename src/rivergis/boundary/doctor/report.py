"""The report of a check as plain data, for JSON, the page and other programs: defects with their place in degrees."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from rivergis import crs
from rivergis.boundary.doctor.case import ADVISES, BLOCKS, Case, Defect
from rivergis.boundary.doctor.examine import Examined
from rivergis.rules import RuleValue


def report(
    case: Case,
    examined: Examined,
    rules: Sequence[RuleValue],
    repairs: Mapping[int, Mapping[str, Any]] | None = None,
    files: Sequence[str] = (),
) -> dict[str, Any]:
    """The report of ``rivergis boundary check`` (docs/boundary_check.md). ``repairs``: position of a defect -> its proposal."""
    places = _degrees(case, examined.defects)
    defects = [
        _row(d, lon, lat, (repairs or {}).get(i))
        for i, (d, (lon, lat)) in enumerate(zip(examined.defects, places, strict=True))
    ]
    return {
        "defects": defects,
        "not_checked": [asdict(n) for n in examined.not_checked],
        "counts": counts(case, examined.defects),
        "rules": [r.as_dict() for r in rules],
        "params": params(case),
        "files": list(files),
    }


def counts(case: Case, defects: Sequence[Defect]) -> dict[str, Any]:
    """How much was checked and how many defects were found, by code and severity."""
    by_code = Counter(d.code for d in defects)
    severity = Counter(d.severity for d in defects)
    return {
        "defects": len(defects),
        BLOCKS: severity[BLOCKS],
        ADVISES: severity[ADVISES],
        "by_code": dict(sorted(by_code.items())),
        "reaches": len(case.reaches),
        "reach_banks": 2 * len(case.reaches),
        "lines": len(case.lines),
        "areas": 0 if case.areas is None else len(case.areas),
        "stakes": 0 if case.stakes is None else len(case.stakes),
    }


def params(case: Case) -> dict[str, Any]:
    """The limits that were used, as JSON takes them; severities and consequences stand in the rules."""
    said = {k: v for k, v in asdict(case.limits).items() if k not in ("severity", "consequences")}
    return {k: v.isoformat() if isinstance(v, date) else _finite(v) for k, v in said.items()}


def _finite(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _degrees(case: Case, defects: Sequence[Defect]) -> Any:
    if not defects:
        return np.zeros((0, 2))
    xy = shapely.get_coordinates([d.place if not d.place.is_empty else shapely.Point(0, 0) for d in defects])
    return crs.into_storage(CRS(case.lines.crs))(xy)


def _row(d: Defect, lon: float, lat: float, repair: Mapping[str, Any] | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "code": d.code,
        "reach_id": d.reach,
        "bank": d.bank,
        "from_m": _metres(d.from_m),
        "to_m": _metres(d.to_m),
        "lon": round(float(lon), 8),
        "lat": round(float(lat), 8),
        "features": list(d.features),
        "severity": d.severity,
        "measure": None if d.measure is None else round(d.measure, 3),
        "unit": d.unit,
        "sentence": d.sentence,
        "zh": d.zh,
        "side": d.side,
        "layer": d.layer,
        "consequences": list(d.consequences),
    }
    return row if repair is None else {**row, "repair": dict(repair)}


def _metres(value: float) -> float | None:
    return round(value, 2) if math.isfinite(value) else None
