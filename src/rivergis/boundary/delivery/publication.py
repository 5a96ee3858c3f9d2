"""What a publication of boundary lines vouches for: its manifest, its content hash, and what makes it void.

Source: 《地图管理条例》 art. 15, 22 (审图号 shown on every map that is open to the public); 测绘地理信息管理工作国家秘密范围的规定 2020.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import geopandas as gpd
import shapely

from rivergis import crs
from rivergis.errors import NotPermitted, UsageError

MANIFEST = "manifest.json"
_HASH = "content_sha256"


@dataclass(frozen=True)
class Fault:
    """One thing that makes a publication void: code (``publication.CODE`` in the catalogue) and what it is about."""

    code: str
    path: str = ""
    reason: str = ""

    def values(self) -> dict[str, str]:
        return {"path": self.path, "code": self.path, "reason": self.reason}


def canonical(value: Any) -> bytes:
    """Data as bytes that depend on nothing but the data."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str).encode()


def sha256(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def sealed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest with the hash over all it says: title, number, day, extent, delimitations and every file."""
    bare = {k: v for k, v in manifest.items() if k != _HASH}
    return {**bare, _HASH: sha256(bare)}


def faults(manifest: Mapping[str, Any], there: Mapping[str, str]) -> list[Fault]:
    """What is not as it was published; ``there``: path -> sha256 of the files that are there beside the manifest."""
    out = [] if sealed(manifest)[_HASH] == manifest.get(_HASH) else [Fault("manifest_changed")]
    said = {str(f["path"]): str(f["sha256"]) for f in manifest.get("files", ())}
    out += [Fault("file_missing", p) for p in sorted(set(said) - set(there))]
    out += [Fault("file_changed", p) for p in sorted(set(said) & set(there)) if said[p] != there[p]]
    return out + [Fault("file_added", p) for p in sorted(set(there) - set(said))]


def lines_sha256(act: Mapping[str, Any], lines: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> str:
    """Hash over one delimitation: its act, its lines (code, bank, chainages, shape) and its areas, whatever their order.

    Frames in EPSG:4490. The same content has the same hash in every database.
    """
    kept = ("code", "line_type", "basis", "announce_gov", "announce_doc_no", "announced_on")
    rows = sorted(
        [str(c), str(b), _figure(f), _figure(t), shapely.to_wkb(g, hex=True)]
        for c, b, f, t, g in zip(
            lines["code"], lines["bank"], lines["from_m"], lines["to_m"], lines.geometry, strict=True
        )
    )
    return sha256({
        "act": {k: None if act.get(k) is None else str(act[k]) for k in kept},
        "lines": rows,
        "areas": sorted(shapely.to_wkb(shapely.normalize(g), hex=True) for g in areas.geometry),
    })  # fmt: skip


def _figure(value: Any) -> str:
    return "" if value is None or value != value else repr(round(float(value), 4))


def contiguous_km2(areas: gpd.GeoDataFrame) -> float:
    """The largest contiguous ground that is shown, km2 on the ellipsoid; areas in EPSG:4490."""
    if areas.empty:
        return 0.0
    parts = shapely.get_parts(shapely.union_all(shapely.make_valid(areas.geometry.values)))
    return float(max((crs.area_m2(p) for p in parts if p.geom_type == "Polygon"), default=0.0)) / 1e6


@dataclass(frozen=True)
class Limits:
    """Rules of publication: km2 of contiguous ground up to which scales larger than 1:``large_scale`` are free."""

    contiguous_km2: float
    large_scale: float
    require_review_number: bool


def kind(review_no: str | None, limits: Limits) -> str:
    """``map`` where a review number (审图号) was given, else ``tables``: neither a map nor any shape or coordinate."""
    if review_no is not None and not review_no.strip():
        raise UsageError(
            "--review-no is empty: give the 审图号 as the natural-resources office wrote it, or leave it away."
        )
    return "map" if review_no is not None or not limits.require_review_number else "tables"


def check_secrecy(found_km2: float, scale: float | None, limits: Limits, confirmed: str | None) -> str | None:
    """Refuse what may be a state secret until a person answers for it; the sentence that stands in the manifest, or None.

    ``scale``: the largest scale (denominator) of survey or map; None = no map. Raises ``NotPermitted``.
    """
    if scale is None or scale >= limits.large_scale or found_km2 <= limits.contiguous_km2:
        return None
    told = (
        f"It shows {found_km2:.1f} km2 of contiguous ground at 1:{scale:.0f}: more than {limits.contiguous_km2:g} km2 at a scale larger "
        f"than 1:{limits.large_scale:.0f} may be a state secret"
    )
    if not confirmed or not confirmed.strip():
        raise NotPermitted(
            f'{told}; publish it with --secrecy-confirmed "WHO, DOCUMENT" once the competent office has confirmed it, or at a smaller scale.'
        )
    return f"{told}; confirmed by {confirmed.strip()}."


def standing_faults(rows: Sequence[Mapping[str, Any]], on: date) -> list[Fault]:
    """Which delimitations of a publication are no longer in force on a day; rows: code and standing."""
    codes = {"superseded": "superseded", "revoked": "revoked"}
    out = []
    for row in rows:
        if row["standing"] != "in_force":
            out.append(Fault(codes.get(str(row["standing"]), "not_in_force"), str(row["code"])))
    return out
