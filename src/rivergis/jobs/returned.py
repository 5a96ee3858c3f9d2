"""Features that come back from the quarantine corrected: matched by their number, tried by the same rules, marked, never deleted."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs as crs_
from rivergis import layers
from rivergis.db import aside, system
from rivergis.db.connect import Database
from rivergis.db.versions import SetAside
from rivergis.errors import InputError, UsageError, legible
from rivergis.intake import admission, sources, vector
from rivergis.intake import profile as profiles
from rivergis.intake.batch import Course
from rivergis.intake.limits import DEFAULT, Limits
from rivergis.jobs import aside_files
from rivergis.jobs.aside_files import Returned
from rivergis.jobs.layer_import import Found, ImportResult, Options, mapping_key, saver


def listed(
    conn: Connection, layer: str | None = None, whole: bool = False, ids: Sequence[int] | None = None
) -> list[dict[str, Any]]:
    """Rows of the quarantine with the order of axes their source has; see ``db.aside.rows``."""
    rows = aside.rows(conn, layer, whole=whole, ids=ids)
    readings = {i: _reading(aside.import_of(conn, i)) for i in {r["import_id"] for r in rows}}
    return [r | {"axis": readings[r["import_id"]].get("axis"), "source_crs": _system(r, readings)} for r in rows]


def _system(row: dict[str, Any], readings: dict[uuid.UUID, dict[str, Any]]) -> str | None:
    """The system of a row's coordinates; imports that kept no reading kept shapes as they came to EPSG:4490."""
    return row["source_crs"] if "verdict" in readings[row["import_id"]] else crs_.STORAGE


def _reading(record: dict[str, Any]) -> dict[str, Any]:
    """How an earlier import read its file; one that kept no reading kept shapes as they came to EPSG:4490."""
    return dict(record["report"].get("reading") or {"epsg": 4490, "datum": "wgs84", "axis": "normal"})


def dismiss(db: Database, quarantine_id: int, reason: str, actor: str) -> bool:
    """Close a feature that will not be corrected; ``False`` if it was closed before, which changes nothing."""
    if not reason.strip():
        raise UsageError("Say with --reason why it will not be corrected.")
    with db.write(actor) as conn:
        system.one_import_at_a_time(conn)
        if aside.row(conn, quarantine_id)["state"] != "open":
            return False
        aside.note(conn, quarantine_id, "dismissed", reason=reason.strip())
    return True


def take_back(
    db: Database, path: Path, *, actor: str, rules_dir: Path, dry_run: bool = False, limits: Limits = DEFAULT
) -> list[ImportResult]:
    """Bring a corrected export in: rows that now pass are imported and their place in the quarantine is marked resolved.

    One transaction and one result for each import that the rows were set aside from. Rows that were closed before count as
    unchanged; rows that still fail keep their place, with what is wrong now. The same file again changes nothing.
    """
    sources.recognise(path, limits)
    sha256, given = sources.sha256(path), aside_files.read(path, limits)
    unusable, numbered = _numbered(path, given)
    with db.read() as conn:
        known = {r["id"]: r for r in listed(conn, whole=True, ids=list(numbered))}
    unusable += [_foreign(numbered[n]) for n in numbered if n not in known]
    groups: dict[uuid.UUID, list[tuple[dict[str, Any], Returned]]] = {}
    for n, row in sorted(known.items()):
        groups.setdefault(row["import_id"], []).append((row, numbered[n]))
    job = _Job(path, sha256, rules_dir)
    results = [_group(db, job, import_id, pairs, actor, dry_run) for import_id, pairs in groups.items()]
    return [*results, *([_not_ours(path, unusable)] if unusable else [])]


@dataclass(frozen=True)
class _Job:
    path: Path
    sha256: str
    rules_dir: Path


def _numbered(path: Path, given: Sequence[Returned]) -> tuple[list[SetAside], dict[int, Returned]]:
    """Rows by their number in the quarantine; those without one, or with one that stands twice, cannot be matched."""
    unusable, out = [], {}
    for r in given:
        number = int(r.number) if r.number.isdecimal() and len(r.number) < 19 else None
        if number is None or number in out:
            what = "has no number of the quarantine" if number is None else f"repeats the number {number}"
            unusable.append(
                SetAside(r.place, "not_from_quarantine", f"{path.name}, {r.place} {what}: it was left out.")
            )
        else:
            out[number] = r
    return unusable, out


def _foreign(r: Returned) -> SetAside:
    said = f"{r.place}: the quarantine of this database has no number {r.number}: it was left out."
    return SetAside(r.place, "not_from_quarantine", said)


def _not_ours(path: Path, unusable: list[SetAside]) -> ImportResult:
    n = len(unusable)
    found = [Found(a.code, "error", a.sentence, "Left out.", a.source_feature) for a in unusable]
    return ImportResult("", path.name, "", False, n, 0, 0, n, 0, None, unusable, [], found)


class _Undo(Exception):
    """Leaves the transaction without keeping it."""


def _group(
    db: Database,
    job: _Job,
    import_id: uuid.UUID,
    pairs: list[tuple[dict[str, Any], Returned]],
    actor: str,
    dry_run: bool,
) -> ImportResult:
    """The returned rows of one earlier import, by its mapping and options."""
    result: ImportResult | None = None
    try:
        with db.write(actor) as conn:
            system.one_import_at_a_time(conn)
            states = {r["id"]: r for r in aside.rows(conn, ids=[row["id"] for row, _ in pairs])}
            still = [(states[row["id"]], r) for row, r in pairs if states[row["id"]]["state"] == "open"]
            before = aside.import_of(conn, import_id)
            result = _try_again(conn, job, before, still) if still else _nothing(job, before)
            closed = len(pairs) - len(still)
            result = replace(result, count_in=result.count_in + closed, unchanged=result.unchanged + closed)
            if dry_run:
                raise _Undo
    except _Undo:
        pass
    assert result is not None
    return result


def _nothing(job: _Job, before: dict[str, Any]) -> ImportResult:
    return ImportResult(
        before["layer"], legible(job.path.name), before["source_layer"], True, 0, 0, 0, 0, 0, before["source_crs"]
    )


def _try_again(
    conn: Connection, job: _Job, before: dict[str, Any], pairs: list[tuple[dict[str, Any], Returned]]
) -> ImportResult:
    layer = layers.layer(before["layer"])
    mapped = _mapping(job, before)
    options = _options(before["options"])
    source = _source(job, layer, before, pairs)
    about = {
        "file": legible(job.path.name),
        "sha256": job.sha256,
        "layer": before["source_layer"],
        "crs": before["source_crs"],
    }
    batch = vector.map_piece(source, layer, replace(mapped, once_per_code=False), about=about, course=Course())
    if options.valid_from is not None and "valid_from" not in batch.frame:
        batch.frame["valid_from"] = options.valid_from
    new_id = uuid.uuid4()
    # a returned candidate joins the delivery it was missing from; it replaces nothing
    save = saver(conn, layer, options, new_id, complete=False)
    saved = admission.admit(partial(system.trial, conn), batch, layer, save)
    failed = {a.source_feature: a for a in [*batch.set_aside, *saved.set_aside]}
    passed = [row for row, _ in pairs if str(row["id"]) not in failed]
    result = ImportResult(
        layer.name, legible(job.path.name), before["source_layer"], False, len(pairs), saved.imported, saved.unchanged, len(failed),
        batch.skipped, before["source_crs"], list(failed.values()), batch.diagnostics,
        [Found(a.code, "error", a.sentence, "Still set aside.", a.source_feature) for a in failed.values()],
    )  # fmt: skip
    if passed:
        _record(conn, job, before, new_id, result)
    for row in passed:
        aside.note(conn, row["id"], "resolved", import_id=new_id)
    for row, r in pairs:
        now = failed.get(str(row["id"]))
        touched = _attributes(row, r) != row["attributes"] or not _untouched(row, r)
        if now is not None and touched and (now.code, now.sentence) != (row["code"], row["sentence"]):
            aside.note(conn, row["id"], "returned", code=now.code, reason=now.sentence)
    return result


def _record(conn: Connection, job: _Job, before: dict[str, Any], new_id: uuid.UUID, result: ImportResult) -> None:
    key = {k: v for k, v in before["options"].items() if k != "attempt"} | {"returned_from": str(before["id"])}
    earlier = system.last_attempt(conn, result.layer, job.sha256, before["source_layer"], before["profile"], key)
    attempt = {"attempt": str(earlier["attempts"] + 1)} if earlier else {}
    system.record_import(
        conn, import_id=new_id, layer=result.layer, file_name=legible(job.path.name), file_sha256=job.sha256,
        source_layer=before["source_layer"], profile=before["profile"], options=key | attempt, source_crs=before["source_crs"],
        count_in=result.count_in, count_imported=result.imported, count_unchanged=result.unchanged,
        count_quarantined=result.quarantined, count_skipped=result.skipped,
        report={"diagnostics": result.diagnostics, "reading": _reading(before)},
    )  # fmt: skip


def _mapping(job: _Job, before: dict[str, Any]) -> profiles.Mapped:
    """The mapping that the rows came through; if the profile was changed since, its first for the layer."""
    profile = profiles.load(before["profile"] or "plain", job.rules_dir)
    fitting = profile.for_layer(before["layer"], None)
    same = [m for m in fitting if mapping_key(m) == before["options"].get("mapping")]
    if not fitting:
        raise InputError(
            f"The profile {profile.name} takes {before['layer']} from nowhere any more: restore it and return again."
        )
    return (same or fitting)[0]


def _options(kept: dict[str, Any]) -> Options:
    def day(name: str) -> date | None:
        return date.fromisoformat(kept[name]) if kept.get(name) else None

    return Options(
        namespace=kept.get("namespace", "local"),
        valid_from=day("valid_from"),
        feed=kept.get("feed"),
        delivered_on=day("delivered_on"),
        complete=False,
    )


def _source(
    job: _Job, layer: layers.Layer, before: dict[str, Any], pairs: list[tuple[dict[str, Any], Returned]]
) -> vector.Source:
    """Returned rows as a piece of a source layer: attributes and shapes as corrected, brought to EPSG:4490."""
    ids = [row["id"] for row, _ in pairs]
    frame = pd.DataFrame([_attributes(row, r) for row, r in pairs], index=ids, dtype=object)
    if layer.geometry is None:
        return vector.Source(frame, before["source_layer"], before["source_crs"])
    reading = _reading(before)
    shapes = np.array([_shape(row, r, reading) for row, r in pairs], dtype=object)
    source = vector.Source(frame, before["source_layer"], before["source_crs"], shapes)
    _bring_home(source, pairs, reading)
    return source


def _attributes(row: dict[str, Any], r: Returned) -> dict[str, Any]:
    """Attributes as delivered, with what was corrected: a value that came back as it was written keeps its kind."""
    shown = aside_files.distinct(list(row["attributes"]))
    back = {k.lower(): v for k, v in r.attributes.items()}
    out: dict[str, Any] = {}
    for name, value in row["attributes"].items():
        key = next((k for k in (shown[name].lower(), name.lower()) if k in back), None)
        out[name] = value if key is None or _same(value, back.pop(key)) else _back(r, shown[name], name)
    return out | {k: v for k, v in r.attributes.items() if k.lower() in back and v is not None}


def _back(r: Returned, shown: str, name: str) -> Any:
    """The value of a returned attribute under the name it was written with, or its own."""
    return next((v for k, v in r.attributes.items() if k.lower() in (shown.lower(), name.lower())), None)


def _same(value: Any, returned: Any) -> bool:
    """Whether a returned cell says what the attribute said, in whatever kind the file holds it."""
    if value is None or value == "":
        return returned is None or returned == ""
    if returned is None:
        return False
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(returned) == float(value)
        except (TypeError, ValueError):
            return False
    return str(returned) == str(aside_files.exported(value))


def _shape(row: dict[str, Any], r: Returned, reading: dict[str, Any]) -> shapely.Geometry | None:
    """The corrected shape; of a table whose columns of coordinates were corrected, the point they now say."""
    shape = r.shape if r.shaped else aside_files.shape_of(row)
    names = reading.get("positions") or []
    if len(names) == 2 and _untouched(row, r):
        now = [next((v for k, v in r.attributes.items() if k.lower() == n.lower()), None) for n in names]
        if not all(_same(row["attributes"].get(n), v) for n, v in zip(names, now, strict=True)):
            return _point(now, reading)
    return shape


def _untouched(row: dict[str, Any], r: Returned) -> bool:
    """Whether the shape came back as it went out (or the file carries none)."""
    before = aside_files.shape_of(row)
    if not r.shaped or r.shape is None or before is None:
        return not r.shaped or r.shape is before
    return bool(shapely.equals_identical(shapely.normalize(r.shape), shapely.normalize(before)))


def _point(now: list[Any], reading: dict[str, Any]) -> shapely.Geometry | None:
    try:
        x, y = (float(v) for v in now)
    except (TypeError, ValueError):
        return None
    return shapely.Point(y, x) if reading.get("axis") == "swapped" else shapely.Point(x, y)


def _bring_home(source: vector.Source, pairs: list[tuple[dict[str, Any], Returned]], reading: dict[str, Any]) -> None:
    """Put ``geom`` in EPSG:4490 by the system the rows were delivered in, or the one their file was saved in since."""
    home: list[shapely.Geometry | None] = []
    assert source.given is not None
    for (row, r), shape in zip(pairs, source.given, strict=True):
        placed, fault = _placed(row, r, shape, reading)
        home.append(placed)
        if fault is not None:
            source.faults[row["id"]] = fault
    geom = gpd.GeoSeries(home, index=source.frame.index, crs=crs_.STORAGE)
    source.frame = gpd.GeoDataFrame(source.frame, geometry=geom).rename_geometry("geom")


def _placed(
    row: dict[str, Any], r: Returned, shape: shapely.Geometry | None, reading: dict[str, Any]
) -> tuple[shapely.Geometry | None, tuple[str, str] | None]:
    if shape is None or shape.is_empty:
        return shape, None
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        return shapely.force_2d(shape), (
            "coordinates_not_finite",
            "It has coordinates that are not numbers: correct it.",
        )
    system = reading.get("epsg") or reading.get("wkt")
    if system is None:
        said = f"Its system ({row['source_crs']}) was given with parameters that are not kept: import the file anew with --crs."
        return shapely.force_2d(shape), ("crs_not_kept", said)
    if r.epsg is not None and r.epsg != system:
        said = f"It was saved in EPSG:{r.epsg} but delivered in {row['source_crs']}: save it in the system it was delivered in."
        return shapely.force_2d(shape), ("crs_changed", said)
    moved = vector.place_in(system, reading.get("datum") or "wgs84", np.array([shape], dtype=object))[0]
    x0, y0, x1, y1 = moved.bounds if moved is not None else (999.0,) * 4
    if max(abs(x0), abs(x1)) > 180 or max(abs(y0), abs(y1)) > 90 or moved is None:
        x, y = shapely.get_coordinates(shape)[0]
        said = f"Its coordinates ({x:.10g}, {y:.10g}) have no place in {row['source_crs']}: correct them."
        return shapely.force_2d(shape), ("coordinates_out_of_range", said)
    return moved, _far(moved, reading)


def _far(shape: shapely.Geometry, reading: dict[str, Any]) -> tuple[str, str] | None:
    """What lies nowhere near the layer it belongs to is still wrong."""
    extent = reading.get("extent_4490")
    if not extent:
        return None
    west, south, east, north = extent
    margin = max(2.0, east - west, north - south)
    if shapely.box(west - margin, south - margin, east + margin, north + margin).covers(shapely.box(*shape.bounds)):
        return None
    x, y = shapely.get_coordinates(shape)[0]
    return (
        "outlier_vertex",
        f"It still does not lie with the rest of its layer (it comes to {x:.5f} E, {y:.5f} N): "
        "correct the shape itself, in a table the column geom_wkt.",
    )
