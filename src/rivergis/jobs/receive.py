"""Receive files: read, map, save in one transaction, with a record that says what became of every feature."""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import shapely

from rivergis import __version__, geometry, layers
from rivergis.db import system
from rivergis.db.connect import Database
from rivergis.db.versions import Saved
from rivergis.encroachment import store as encroachment_store
from rivergis.errors import InputError, NotFound
from rivergis.intake import cog, raster, secrecy, sources, vector
from rivergis.intake import profile as profiles
from rivergis.intake.delivery import Asked
from rivergis.intake.limits import DEFAULT, Limits
from rivergis.jobs import reference
from rivergis.jobs.layer_import import ImportResult, Job, Options, import_layer
from rivergis.jobs.track_import import TracksReceived, import_tracks

log = logging.getLogger("rivergis.jobs")

__all__ = ["ImportResult", "Options", "TracksReceived", "import_all", "import_file", "import_imagery", "import_tracks"]


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
    others: Sequence[profiles.Profile] = (),
    limits: Limits = DEFAULT,
    large_scale_km2: float = math.inf,
    most_aside: float = 1.0,
    progress: Callable[[str], None] = lambda _: None,
) -> list[ImportResult]:
    """Import a file as a layer: one transaction for each source layer that the profile maps to it.

    The same file with the same options is recognised by its hash and changes nothing. A dry run does everything and
    keeps nothing. ``others``: profiles that may be suggested where this one finds nothing. Raises ``CrsRefused`` where it
    is not certain in which system the file is, ``InputError`` where it cannot be used at all or may be secret
    (``large_scale_km2``: contiguous area up to which large-scale topography is free) or has more than the share ``most_aside``
    of its features set aside. Of a file whose several layers are candidates of one feed, each is a feed of its own.
    """
    layer = layers.layer(layer_name)
    progress(f"{path.name}: reading")
    opened = vector.open_layers(path, _asked(options), reference.of_database(db), limits)
    plan = _plan(profile, layer_name, opened, source_layer)
    if not plan:
        wanted = sorted({n for m in profile.for_layer(layer_name, None) for n in m.source_layers})
        suggested = [f for o in opened if (f := _fitting(others, profile, layer_name, o))]
        raise InputError(
            f"{path.name} has the layers {', '.join(o.name for o in opened)}; the profile {profile.name} takes {layer_name} from "
            f"{', '.join(wanted) or 'none'}: name the layer with --source-layer"
            + (f", or try --profile {suggested[0]}, whose fields it has." if suggested else "."),
            file=str(path),
        )
    _stop_at_secrecy(path, [source for source, _ in plan], options, large_scale_km2)
    job = Job(db, path, actor, profile.name, dry_run, progress, most_aside)
    several = options.feed is not None and len({source.name for source, _ in plan}) > 1
    return [
        _with_suggestion(
            import_layer(job, layer, source, mapped, _of_layer(options, source, several)), others, profile, source
        )
        for source, mapped in plan
    ]


def _of_layer(options: Options, source: vector.Opened, several: bool) -> Options:
    """A complete delivery of one layer says nothing of the other."""
    return replace(options, feed=f"{options.feed}:{source.name}") if several else options


def _asked(options: Options) -> Asked:
    return Asked(None, options.crs, options.datum, options.encoding)


def _stop_at_secrecy(path: Path, opened: Sequence[vector.Opened], options: Options, large_scale_km2: float) -> None:
    """A layer that may be a state secret stays outside until a person answers for it; raises ``InputError``."""
    if options.secrecy_confirmed and options.secrecy_confirmed.strip():
        return
    for source in opened:
        for found in secrecy.look(source.delivered, source.verdict, path.name, large_scale_km2):
            raise InputError(
                f"{path.name}, layer {source.name}: {found.message} {found.action}",
                file=str(path),
                layer=source.name,
                defect=found.code,
            )


def _plan(
    profile: profiles.Profile, target: str, opened: Sequence[vector.Opened], source_layer: str | None
) -> list[tuple[vector.Opened, profiles.Mapped]]:
    """Which source layer goes through which mapping. A file with one layer needs no matching name.

    Of mappings that take a layer by its name only (no filter), a layer of another name goes through the first.
    """
    mappings = profile.for_layer(target, None)
    some = [o for o in opened if source_layer in (None, o.name)]
    if source_layer is not None and not some:
        names = ", ".join(o.name for o in opened)
        raise NotFound(f"There is no layer {source_layer!r} in the file; it has {names}.")
    named = [(o, m) for m in mappings for o in some if m.takes(o.name)]
    if named or len(some) != 1:
        return named
    unfiltered = [m for m in mappings if not m.where]
    return [(some[0], m) for m in mappings if m.where or m is unfiltered[0]]


def _fitting(
    others: Sequence[profiles.Profile], profile: profiles.Profile, target: str, source: vector.Opened
) -> str | None:
    columns = source.delivered.frame.columns if source.delivered.frame is not None else ()
    return profiles.fitting([p for p in others if p.name != profile.name], target, source.name, columns)


def _with_suggestion(
    result: ImportResult, others: Sequence[profiles.Profile], profile: profiles.Profile, source: vector.Opened
) -> ImportResult:
    """Where nothing of a layer could be used for want of its fields: the profile whose fields it has."""
    wanting = {a.code for a in result.set_aside} <= {"code_missing", "value_missing"}
    if result.known or not result.count_in or result.imported + result.unchanged or not wanting:
        return result
    name = _fitting(others, profile, result.layer, source)
    if name is None:
        return result
    said = f"Nothing could be used with the profile {profile.name}; it has the fields of the profile {name}: try --profile {name}."
    note = {"code": "profile_suggested", "count": 1, "sentence": said, "severity": "warning"}
    return replace(result, diagnostics=[note, *result.diagnostics])


def import_all(
    db: Database,
    path: Path,
    *,
    actor: str,
    profile: profiles.Profile,
    options: Options,
    dry_run: bool = False,
    limits: Limits = DEFAULT,
    large_scale_km2: float = math.inf,
    progress: Callable[[str], None] = lambda _: None,
) -> list[ImportResult]:
    """Import every layer of a file that the profile names, in the profile's order; ``progress`` names the absent ones."""
    opened = vector.open_layers(path, _asked(options), reference.of_database(db), limits)
    plan = [(o, m) for m in profile.mappings for o in opened if m.takes(o.name)]
    if not plan:
        wanted = sorted({n for m in profile.mappings for n in m.source_layers})
        raise InputError(
            f"{path.name} has none of the layers the profile {profile.name} names ({', '.join(wanted)}); it has "
            f"{', '.join(sorted(o.name for o in opened))}.",
            file=str(path),
        )
    _stop_at_secrecy(path, [source for source, _ in plan], options, large_scale_km2)
    for source, mapped in plan:
        source.check_geometry(layers.layer(mapped.target))  # before anything is written
    job = Job(db, path, actor, profile.name, dry_run, progress)
    out = []
    for source, mapped in plan:
        # each source layer is a feed of its own: a complete delivery of one says nothing of the other
        own = (
            options
            if options.feed is None and "feed" in mapped.fields
            else replace(options, feed=f"{options.feed or profile.name}:{source.name}")
        )
        out.append(import_layer(job, layers.layer(mapped.target), source, mapped, own))
    taken = {m.target for _, m in plan}
    absent = list(dict.fromkeys(m.target for m in profile.mappings if m.target not in taken))
    if absent:
        progress(f"not in the file: {', '.join(absent)}")
    return out


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
    """Keep a scene in the store, record it and make it ready for tiles; ``cloud`` is a polygon file of where it shows nothing usable."""
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
            _ready_for_tiles(path, store_dir / kept, scene)
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
    _ready_for_tiles(path, store_dir / kept, scene)
    return result(False, saved)


def _ready_for_tiles(path: Path, kept: Path, scene: raster.Scene) -> None:
    """The copy that tiles are read from, made from the file with what lies beside it; evidence does not need it."""
    if cog.beside(kept).is_file():
        return
    try:
        cog.make(path, cog.beside(kept), scene.source_crs)
    except InputError as error:
        log.warning("%s", error.sentence)


def _unobserved(cloud: Path) -> shapely.MultiPolygon:
    frame, name, _ = vector.read_frame(cloud)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(f"{cloud.name}, layer {name} has no geometry: polygons are needed here.", file=str(cloud))
    return geometry.polygons_of(shapely.union_all(shapely.make_valid(frame.geometry.dropna().values)))
