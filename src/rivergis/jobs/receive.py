"""Receive files: read, map, save in one transaction, with a record that says what became of every feature."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import shapely

from rivergis import __version__, geometry, layers
from rivergis.boundary import store as boundary_store
from rivergis.db import system
from rivergis.db.connect import Database
from rivergis.db.versions import Saved, SetAside
from rivergis.encroachment import store as encroachment_store
from rivergis.errors import InputError
from rivergis.intake import datasets, raster, sources, vector
from rivergis.intake import profile as profiles
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
) -> list[ImportResult]:
    """Import a file as a layer: one transaction for each source layer that the profile maps to it.

    The same file with the same options is recognised by its hash and changes nothing.
    """
    layer = layers.layer(layer_name)
    names = datasets.layer_names(path)
    plan = _plan(profile, layer_name, names, source_layer)
    if not plan:
        wanted = sorted({n for m in profile.for_layer(layer_name, None) for n in m.source_layers})
        raise InputError(
            f"{path.name} has the layers {', '.join(names)}; the profile {profile.name} takes {layer_name} from {', '.join(wanted) or 'none'}: "
            "name the layer with --source-layer.",
            file=str(path),
        )
    return [_import_one(db, layer, path, name, mapped, actor, profile.name, options, dry_run) for name, mapped in plan]


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
    """Import every layer of a file that the profile names, in the profile's order; absent ones are left out."""
    names = set(datasets.layer_names(path))
    out = []
    for mapped in profile.mappings:
        for name in [n for n in mapped.source_layers if n in names]:
            progress(f"{name} → {mapped.target}")
            # each source layer is a feed of its own: a complete delivery of one says nothing of the other
            own = (
                options
                if options.feed is None and "feed" in mapped.fields
                else replace(options, feed=f"{options.feed or profile.name}:{name}")
            )
            out.append(
                _import_one(db, layers.layer(mapped.target), path, name, mapped, actor, profile.name, own, dry_run)
            )
    if not out:
        wanted = sorted({n for m in profile.mappings for n in m.source_layers})
        raise InputError(
            f"{path.name} has none of the layers the profile {profile.name} names ({', '.join(wanted)}); it has {', '.join(sorted(names))}.",
            file=str(path),
        )
    return out


def _import_one(
    db: Database,
    layer: layers.Layer,
    path: Path,
    source_layer: str,
    mapped: profiles.Mapped,
    actor: str,
    profile_name: str,
    options: Options,
    dry_run: bool,
) -> ImportResult:
    batch = vector.read_layer(
        path, layer, mapped, source_layer=source_layer, crs=options.crs, datum=options.datum, encoding=options.encoding
    )
    if options.valid_from is not None and "valid_from" not in batch.frame:
        batch.frame["valid_from"] = options.valid_from
    key = {**options.as_dict(), "mapping": _mapping_key(mapped)}
    if dry_run:
        return _result(batch, path, Saved(imported=len(batch.frame)), known=False)
    with db.write(actor) as conn:
        before = system.known_import(conn, layer.name, batch.file_sha256, source_layer, profile_name, key)
        if before is not None:
            return ImportResult(
                layer.name,
                path.name,
                source_layer,
                True,
                before["count_in"],
                0,
                before["count_in"] - before["count_quarantined"] - before["count_skipped"],
                before["count_quarantined"],
                before["count_skipped"],
                before["source_crs"],
            )
        import_id = uuid.uuid4()
        extra = (
            {
                "feed": options.feed,
                "delivered_on": options.delivered_on,
                "complete": options.complete and not mapped.addition,
            }
            if layer.name == "candidate"
            else {}
        )
        saved = DOORS[layer.group](
            conn, layer.name, batch.frame, namespace=options.namespace, import_id=import_id, **extra
        )
        result = _result(batch, path, saved, known=False)
        system.record_import(
            conn,
            import_id=import_id,
            layer=layer.name,
            file_name=path.name,
            file_sha256=batch.file_sha256,
            source_layer=source_layer,
            profile=profile_name,
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


def _result(batch: vector.Batch, path: Path, saved: Saved, *, known: bool) -> ImportResult:
    aside = [*batch.set_aside, *saved.set_aside]
    return ImportResult(
        batch.layer,
        path.name,
        batch.source_layer,
        known,
        batch.count_in,
        saved.imported,
        saved.unchanged,
        len(aside),
        batch.skipped,
        batch.source_crs,
        aside,
        batch.diagnostics,
    )


def _quarantine_rows(batch: vector.Batch, saved: Saved) -> list[dict[str, Any]]:
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
    """Track files taken in: new, known before, and those that could not be read with their sentence."""

    new: int
    known: int
    failed: list[dict[str, str]]


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
    progress: Callable[[int, int], None] = lambda a, b: None,
) -> TracksReceived:
    """Receive a track file, or every track of a folder; an index (JSON list) says whose each is. Bad files are listed, good ones go on."""
    entries = _track_entries(path, index, chief, datum)
    new = known = 0
    failed = []
    for n, entry in enumerate(entries):
        try:
            got = patrol_workflow.receive_track(
                db,
                entry["path"],
                actor=actor,
                store_dir=store_dir,
                chief_code=entry["chief"],
                datum=entry["datum"],
                mode=entry["mode"],
                uploaded_at=entry["uploaded_at"],
                namespace=namespace,
            )
            new, known = new + got.new, known + (not got.new)
        except InputError as error:
            failed.append({"file": entry["path"].name, "error": error.code, "message": error.sentence})
        progress(n + 1, len(entries))
    if failed and not new and not known:
        raise InputError(failed[0]["message"], file=failed[0]["file"], failed=failed)
    return TracksReceived(new, known, failed)


def _track_entries(path: Path, index: Path | None, chief: str | None, datum: str | None) -> list[dict[str, Any]]:
    if index is not None:
        try:
            listed = json.loads(index.read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError) as error:
            raise InputError(f"The index {index} cannot be read as JSON: {error}.", file=str(index)) from error
        folder = path if path.is_dir() else path.parent
        return [
            {
                "path": folder / e["file"],
                "chief": e.get("chief_code"),
                "datum": e.get("datum_declared"),
                "mode": e.get("mode") or "app",
                "uploaded_at": datetime.fromisoformat(e["uploaded_at"]) if e.get("uploaded_at") else None,
            }
            for e in listed
        ]
    files = sorted(p for p in path.iterdir() if p.suffix.lower() in sources.TRACK) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path} holds no track files ({' '.join(sorted(sources.TRACK))}).", file=str(path))
    return [{"path": p, "chief": chief, "datum": datum, "mode": "app", "uploaded_at": None} for p in files]


def import_imagery(
    db: Database,
    path: Path,
    taken_on: date,
    *,
    actor: str,
    store_dir: Path,
    cloud: Path | None = None,
    code: str | None = None,
    namespace: str = "local",
) -> ImportResult:
    """Keep a scene in the store and record it; ``cloud`` is a polygon file of where it shows nothing usable."""
    scene = raster.read_scene(path)
    unobserved = None
    if cloud is not None:
        frame, _, _ = vector.read_frame(cloud)
        unobserved = geometry.polygons_of(shapely.union_all(frame.geometry.values))
    kept = Path("imagery") / f"{scene.sha256}{path.suffix.lower()}"
    options = {"taken_on": str(taken_on), "namespace": namespace, "code": code or path.stem}
    with db.write(actor) as conn:
        before = system.known_import(conn, "imagery", scene.sha256, "", "", options)
        if before is not None:
            return ImportResult("imagery", path.name, "", True, 1, 0, 1, 0, 0, scene.source_crs)
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
        sources.keep(path, store_dir / kept)
    return ImportResult("imagery", path.name, "", False, 1, saved.imported, saved.unchanged, 0, 0, scene.source_crs)
