"""Batches of remote-sensing patches (图斑批次): filled in by the night, checked by people, given back (下发、核查、上报)."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs, lifecycle, words
from rivergis.boundary import store as boundary_store
from rivergis.encroachment import night_store, patch_files, patch_store, patches
from rivergis.encroachment.patch_files import BatchFile, Form
from rivergis.river import store as river_store
from rivergis.river.register import Register, Spot
from rivergis.rules import RuleView
from rivergis.sourcezone import store as zone_store


@dataclass(frozen=True)
class Patch:
    """One patch of a batch as it stands: as delivered, as filled in, and what became of it."""

    patch_no: str | None
    source_feature: str
    state: str
    note: str
    finding: str | None
    outcome: int | None
    delivered: dict[str, Any]
    filled: dict[str, Any]
    differences: list[tuple[str, str, str]]
    """Field, delivered, computed: where the machine finds another value than was delivered."""


@dataclass(frozen=True)
class Progress:
    """How far a batch is: every patch is counted once."""

    batch: str
    version: int
    file: str
    delivered_on: date
    patches: int
    states: dict[str, int]
    checked: int
    reviewed: int
    differences: int


# ---- the machine ----------------------------------------------------------------------------------------------------


def fill(
    conn: Connection, view: RuleView, register: Register, on: date, known_at: datetime, batch: uuid.UUID | None = None
) -> int:
    """Measure the patches of every batch (or of one) against the lines, zones and permits in force on a day; how many changed.

    Part of the night; what was filled in before stays beside it. Values that were delivered are not touched.
    """
    things = patch_store.shapes(conn, on, batch)
    if things.empty:
        return 0
    figures = _figures(conn, things, view, register, on, known_at)
    before = patch_store.filled(conn, list(things["candidate_id"]), on)
    rows = [
        {"candidate_id": c, "candidate_version": int(v), "figures": f, "content_hash": patches.content_hash(f)}
        for c, v, f in zip(things["candidate_id"], things["candidate_version"], figures, strict=True)
    ]
    return patch_store.add_figures(
        conn, on, [r for r in rows if before.get(str(r["candidate_id"])) != r["content_hash"]]
    )


def _figures(
    conn: Connection, things: gpd.GeoDataFrame, view: RuleView, register: Register, on: date, known_at: datetime
) -> list[dict[str, Any]]:
    areas = boundary_store.areas(conn, on, known_at)
    zone = crs.metric_crs(*crs.centre(things))
    shapes = things.geometry.to_crs(zone)
    measured = patches.measure(list(shapes), areas.to_crs(zone))
    rivers = [None if m["at"] is None else areas["river_id"].iloc[m["at"]] for m in measured]
    spots = register.spots([g.representative_point() for g in things.geometry], rivers)
    reaches = _by_river(river_store.reaches(conn, on, known_at))
    zones, permits = zone_store.zones(conn, on, known_at), night_store.permits(conn, on, known_at)
    hit = _codes_hit(things.geometry, zones, "code")
    allowed = _codes_hit(things.geometry, permits, "doc_no")
    smallest = view.number("encroach.min_patch_area", source_kind="remote_sensing")
    coarsest = view.number("encroach.max_image_gsd")
    out = []
    for i, (m, spot, said, kind) in enumerate(zip(measured, spots, things["delivered"], things["kind"], strict=True)):
        limits = patches.limits_of(m, said, smallest, coarsest)
        own = [code for code, row in allowed[i] if permits["allows"].iloc[row] == kind]
        figures = {k: v for k, v in m.items() if k != "at"} | _where(spot, reaches)
        figures |= {"zones_hit": ";".join(c for c, _ in hit[i]) or None, "permit_id": ";".join(own) or None}
        out.append({k: v for k, v in figures.items() if v is not None} | {"limits": limits})
    return out


def _codes_hit(shapes: gpd.GeoSeries, layer: gpd.GeoDataFrame, name: str) -> list[list[tuple[str, int]]]:
    """For each shape the codes of what it lies in, with their position; what has no geometry is in nothing."""
    out: list[list[tuple[str, int]]] = [[] for _ in range(len(shapes))]
    placed = layer[~(layer.geometry.isna() | layer.geometry.is_empty)] if len(layer) else layer
    if placed.empty:
        return out
    at = {n: i for i, n in enumerate(layer.index)}
    for i, j in zip(*shapely.STRtree(placed.geometry.values).query(shapes.values, predicate="intersects"), strict=True):
        row = at[placed.index[j]]
        code = layer[name].iloc[row]
        out[i].append((str(layer["code"].iloc[row] if pd.isna(code) or not code else code), row))
    return [sorted(found) for found in out]


def _where(spot: Spot, reaches: Mapping[str, list[tuple[float, float, str]]]) -> dict[str, Any]:
    within = [
        code
        for first, last, code in reaches.get(str(spot.river_id), ())
        if spot.at_m is not None and first <= spot.at_m < last
    ]
    return {
        "river_code": spot.river_code,
        "reach_code": within[0] if within else None,
        "adcode": spot.village_code or spot.county_code,
        "bank": spot.bank,
        "chainage": spot.chainage,
    }


def _by_river(reaches: gpd.GeoDataFrame) -> dict[str, list[tuple[float, float, str]]]:
    """river -> from, to (chainage, m) and code of its reaches; those without a place on the axis are left out."""
    out: dict[str, list[tuple[float, float, str]]] = {}
    for river, first, last, code in zip(
        reaches["river_id"], reaches["from_m"], reaches["to_m"], reaches["code"], strict=True
    ):
        if pd.notna(first) and pd.notna(last):
            out.setdefault(str(river), []).append((float(first), float(last), str(code)))
    return out


def register_of(conn: Connection, on: date, known_at: datetime) -> Register:
    """Axes, units and duties of a day."""
    return Register(
        river_store.axes(conn, on, known_at),
        river_store.units(conn, on, known_at),
        river_store.duties(conn, on, known_at),
    )


# ---- what there is ----------------------------------------------------------------------------------------------------


def listed(conn: Connection, batch: str, version: int | None = None) -> list[Patch]:
    """Every patch of a batch in the order of its file, each once, also those set aside or not told."""
    life = lifecycle.load()["finding"]
    return [_patch(row, life) for row in patch_store.patches(conn, patch_store.batch(conn, batch, version)["id"])]


def _patch(row: Mapping[str, Any], life: lifecycle.Lifecycle) -> Patch:
    state = life.fold([m["move"] for m in row["moves"]]) if row["finding_id"] is not None else None
    standing = patches.standing(row, state)
    machine = patches.machine_fields(row)
    differ = patches.differences(row["delivered"], machine)
    check = row["check"] or {}
    return Patch(
        row["patch_no"],
        row["source_feature"],
        standing,
        _note(row, standing, differ),
        str(row["finding_id"]) if row["finding_id"] else None,
        check.get("outcome"),
        row["delivered"],
        patches.form_row(row),
        differ,
    )


def _note(row: Mapping[str, Any], standing: str, differ: Sequence[tuple[str, str, str]]) -> str:
    """What the machine says of a patch beside its figures, in the words of a form."""
    said = []
    if row["aside"]:
        said.append(words.say("patch.aside", why=row["aside"]))
    if standing == "outside":
        said.append(words.say("reason.outside"))
    elif row["reason"]:
        said.append(words.say(f"reason.{row['reason']}"))
    said += [words.say(f"patch.{limit}") for limit in (row["figures"] or {}).get("limits", ())]
    said += [words.say("patch.differs", field=patches.BY_NAME[f].zh, one=one, other=other) for f, one, other in differ]
    return ";".join(said)


def progress(conn: Connection, batch: str) -> Progress:
    """How far a batch is: patches by state, checked, reviewed, and how many differ from what was delivered."""
    head = patch_store.batch(conn, batch)
    found = listed(conn, batch)
    return Progress(
        head["name"],
        head["version"],
        head["file_name"],
        head["delivered_on"],
        len(found),
        dict(sorted(Counter(p.state for p in found).items())),
        sum(p.outcome is not None for p in found),
        sum("reviewed_by" in p.filled for p in found),
        sum(bool(p.differences) for p in found),
    )


# ---- in and out -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Compared:
    """A file against the latest delivery of its batch: equal, or by number what is new, changed and gone."""

    same: bool
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    delivered: dict[int, dict[str, Any]] = field(default_factory=dict)
    """seq -> fields as delivered, without what was only filled in since."""


def compare(conn: Connection, batch: str, read: BatchFile) -> Compared:
    """Whether a file says anything that the latest delivery did not; what we filled in ourselves is nothing new."""
    head = patch_store.latest(conn, batch)
    own = {r.seq: r.delivered for r in read.rows}
    if head is None:
        return Compared(False, [str(r.patch_no) for r in read.rows], delivered=own)
    stored = patch_store.with_history(conn, head["id"])
    known = dict(zip(patches.keys([p["patch_no"] for p in stored]), stored, strict=True))
    new, changed = [], []
    now = patches.keys([r.patch_no for r in read.rows])
    for key, row in zip(now, read.rows, strict=True):
        before = known.get(key)
        if before is None:
            new.append(key)
            continue
        filled = patches.ever_filled(before)
        if not patches.returned(before["delivered"], row.delivered, (before["shape_hash"], row.shape_hash), filled):
            changed.append(key)
        own[row.seq] = patches.as_delivered(before["delivered"], row.delivered, filled)
    gone = sorted(known.keys() - set(now))
    return Compared(not (new or changed or gone), new, changed, gone, own)


def record(
    conn: Connection,
    batch: str,
    read: BatchFile,
    compared: Compared,
    *,
    file_path: str,
    profile: str,
    options: Mapping[str, Any],
    namespace: str,
    delivered_on: date,
) -> int:
    """Record a delivery with every patch of it, as candidate or set aside; returns its version."""
    patch_store.lock(conn)
    head = patch_store.latest(conn, batch)
    version = head["version"] + 1 if head else 1
    identity = patch_store.batch_id(batch, version)
    patch_store.add_batch(
        conn,
        {
            "id": identity,
            "name": batch,
            "version": version,
            "file_name": read.path.name,
            "file_sha256": read.sha256,
            "file_path": file_path,
            "source_layer": read.source_layer,
            "profile": profile,
            "options": {**options, "headings": list(read.headings)},
            "columns": read.columns,
            "encoding": read.encoding,
            "delivered_on": delivered_on,
        },
    )
    held = patch_store.candidates_of(conn, namespace, sorted({r.patch_no for r in read.rows if r.patch_no}))
    asides = patch_store.asides_of(conn, read.sha256, read.source_layer, profile)
    patch_store.add_patches(conn, identity, [_recorded(r, held, asides, compared) for r in read.rows])
    return version


def _recorded(
    row: patch_files.Row, held: Mapping[str, tuple[uuid.UUID, int]], asides: Mapping[str, str], compared: Compared
) -> dict[str, Any]:
    aside = asides.get(row.source_feature)
    known = held.get(row.patch_no) if row.patch_no and aside is None else None
    return {
        "seq": row.seq,
        "source_feature": row.source_feature,
        "patch_no": row.patch_no,
        "candidate_id": known[0] if known else None,
        "candidate_version": known[1] if known else None,
        "aside": None if known else aside or words.say("patch.no_candidate"),
        "delivered": compared.delivered[row.seq],
        "shape_hash": row.shape_hash,
    }


@dataclass(frozen=True)
class Exported:
    """A batch given back: patches written, fields filled in, and what did not fit whole into a column of the form."""

    file: str
    patches: int
    filled: dict[str, int]
    cut: list[tuple[str, str]]


def export(conn: Connection, batch: str, out: Path, store_dir: Path, version: int | None = None) -> Exported:
    """Give a batch back in its form: as delivered, plus what is filled in; every delivered patch exactly once."""
    head = patch_store.batch(conn, batch, version)
    life = lifecycle.load()["finding"]
    values = {}
    for row in patch_store.patches(conn, head["id"]):
        one = _patch(row, life)
        said = dict(one.filled) | ({"check_note": one.note} if one.note else {})
        if "state" not in one.delivered:
            said["state"] = said_state(one.state)
        values[row["source_feature"]] = said
    form = Form(head["columns"], values, head["options"]["headings"], head["encoding"], head["source_layer"])
    patch_files.write(store_dir / head["file_path"], out, form)
    filled = Counter(f for said in values.values() for f in said)
    return Exported(str(out), len(values), dict(sorted(filled.items())), form.cut)


def said_state(state: str) -> str:
    """Where a patch stands, in the words of a form."""
    key = f"state.finding.{state}"
    return words.say(key if key in words.catalogue() else f"patch.state_{state}")
