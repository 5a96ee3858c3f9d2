"""One source layer into one target layer: piece by piece, in one transaction, with a record of what became of each feature."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from sqlalchemy import Connection

from rivergis import __version__, layers
from rivergis.boundary import store as boundary_store
from rivergis.db import system
from rivergis.db.connect import Database
from rivergis.db.versions import Saved, SetAside
from rivergis.encroachment import store as encroachment_store
from rivergis.errors import InputError, legible
from rivergis.intake import admission, fields, vector
from rivergis.intake import profile as profiles
from rivergis.intake.batch import Batch, Course, merged
from rivergis.intake.delivery import Defect
from rivergis.outfall import store as outfall_store
from rivergis.patrol import store as patrol_store
from rivergis.river import store as river_store
from rivergis.sourcezone import store as zone_store

# which domain takes the layers of which group
DOORS: dict[str, Callable[..., Saved]] = {
    "people": river_store.save,
    "river": river_store.save,
    "boundary": boundary_store.save,
    "sourcezone": zone_store.save,
    "outfall": outfall_store.save,
    "encroachment": encroachment_store.save,
    "patrol": patrol_store.save,
}
# how many of the features set aside a result names; all of them are counted and stand in the quarantine
NAMED = 1_000


@dataclass(frozen=True)
class Options:
    """What the user says of a file; it belongs to the identity of an import."""

    crs: str | None = None
    datum: str | None = None
    encoding: str | None = None
    namespace: str = "local"
    valid_from: date | None = None
    feed: str | None = None
    delivered_on: date | None = None
    complete: bool = True
    secrecy_confirmed: str | None = None
    """Who confirmed, in which document, that a layer which may be secret may be held here; kept with the import."""

    def as_dict(self) -> dict[str, Any]:
        """As the record of an import keeps it: parameters of a transformation are never stored, only that some were given."""
        told = {k: str(v) for k, v in vars(self).items() if v is not None}
        if self.crs and any(
            word in self.crs.lower() for word in ("towgs84", "pipeline", "helmert", "boundcrs", "grids")
        ):
            told["crs"] = f"with transformation parameters ({hashlib.sha256(self.crs.encode()).hexdigest()[:16]})"
        return told


@dataclass(frozen=True)
class Found:
    """One thing that an import found out, did or set aside, with its place (longitude, latitude) where it is known."""

    code: str
    severity: str
    message: str
    action: str = ""
    feature: str | None = None
    count: int = 1
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True)
class ImportResult:
    """What became of a file: in = imported + unchanged + quarantined + skipped."""

    layer: str
    file: str
    source_layer: str
    known: bool
    count_in: int
    imported: int
    unchanged: int
    quarantined: int
    skipped: int
    source_crs: str | None
    set_aside: list[SetAside] = field(default_factory=list)
    """The first ``NAMED`` features set aside."""
    diagnostics: list[dict[str, Any]] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    """Everything worth reporting: defects of the file, what was done to it, the features set aside with their places."""
    extent_4490: list[float] | None = None
    """West, south, east, north of the rows that passed the door, degrees."""


@dataclass(frozen=True)
class Job:
    """What all source layers of one file share."""

    db: Database
    path: Path
    actor: str
    profile: str
    dry_run: bool
    progress: Callable[[str], None]
    most_aside: float = 1.0
    """Share of the features that may be set aside; with more, nothing is kept."""


class _Undo(Exception):
    """Leaves the transaction of a dry run without keeping it."""


@dataclass
class _Tally:
    """The sum of all pieces of a source layer."""

    count_in: int = 0
    imported: int = 0
    unchanged: int = 0
    quarantined: int = 0
    skipped: int = 0
    refused: int = 0
    set_aside: list[SetAside] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    extent: list[float] | None = None

    def add(self, batch: Batch, saved: Saved) -> None:
        aside = [*batch.set_aside, *saved.set_aside]
        self.count_in += batch.count_in
        self.imported += saved.imported
        self.unchanged += saved.unchanged
        self.quarantined += len(aside)
        self.skipped += batch.skipped
        self.refused += sum(a.code == admission.REFUSED for a in batch.set_aside)
        self.notes = merged([*self.notes, *batch.diagnostics])
        self._widen(batch)
        for a in aside[: max(NAMED - len(self.set_aside), 0)]:
            lon, lat = batch.places.get(a.source_feature, (None, None))
            self.set_aside.append(a)
            self.found.append(Found(a.code, "error", a.sentence, "Set aside.", a.source_feature, 1, lon, lat))

    def _widen(self, batch: Batch) -> None:
        bounds = batch.frame.total_bounds if isinstance(batch.frame, gpd.GeoDataFrame) else np.full(4, np.nan)
        if np.isfinite(bounds).all():
            corners = np.array([bounds, self.extent or bounds])
            self.extent = [*corners[:, :2].min(axis=0).tolist(), *corners[:, 2:].max(axis=0).tolist()]


def import_layer(
    job: Job, layer: layers.Layer, opened: vector.Opened, mapped: profiles.Mapped, options: Options
) -> ImportResult:
    """Import a source layer by one mapping: nothing of it stays if anything fails or is interrupted.

    The same file with the same options is recognised by its hash and changes nothing. Raises ``InputError`` for what cannot
    be used at all.
    """
    key = {**options.as_dict(), "mapping": mapping_key(mapped)}
    known = partial(_known_before, job, layer, opened, key)
    with job.db.read() as conn:
        before = known(conn)
    if before is not None:
        return _known(job, before)
    opened.check_geometry(layer)
    course = _course(job, layer, opened, mapped)
    result = None
    try:
        with job.db.write(job.actor) as conn:
            system.one_import_at_a_time(conn)
            before = known(conn)
            if before is not None:
                return _known(job, before)
            earlier = system.last_attempt(conn, layer.name, opened.sha256, opened.name, job.profile, key)
            attempt = {"attempt": str(earlier["attempts"] + 1)} if earlier else {}
            result = _write(conn, job, layer, opened, mapped, options, key | attempt, course)
            if earlier and not result.imported and result.quarantined == earlier["count_quarantined"]:
                result = _known(job, earlier)  # what it waits for is still not there
                raise _Undo
            if job.dry_run:
                raise _Undo
    except _Undo:
        pass
    assert result is not None
    return result


def _known_before(
    job: Job, layer: layers.Layer, opened: vector.Opened, key: dict[str, Any], conn: Connection
) -> dict[str, Any] | None:
    return system.known_import(conn, layer.name, opened.sha256, opened.name, job.profile, key)


def _known(job: Job, before: dict[str, Any]) -> ImportResult:
    """What to say of a file that came in before."""
    aside, skipped = before["count_quarantined"], before["count_skipped"]
    return ImportResult(
        layer=before["layer"],
        file=legible(job.path.name),
        source_layer=before["source_layer"],
        known=True,
        count_in=before["count_in"],
        imported=0,
        unchanged=before["count_in"] - aside - skipped,
        quarantined=aside,
        skipped=skipped,
        source_crs=before["source_crs"],
    )


def _course(job: Job, layer: layers.Layer, opened: vector.Opened, mapped: profiles.Mapped) -> Course:
    """What the pieces must know of the whole layer: which columns it fills, told by a first reading of a large one."""
    if opened.count <= vector.PIECE:
        return Course()
    job.progress(f"{opened.name} → {layer.name}: looking through {opened.count:,} features")
    filled: set[str] = set()
    for source in opened.pieces(vector.PIECE, placed=False):
        filled |= fields.present(source.frame, layer, mapped)
        if "height_m" in (c.name for c in layer.columns) and source.raised:
            filled.add("height_m")
    return Course(present=frozenset(filled))


def _write(
    conn: Connection,
    job: Job,
    layer: layers.Layer,
    opened: vector.Opened,
    mapped: profiles.Mapped,
    options: Options,
    key: dict[str, Any],
    course: Course,
) -> ImportResult:
    """Rows, quarantine and the record of the import, in the caller's transaction."""
    import_id = uuid.uuid4()
    save = saver(conn, layer, options, import_id, options.complete and not mapped.addition)
    tally = _Tally()
    about = opened.provenance()
    for source in opened.pieces(vector.PIECE):
        batch = vector.map_piece(source, layer, mapped, about=about, course=course)
        if options.valid_from is not None and "valid_from" not in batch.frame:
            batch.frame["valid_from"] = options.valid_from
        saved = admission.admit(partial(system.trial, conn), batch, layer, save, tally.refused)
        system.quarantine(conn, import_id, layer.name, quarantine_rows(batch, saved))
        tally.add(batch, saved)
        if opened.count:
            job.progress(f"{opened.name} → {layer.name}: {tally.count_in:,} of {opened.count:,} into the database")
    opened.unchanged()
    result = _result(job, layer, opened, tally)
    if result.quarantined > job.most_aside * tally.count_in:
        raise InputError(
            f"{legible(job.path.name)}, layer {opened.name}: {result.quarantined} of {tally.count_in} features cannot be used, the first "
            f"because: {tally.set_aside[0].sentence.rstrip('.')}; what is missing from a complete delivery would count as gone, so nothing "
            "of it was kept: name the right profile or ask for it again.",
            file=str(job.path),
            layer=opened.name,
        )
    record(conn, import_id, legible(job.path.name), opened, job.profile, key, result)
    return result


def saver(
    conn: Connection, layer: layers.Layer, options: Options, import_id: uuid.UUID, complete: bool
) -> admission.Save:
    """What records rows of a layer in the name of one import."""
    extra: dict[str, Any] = {}
    if layer.name == "candidate":
        extra = {"feed": options.feed, "delivered_on": options.delivered_on, "complete": complete}
    return partial(_save, conn, layer, options.namespace, import_id, extra)


def _save(
    conn: Connection, layer: layers.Layer, namespace: str, import_id: uuid.UUID, extra: dict[str, Any], frame: Any
) -> Saved:
    return DOORS[layer.group](conn, layer.name, frame, namespace=namespace, import_id=import_id, **extra)


def record(
    conn: Connection,
    import_id: uuid.UUID,
    file_name: str,
    opened: vector.Opened,
    profile: str,
    key: Mapping[str, Any],
    result: ImportResult,
) -> None:
    """Record an import with its counts and what was said of it."""
    system.record_import(
        conn,
        import_id=import_id,
        layer=result.layer,
        file_name=file_name,
        file_sha256=opened.sha256,
        source_layer=opened.name,
        profile=profile,
        options=key,
        source_crs=opened.source_crs,
        count_in=result.count_in,
        count_imported=result.imported,
        count_unchanged=result.unchanged,
        count_quarantined=result.quarantined,
        count_skipped=result.skipped,
        report={
            "diagnostics": result.diagnostics,
            "reading": opened.reading | {"extent_4490": result.extent_4490},
            "rivergis": __version__,
        },
    )


def mapping_key(mapped: profiles.Mapped) -> str:
    """One source layer may feed a target twice (quarries and landfills of one land-use layer): each is its own import."""
    return json.dumps(
        [mapped.target, dict(mapped.where), dict(mapped.constants)], ensure_ascii=False, sort_keys=True, default=list
    )


def _result(job: Job, layer: layers.Layer, opened: vector.Opened, tally: _Tally) -> ImportResult:
    notes = merged([*opened.notes, *tally.notes])
    return ImportResult(
        layer=layer.name,
        file=legible(job.path.name),
        source_layer=opened.name,
        known=False,
        count_in=tally.count_in,
        imported=tally.imported,
        unchanged=tally.unchanged,
        quarantined=tally.quarantined,
        skipped=tally.skipped,
        source_crs=opened.source_crs,
        set_aside=tally.set_aside,
        diagnostics=notes,
        found=[*_of_file(opened.defects), *_of_notes(tally.notes), *tally.found],
        extent_4490=tally.extent,
    )


def _of_file(defects: Iterable[Defect]) -> list[Found]:
    return [
        Found(d.code, d.severity, d.message, d.action, d.features[0] if d.features else None, d.count) for d in defects
    ]


def _of_notes(notes: Iterable[dict[str, Any]]) -> list[Found]:
    return [
        Found(
            n["code"], n.get("severity", "info"), n["sentence"], "", next(iter(n.get("features", ())), None), n["count"]
        )
        for n in notes
    ]


def quarantine_rows(batch: Batch, saved: Saved) -> list[dict[str, Any]]:
    """What was set aside of a piece, whole: number, code, sentence, place, attributes and shape as delivered."""
    if saved.set_aside:
        late = {a.source_feature for a in saved.set_aside} - batch.raw.keys()
        for row in batch.frame[batch.frame["source_feature"].astype(str).isin(late)].to_dict("records"):
            batch.keep(row)
    rows = []
    for a in [*batch.set_aside, *saved.set_aside]:
        attributes, wkt, place = batch.raw.get(a.source_feature, ({}, None, None))
        row = {"source_feature": a.source_feature, "code": a.code, "sentence": a.sentence}
        rows.append(row | {"attributes": attributes, "geom_wkt": wkt, "place": place})
    return rows
