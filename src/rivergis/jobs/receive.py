"""Receive files: read, map, save in one transaction, with a record that says what became of every feature."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import __version__, geometry, layers
from rivergis.boundary import store as boundary_store
from rivergis.db import system
from rivergis.db.connect import Database
from rivergis.db.versions import Saved, SetAside
from rivergis.encroachment import store as encroachment_store
from rivergis.errors import InputError, UsageError
from rivergis.intake import admission, datasets, raster, sources, track, track_index, vector
from rivergis.intake import profile as profiles
from rivergis.intake.batch import Batch
from rivergis.outfall import store as outfall_store
from rivergis.patrol import workflow as patrol_workflow
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
}


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

    def as_dict(self) -> dict[str, Any]:
        return {k: str(v) for k, v in vars(self).items() if v is not None}


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
    diagnostics: list[dict[str, Any]] = field(default_factory=list)


def import_file(
    db: Database,
    layer_name: str,
    path: Path,
    *,
    actor: str,
    profile: profiles.Profile,
    options: Options,
    source_layer: str | None = None,
    dry_run: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> list[ImportResult]:
    """Import a file as a layer: one transaction for each source layer that the profile maps to it.

    The same file with the same options is recognised by its hash and changes nothing. A dry run does everything and
    keeps nothing.
    """
    layer = layers.layer(layer_name)
    names = datasets.layer_names(path, options.encoding)
    plan = _plan(profile, layer_name, names, source_layer)
    if not plan:
        wanted = sorted({n for m in profile.for_layer(layer_name, None) for n in m.source_layers})
        raise InputError(
            f"{path.name} has the layers {', '.join(names)}; the profile {profile.name} takes {layer_name} from {', '.join(wanted) or 'none'}: "
            "name the layer with --source-layer.",
            file=str(path),
        )
    job = _Job(db, path, actor, profile.name, dry_run, progress)
    return [_import_one(job, layer, name, mapped, options) for name, mapped in plan]


def _plan(
    profile: profiles.Profile, target: str, names: Sequence[str], source_layer: str | None
) -> list[tuple[str, profiles.Mapped]]:
    """Which source layer goes through which mapping. A file with one layer needs no matching name."""
    mappings = profile.for_layer(target, None)
    if source_layer is not None:
        chosen = [m for m in mappings if source_layer in m.source_layers] or mappings
        return [(source_layer, m) for m in chosen]
    named = [(n, m) for m in mappings for n in names if n in m.source_layers]
    return named or ([(names[0], m) for m in mappings] if len(names) == 1 else [])


def import_all(
    db: Database,
    path: Path,
    *,
    actor: str,
    profile: profiles.Profile,
    options: Options,
    dry_run: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> list[ImportResult]:
    """Import every layer of a file that the profile names, in the profile's order; ``progress`` names the absent ones."""
    names = set(datasets.layer_names(path, options.encoding))
    plan = [(n, m) for m in profile.mappings for n in m.source_layers if n in names]
    if not plan:
        wanted = sorted({n for m in profile.mappings for n in m.source_layers})
        raise InputError(
            f"{path.name} has none of the layers the profile {profile.name} names ({', '.join(wanted)}); it has {', '.join(sorted(names))}.",
            file=str(path),
        )
    job = _Job(db, path, actor, profile.name, dry_run, progress)
    out = []
    for name, mapped in plan:
        # each source layer is a feed of its own: a complete delivery of one says nothing of the other
        own = (
            options
            if options.feed is None and "feed" in mapped.fields
            else replace(options, feed=f"{options.feed or profile.name}:{name}")
        )
        out.append(_import_one(job, layers.layer(mapped.target), name, mapped, own))
    taken = {m.target for _, m in plan}
    absent = list(dict.fromkeys(m.target for m in profile.mappings if m.target not in taken))
    if absent:
        progress(f"not in the file: {', '.join(absent)}")
    return out


@dataclass(frozen=True)
class _Job:
    """What all source layers of one file share."""

    db: Database
    path: Path
    actor: str
    profile: str
    dry_run: bool
    progress: Callable[[str], None]


class _Undo(Exception):
    """Leaves the transaction of a dry run without keeping it."""


def _import_one(
    job: _Job, layer: layers.Layer, source_layer: str, mapped: profiles.Mapped, options: Options
) -> ImportResult:
    key = {**options.as_dict(), "mapping": _mapping_key(mapped)}
    job.progress(f"{source_layer} → {layer.name}: reading")
    sha256 = sources.sha256(job.path)
    with job.db.read() as conn:
        before = system.known_import(conn, layer.name, sha256, source_layer, job.profile, key)
    if before is not None:
        return _known(job, before)
    batch = vector.read_layer(
        job.path,
        layer,
        mapped,
        source_layer=source_layer,
        crs=options.crs,
        datum=options.datum,
        encoding=options.encoding,
    )
    if options.valid_from is not None and "valid_from" not in batch.frame:
        batch.frame["valid_from"] = options.valid_from
    job.progress(f"{source_layer} → {layer.name}: {len(batch.frame)} rows into the database")
    result = None
    try:
        with job.db.write(job.actor) as conn:
            system.one_import_at_a_time(conn)
            before = system.known_import(conn, layer.name, batch.file_sha256, source_layer, job.profile, key)
            if before is not None:
                return _known(job, before)
            earlier = system.last_attempt(conn, layer.name, batch.file_sha256, source_layer, job.profile, key)
            attempt = {"attempt": str(earlier["attempts"] + 1)} if earlier else {}
            result = _record(conn, job, layer, mapped, options, key | attempt, batch)
            if earlier and not result.imported and result.quarantined == earlier["count_quarantined"]:
                result = _known(job, earlier)  # what it waits for is still not there
                raise _Undo
            if job.dry_run:
                raise _Undo
    except _Undo:
        pass
    assert result is not None
    return result


def _known(job: _Job, before: dict[str, Any]) -> ImportResult:
    """What to say of a file that came in before."""
    aside, skipped = before["count_quarantined"], before["count_skipped"]
    return ImportResult(
        layer=before["layer"],
        file=job.path.name,
        source_layer=before["source_layer"],
        known=True,
        count_in=before["count_in"],
        imported=0,
        unchanged=before["count_in"] - aside - skipped,
        quarantined=aside,
        skipped=skipped,
        source_crs=before["source_crs"],
    )


def _record(
    conn: Connection,
    job: _Job,
    layer: layers.Layer,
    mapped: profiles.Mapped,
    options: Options,
    key: dict[str, Any],
    batch: Batch,
) -> ImportResult:
    """Rows, quarantine and the record of the import, in the caller's transaction."""
    import_id = uuid.uuid4()
    extra: dict[str, Any] = {}
    if layer.name == "candidate":
        complete = options.complete and not mapped.addition
        extra = {"feed": options.feed, "delivered_on": options.delivered_on, "complete": complete}

    def save(frame: pd.DataFrame) -> Saved:
        return DOORS[layer.group](conn, layer.name, frame, namespace=options.namespace, import_id=import_id, **extra)

    saved = admission.admit(partial(system.trial, conn), batch, layer, save)
    result = _result(batch, job.path, saved)
    system.record_import(
        conn,
        import_id=import_id,
        layer=layer.name,
        file_name=job.path.name,
        file_sha256=batch.file_sha256,
        source_layer=batch.source_layer,
        profile=job.profile,
        options=key,
        source_crs=batch.source_crs,
        count_in=result.count_in,
        count_imported=result.imported,
        count_unchanged=result.unchanged,
        count_quarantined=result.quarantined,
        count_skipped=result.skipped,
        report={"diagnostics": batch.diagnostics, "rivergis": __version__},
    )
    system.quarantine(conn, import_id, layer.name, _quarantine_rows(batch, saved))
    return result


def _mapping_key(mapped: profiles.Mapped) -> str:
    """One source layer may feed a target twice (quarries and landfills of one land-use layer): each is its own import."""
    return json.dumps(
        [mapped.target, dict(mapped.where), dict(mapped.constants)], ensure_ascii=False, sort_keys=True, default=list
    )


def _result(batch: Batch, path: Path, saved: Saved) -> ImportResult:
    aside = [*batch.set_aside, *saved.set_aside]
    return ImportResult(
        layer=batch.layer,
        file=path.name,
        source_layer=batch.source_layer,
        known=False,
        count_in=batch.count_in,
        imported=saved.imported,
        unchanged=saved.unchanged,
        quarantined=len(aside),
        skipped=batch.skipped,
        source_crs=batch.source_crs,
        set_aside=aside,
        diagnostics=batch.diagnostics,
    )


def _quarantine_rows(batch: Batch, saved: Saved) -> list[dict[str, Any]]:
    rows = []
    late = {str(f): i for i, f in enumerate(batch.frame["source_feature"])}
    for a in [*batch.set_aside, *saved.set_aside]:
        attributes, wkt = batch.raw.get(a.source_feature, (None, None))
        if attributes is None and a.source_feature in late:
            row = batch.frame.iloc[late[a.source_feature]]
            attributes = row["source"]["attributes"]
            wkt = row["geom"].wkt if "geom" in row and isinstance(row["geom"], shapely.Geometry) else None
        rows.append(
            {
                "source_feature": a.source_feature,
                "code": a.code,
                "sentence": a.sentence,
                "attributes": attributes or {},
                "geom_wkt": wkt,
            }
        )
    return rows


@dataclass(frozen=True)
class TracksReceived:
    """Track files taken in: new, known before, those that could not be read with their sentence, and what was noticed."""

    new: int
    known: int
    failed: list[dict[str, str]]
    noticed: dict[str, int] = field(default_factory=dict)
    """diagnostic code -> number of files it was said of."""


def import_tracks(
    db: Database,
    path: Path,
    *,
    actor: str,
    store_dir: Path,
    index: Path | None = None,
    chief: str | None = None,
    datum: str | None = None,
    namespace: str = "local",
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda a, b: None,
) -> TracksReceived:
    """Receive a track file, or every track of a folder; an index (JSON list) says whose each is. Bad files are listed, good ones go on."""
    entries = track_index.indexed(path, index) if index is not None else track_index.found(path, chief, datum)
    new = known = 0
    failed = []
    noticed: Counter[str] = Counter()
    for n, entry in enumerate(entries):
        try:
            if dry_run:
                diagnostics = track.read_track(entry.path, entry.datum or "wgs84").diagnostics
                new += 1
            else:
                _check_chief(db, namespace, entry)
                got = patrol_workflow.receive_track(
                    db,
                    entry.path,
                    actor=actor,
                    store_dir=store_dir,
                    chief_code=entry.chief,
                    datum=entry.datum,
                    mode=entry.mode,
                    uploaded_at=entry.uploaded_at,
                    namespace=namespace,
                )
                diagnostics = got.diagnostics
                new, known = new + got.new, known + (not got.new)
            noticed.update({d["code"] for d in diagnostics})
        except (InputError, UsageError) as error:
            failed.append({"file": entry.path.name, "error": error.code, "message": error.sentence})
        progress(n + 1, len(entries))
    if failed and not new and not known:
        raise InputError(failed[0]["message"], file=failed[0]["file"], failed=failed)
    return TracksReceived(new, known, failed, dict(noticed))


def _check_chief(db: Database, namespace: str, entry: track_index.TrackEntry) -> None:
    if entry.chief is None:
        return
    with db.read() as conn:
        if not system.knows(conn, "chief", namespace, entry.chief):
            raise InputError(
                f"{entry.path.name} is said to be of the chief {entry.chief!r}, whom the database does not hold in namespace "
                f"{namespace!r}: import the chiefs first."
            )


def import_imagery(
    db: Database,
    path: Path,
    taken_on: date,
    *,
    actor: str,
    store_dir: Path,
    cloud: Path | None = None,
    code: str | None = None,
    crs: str | None = None,
    namespace: str = "local",
    dry_run: bool = False,
) -> ImportResult:
    """Keep a scene in the store and record it; ``cloud`` is a polygon file of where it shows nothing usable."""
    scene = raster.read_scene(path, crs)
    unobserved = _unobserved(cloud) if cloud is not None else None
    kept = Path("imagery") / f"{scene.sha256}{path.suffix.lower()}"
    options = {"taken_on": str(taken_on), "namespace": namespace, "code": code or path.stem}

    def result(known: bool, saved: Saved) -> ImportResult:
        return ImportResult("imagery", path.name, "", known, 1, saved.imported, saved.unchanged, 0, 0, scene.source_crs)

    if dry_run:
        return result(False, Saved(imported=1))
    with db.write(actor) as conn:
        system.one_import_at_a_time(conn)
        if system.known_import(conn, "imagery", scene.sha256, "", "", options) is not None:
            return result(True, Saved(unchanged=1))
        import_id = uuid.uuid4()
        saved = encroachment_store.save_imagery(
            conn,
            code=code or path.stem,
            taken_on=taken_on,
            gsd_m=scene.gsd_m,
            bands=scene.bands,
            source_crs=scene.source_crs,
            file_sha256=scene.sha256,
            file_path=str(kept),
            unobserved=unobserved,
            geom=scene.footprint,
            namespace=namespace,
            import_id=import_id,
        )
        system.record_import(
            conn,
            import_id=import_id,
            layer="imagery",
            file_name=path.name,
            file_sha256=scene.sha256,
            source_layer="",
            profile="",
            options=options,
            source_crs=scene.source_crs,
            count_in=1,
            count_imported=saved.imported,
            count_unchanged=saved.unchanged,
            count_quarantined=0,
            count_skipped=0,
            report={"rivergis": __version__},
        )
        sources.keep(path, store_dir / kept, sha256=scene.sha256)
    return result(False, saved)


def _unobserved(cloud: Path) -> shapely.MultiPolygon:
    frame, name, _ = vector.read_frame(cloud)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(f"{cloud.name}, layer {name} has no geometry: polygons are needed here.", file=str(cloud))
    return geometry.polygons_of(shapely.union_all(shapely.make_valid(frame.geometry.dropna().values)))
