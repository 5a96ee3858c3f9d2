"""A bundle of maps for the public (公开地图成果): static pages, tables and shapes of whitelisted attributes, under its own 审图号.

Register ids B9, B12 (list of chiefs by township and village), C4 (blue lines), G10. Without a 审图号 there is no map; a list of
chiefs alone may go out as a table, which says nothing of where. The manifest is that of boundary publications, so that the same
command judges whether the bundle still stands. Source: 《地图管理条例》 art. 15, 22.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import Connection

from rivergis import __version__, crs, layers, words
from rivergis.boundary.delivery import publication, publication_workflow
from rivergis.boundary.delivery.publication import MANIFEST, Limits
from rivergis.boundary.delivery.publication_workflow import Held
from rivergis.errors import InputError, NotPermitted, UsageError, inert
from rivergis.layers import LEVELS, Column
from rivergis.maps import atlas, features, palette, public_rows, thinning
from rivergis.maps.atlas import Layers, LocalMap
from rivergis.maps.features import When
from rivergis.maps.public_rows import CHIEFS, Part, Wanted
from rivergis.maps.responsibility import layer_of
from rivergis.reports import bundle, chief_list, morning
from rivergis.river import files
from rivergis.river import store as river_store

_LABEL = ("name", "code")


@dataclass(frozen=True)
class Said:
    """What a person says of the bundle: its code, title, the day printed on it, its 审图号, who confirmed its secrecy."""

    code: str
    title: str
    published_on: date
    review_no: str | None
    secrecy_confirmed: str | None = None


def make(
    conn: Connection,
    said: Said,
    names: Sequence[str],
    chiefs: bool,
    wanted: Wanted,
    at: When,
    limits: Limits,
    folder: Path,
) -> tuple[dict[str, Any], tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Fill a folder with the bundle; its manifest, and what the database keeps of it: its row and the delimitations in it.

    Raises ``NotPermitted`` without a 审图号 (unless it is the list of chiefs alone, as a table), for collections of which nothing may
    be public, and for what may be secret and nobody answered for; ``InputError`` where there is nothing to publish.
    """
    kind = _kind(said, names, limits)
    parts = [_part(conn, name, at, wanted) for name in names]
    parts += [chief_list.part(conn, at, wanted)] if chiefs else []
    if not any(len(p.frame) for p in parts):
        raise InputError("There is nothing to publish: no announced row of these layers is in force there on that day.")
    ground = publication.contiguous_km2(_areas(parts))
    held = _held(conn, said, wanted, at) if "boundary_line" in names or "boundary_area" in names else None
    scale = _scale(held) if kind == "map" else None
    secrecy = publication.check_secrecy(ground, scale, limits, said.secrecy_confirmed)
    _fill(conn, said, kind, parts, at, folder)
    bundle.seal(folder)
    manifest = publication.sealed(_manifest(said, kind, parts, at, folder, ground, scale, secrecy, held))
    (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
    return manifest, _record(manifest, parts, held)


def _kind(said: Said, names: Sequence[str], limits: Limits) -> str:
    kind = publication.kind(said.review_no, limits)
    if kind == "tables" and names:
        raise NotPermitted(
            "没有审图号不得公开地图 A map is published only under its own review number (审图号): give --review-no as the "
            "natural-resources office wrote it; without one only the list of chiefs goes out, as a table (--chiefs alone)."
        )
    return kind


def _part(conn: Connection, name: str, at: When, wanted: Wanted) -> Part:
    found = public_rows.allowed(name)
    return Part(name, found.zh, found.en, public_rows.columns(found), public_rows.rows(conn, name, at, wanted))


def _areas(parts: Sequence[Part]) -> gpd.GeoDataFrame:
    shapes = [
        g
        for p in parts
        if p.name not in ("admin_unit", CHIEFS)
        for g in p.frame.geometry
        if g is not None and g.geom_type.endswith("Polygon")
    ]
    return gpd.GeoDataFrame(geometry=shapes, crs=crs.STORAGE)


def _held(conn: Connection, said: Said, wanted: Wanted, at: When) -> Held:
    """The delimitations in the bundle, with the hash of each as it is published."""
    held = publication_workflow.held(conn, said.title, at.on, rivers=wanted.rivers, known_at=at.known_at)
    acts = held.acts
    kept = (acts["standing"] == "in_force") & (acts["basis"] == "announced")
    if wanted.line_type:
        kept &= acts["line_type"].fillna("management") == wanted.line_type
    return Held(acts[kept].reset_index(drop=True), held.delivery, held.on, held.known_at)


def _scale(held: Held | None) -> float | None:
    """The largest scale (smallest denominator) of the surveys behind the lines."""
    if held is None or "survey_scale" not in held.acts:
        return None
    found = pd.to_numeric(held.acts["survey_scale"], errors="coerce").min()
    return None if pd.isna(found) else float(found)


def _fill(conn: Connection, said: Said, kind: str, parts: Sequence[Part], at: When, folder: Path) -> None:
    for part in parts:
        _write_csv(part, folder / f"{part.name}.csv")
        if kind == "map":
            _write_shapes(part, folder / f"{part.name}.geojson")
    listed = public_rows.attribute_list({p.name: p.columns for p in parts})
    _rows_to(folder / "attributes.csv", ("file", "column", "zh", "en"), listed)
    demo = river_store.has_namespace(conn, "demo")
    if kind == "map":
        (folder / "map.html").write_text(_map(said, parts, at, demo), encoding="utf-8")
    template = morning.environment().get_template("public_bundle.html")
    told = {"parts": parts, "table": chief_list.tables(parts), "attributes": listed, "shown": _SHOWN, "cells": _cells}
    page = template.render(said=said, kind=kind, at=at, demo=demo, **told)
    (folder / "index.html").write_text(page, encoding="utf-8")


_SHOWN = 500


def _cells(part: Part) -> list[list[Any]]:
    """Rows of a part in words, as the page lists them."""
    kept = part.frame.head(_SHOWN)
    return [
        [_said(part, c, v) for c, v in zip(part.columns, row, strict=True)]
        for row in kept[[c.name for c in part.columns]].itertuples(index=False)
    ]


def _said(part: Part, column: Column, value: Any) -> Any:
    if value is None or value != value:
        return ""
    if column.name == "level" or column.name == "bank":
        return words.both(f"{column.name}.{value}")
    return features.said(part.name, column.name, value) if part.name in layers.LAYERS else value


def _write_csv(part: Part, path: Path) -> None:
    held = [c.name for c in part.columns]
    rows = part.frame[held].astype(object).where(part.frame[held].notna(), None)
    _rows_to(path, held, rows.itertuples(index=False))


def _rows_to(path: Path, head: Sequence[str], rows: Any) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows([inert(v) if isinstance(v, str) else v for v in row] for row in rows)


def _write_shapes(part: Part, path: Path) -> None:
    import pyogrio

    frame = part.frame[[*(c.name for c in part.columns), part.frame.geometry.name]]
    dates = {
        c.name: frame[c.name].astype(str).where(frame[c.name].notna(), None) for c in part.columns if c.kind == "date"
    }
    with files.whole(path) as half:
        pyogrio.write_dataframe(crs.outward(frame.assign(**dates)), half, layer=part.name, driver="GeoJSON")


def _map(said: Said, parts: Sequence[Part], at: When, demo: bool) -> str:
    """The interactive page: whitelisted attributes in its popups, the 审图号 in its title and under it."""
    drawn = {name: frame for p in parts for name, frame in _layers(p).items() if len(frame)}
    styles = palette.load()
    kept, note = thinning.fit({n: f for n, f in drawn.items() if n in styles.layers})
    number = f"{words.say('sheet.review_no')}:{said.review_no}"
    title = " · ".join(t for t in (said.title, number, note) if t)
    map_ = LocalMap(
        title,
        f"{words.say('sheet.review_no', 'en')} {said.review_no}",
        day=at.on,
        confidential=False,
        stamp=words.both("page.demo") if demo else None,
    )
    map_.add_layers(kept, hidden=_hidden(kept))
    return map_.look_at(atlas.bounds([f for f in kept.values() if len(f)], margin=0.03)).html()


def _hidden(kept: Layers) -> list[str]:
    """Areas under their own lines, and of the chiefs all levels but the lowest, are a switch away."""
    levels = [layer_of(level) for level in LEVELS if layer_of(level) in kept]
    return [*levels[:-1], *(["boundary_area"] if {"boundary_line", "boundary_area"} <= kept.keys() else [])]


def _layers(part: Part) -> Layers:
    """A part as map layers: the list of chiefs is one of each level."""
    if part.name != CHIEFS:
        return {part.name: _layer(part)}
    placed = _layer(part)[part.frame.geometry.notna().to_numpy()]
    levels = part.frame.loc[part.frame.geometry.notna(), "level"].to_numpy()
    return {layer_of(level): placed[levels == level] for level in LEVELS if level in set(levels)}


def _layer(part: Part) -> gpd.GeoDataFrame:
    records = part.frame.drop(columns=part.frame.geometry.name).to_dict("records")
    label = [next((str(r[k]) for k in ("chief", *_LABEL) if r.get(k)), part.zh) for r in records]
    popup = [
        [(c.zh, c.en, _said(part, c, r[c.name])) for c in part.columns if _said(part, c, r[c.name]) != ""]
        for r in records
    ]
    out = gpd.GeoDataFrame({"label": label, "popup": popup}, geometry=part.frame.geometry.to_numpy(), crs=crs.STORAGE)
    own = features.CLASS.get(part.name)
    if own and own in part.frame:
        out["cls"] = part.frame[own].astype(str).to_numpy()
    if part.name in ("admin_unit", "river"):
        out["text"] = label
    return out


def _manifest(
    said: Said,
    kind: str,
    parts: Sequence[Part],
    at: When,
    folder: Path,
    ground: float,
    scale: float | None,
    secrecy: str | None,
    held: Held | None,
) -> dict[str, Any]:
    acts = [] if held is None else held.acts.to_dict("records")
    told = (
        "code",
        "river_code",
        "river",
        "line_type",
        "announce_gov",
        "announce_doc_no",
        "announced_on",
        "lines_sha256",
    )
    return {
        "code": said.code, "title": said.title, "kind": kind, "review_no": said.review_no,
        "published_on": said.published_on.isoformat(), "as_of": at.on.isoformat(), "known_at": at.known_at.isoformat(),
        "scale_denominator": None if scale is None else int(scale), "contiguous_km2": round(ground, 4), "secrecy": secrecy,
        "extent": _extent(parts) if kind == "map" else None, "crs": "EPSG:4490",
        "delimitations": [{k: None if a[k] is None or a[k] != a[k] else str(a[k]) for k in told} for a in acts],
        "attributes": {p.name: [c.name for c in p.columns] for p in parts},
        "rows": {p.name: len(p.frame) for p in parts},
        "files": [{"path": n, "bytes": (folder / n).stat().st_size, "sha256": bundle.sha256(folder / n)} for n in bundle.names(folder)],
        "notes": [], "made_by": f"rivergis {__version__}",
    }  # fmt: skip


def _extent(parts: Sequence[Part]) -> list[float]:
    boxes = np.array([p.frame.total_bounds for p in parts if len(p.frame)])
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    if not len(boxes):
        raise UsageError("Nothing in the bundle has a place: publish a layer with shapes, too.")
    return [round(float(v), 6) for v in (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0))]


def _record(
    manifest: dict[str, Any], parts: Sequence[Part], held: Held | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    west, south, east, north = _extent(parts)
    row = {
        **{k: manifest[k] for k in ("code", "title", "kind", "review_no", "published_on", "content_sha256", "files")},
        "as_of": manifest["as_of"], "known_at": manifest["known_at"], "scale": manifest["scale_denominator"],
        "km2": manifest["contiguous_km2"], "secrecy": manifest["secrecy"], "west": west, "south": south, "east": east, "north": north,
    }  # fmt: skip
    acts = [] if held is None else held.acts[["boundary_id", "boundary_version", "lines_sha256"]].to_dict("records")
    return row, acts
