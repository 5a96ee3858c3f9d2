"""What becomes of stakes (界桩): planned ones recorded, then set, lost, damaged, moved, restored; each an event and a new version."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pyogrio
import shapely

from rivergis import crs
from rivergis.boundary import store
from rivergis.boundary.stake import store as stake_store
from rivergis.db.connect import Database
from rivergis.errors import EnvironmentFault, InputError, NotFound, NotNow, UsageError
from rivergis.intake import sources

# event -> (states it may follow, state after it)
_MOVES: dict[str, tuple[tuple[str, ...], str]] = {
    "set": (("planned",), "good"),
    "lost": (("good", "damaged"), "lost"),
    "damaged": (("good",), "damaged"),
    "moved": (("good", "damaged"), "good"),
    "restored": (("lost", "damaged", "good"), "good"),
}
_SOON_M = 0.001


@dataclass(frozen=True)
class Told:
    """An event as it was recorded: the stake's number, its version and status after it, and how far from the true point it stands."""

    code: str
    event: str
    version: int
    status: str
    kind: str
    moved_m: float | None
    moved_bearing_deg: float | None
    from_planned_m: float | None = None
    """How far it was set from the point that was planned."""


@dataclass(frozen=True)
class Report:
    """What is told of a stake: event, civil day, reason, who told it, photo, and for what was set or moved where it stands (degrees)."""

    event: str
    on: date
    reason: str
    reported_by: str | None = None
    photo: Path | None = None
    to: tuple[float, float] | None = None
    height_m: float | None = None
    vertical_datum: str | None = None
    measured_by: str | None = None
    xy_error_m: float | None = None


def report(
    db: Database,
    code: str,
    told: Report,
    actor: str,
    *,
    store_dir: Path,
    today: date,
    within_m: float,
    namespace: str | None = None,
) -> Told:
    """Record what became of a stake; one that is set stands within ``within_m`` of where it was planned.

    Raises ``NotFound``, ``UsageError``, and ``NotNow`` where it does not go with how the stake stands.
    """
    _check(told, today)
    photo = _kept(told.photo, store_dir) if told.photo else None
    with db.write(actor) as conn:
        row = the_one(stake_store.stakes(conn, code=code, namespace=namespace), code)
        _follows(row, told)
        before = stake_store.kind_before(conn, row["id"]) or "base"
        changes, point = _after(row, told, before)
        content = {**row, **changes, **({"photo_sha256": photo} if photo else {})}
        off = _off_planned(row, told, point, within_m)
        version = stake_store.put(conn, content, point, told.on, row["code_namespace"])
        stake_store.add_event(
            conn,
            {
                "stake_id": row["id"],
                "stake_version": version,
                "event": told.event,
                "happened_on": told.on,
                "reason": told.reason.strip(),
                "reported_by": told.reported_by,
                "photo_sha256": photo,
            },
        )
    planned = row["geom"]
    off = crs.GEOD.inv(planned.x, planned.y, point.x, point.y)[2] if told.event == "set" and told.to else None
    return Told(
        code,
        told.event,
        version,
        content["status"],
        content["kind"],
        content["moved_m"],
        content["moved_bearing_deg"],
        off,
    )


def _off_planned(row: dict[str, Any], told: Report, point: shapely.Point, within_m: float) -> float | None:
    """How far from where it was planned a stake was set; ``UsageError`` for a place so far that it is a slip."""
    if told.event != "set" or told.to is None:
        return None
    off = float(crs.GEOD.inv(row["geom"].x, row["geom"].y, point.x, point.y)[2])
    if off > within_m:
        raise UsageError(
            f"{told.to[0]},{told.to[1]} lies {off:.0f} m from where {row['code']} was planned, more than {within_m:g} m: check the position."
        )
    return off


def _check(told: Report, today: date) -> None:
    if not told.reason.strip():
        raise UsageError("Say what was found, with --reason.")
    if told.on > today:
        raise UsageError(f"{told.on} is still to come: give the day it happened or was found.")
    if told.event == "moved" and told.to is None:
        raise UsageError("A moved stake stands somewhere: give its place with --to LON,LAT.")


def the_one(found: Any, code: str) -> dict[str, Any]:
    """The one stake of a number; ``NotFound`` where there is none, ``UsageError`` where several have it."""
    if found.empty:
        raise NotFound(f"There is no stake {code!r}: 'rivergis boundary stakes list' shows those there are.")
    if len(found) > 1:
        names = ", ".join(sorted(found["code_namespace"]))
        raise UsageError(f"The number {code!r} stands on {len(found)} stakes: say which with --namespace ({names}).")
    return {k: _none(v) for k, v in found.iloc[0].to_dict().items()}


def _none(value: Any) -> Any:
    return (
        None if not isinstance(value, shapely.Geometry) and pd.api.types.is_scalar(value) and pd.isna(value) else value
    )


def _follows(row: dict[str, Any], told: Report) -> None:
    """Whether an event goes with how the stake stands; ``NotNow`` otherwise."""
    states, _ = _MOVES[told.event]
    idle = told.event == "restored" and row["status"] == "good" and row["kind"] != "moved"
    if row["status"] not in states or idle:
        raise NotNow(f"The stake {row['code']} is {row['status']}: {told.event!r} does not follow that.")
    if row["kind"] == "virtual":
        raise NotNow(f"The stake {row['code']} is virtual (电子桩): nothing stands there.")
    since = row["since"]
    if since is not None and told.on < since:
        raise NotNow(f"What is known of the stake {row['code']} begins on {since}, after {told.on}: correct the day.")


def _after(row: dict[str, Any], told: Report, before: str) -> tuple[dict[str, Any], shapely.Point]:
    """The stake after the event, and where it stands."""
    changes: dict[str, Any] = {"status": _MOVES[told.event][1]}
    true = true_point(row["geom"], row["moved_m"], row["moved_bearing_deg"])
    point = row["geom"]
    if told.event == "restored":
        point = true
        changes |= {"kind": before, "moved_m": None, "moved_bearing_deg": None}
    if told.event == "moved" and told.to is not None:
        point = shapely.Point(told.to)
        changes |= {"kind": "moved", **vector(true, point)}
    if told.event == "set":
        changes |= {"measured_on": told.on, "measured_by": told.measured_by, "xy_error_m": told.xy_error_m}
        if told.height_m is not None:
            changes |= {"height_m": told.height_m, "vertical_datum": told.vertical_datum}
        if told.to is not None:
            point = shapely.Point(told.to)
    return changes, point


def vector(true: shapely.Point, point: shapely.Point) -> dict[str, float]:
    """The way from the true point to where a stake stands: metres on the ellipsoid, degrees clockwise from north."""
    bearing, _, metres = crs.GEOD.inv(true.x, true.y, point.x, point.y)
    if metres < _SOON_M:
        raise UsageError("It stands where it stood: a stake that was put back is 'restored'.")
    return {"moved_m": float(metres), "moved_bearing_deg": float(bearing) % 360}


def true_point(point: shapely.Point, moved_m: float | None, bearing_deg: float | None) -> shapely.Point:
    """The point that a stake marks: where it stands, less what it was moved by."""
    if moved_m is None or bearing_deg is None:
        return point
    here = point
    back = bearing_deg + 180.0
    for _ in range(3):  # the bearing was told at the true point
        lon, lat, _ = crs.GEOD.fwd(here.x, here.y, back, moved_m)
        there, _, _ = crs.GEOD.inv(lon, lat, here.x, here.y)
        back -= (there - bearing_deg + 180.0) % 360 - 180.0
    return shapely.Point(lon, lat)


def _kept(photo: Path, store_dir: Path) -> str:
    """A photo put into the store under its hash."""
    if not photo.is_file():
        raise InputError(f"{photo} is not there: check the name of the photo.", file=str(photo))
    sha256 = sources.sha256(photo)
    kept = store_dir / "stakes" / f"{sha256}{photo.suffix.lower()}"
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        if not kept.exists():
            shutil.copyfile(photo, kept)
    except OSError as error:
        raise EnvironmentFault(f"{photo.name} cannot be kept in {kept.parent} ({error.strerror}).") from error
    return sha256


@dataclass(frozen=True)
class Recorded:
    """Stakes and boards of a placing as they were recorded; ``known``: numbers that the database had already and left as they were."""

    stakes: int
    known: int
    boards: int
    boards_unchanged: int
    set_aside: list[str]


def record(db: Database, package: Path, actor: str, *, namespace: str) -> Recorded:
    """Record what ``rivergis boundary stakes place --out x.gpkg`` made: new stakes as planned, and boards. Once more changes nothing."""
    stakes, boards = (_layer(package, name) for name in ("stakes", "boards"))
    columns = ["code", "river_code", "bank", "kind", "at_m", "status", "height_m", "vertical_datum", "number_series", "reason", "geom"]  # fmt: skip
    with db.write(actor) as conn:
        there = stake_store.known(conn, list(stakes["code"]), namespace)
        new = stakes[~stakes["code"].isin(there)]
        saved = store.save(conn, "stake", new[columns], namespace=namespace, import_id=None)
        content = [json.loads(c) for c in boards["content"]]
        some = boards[["code", "river_code", "bank", "place", "place_name", "at_m", "title", "geom"]].assign(
            content=content
        )
        put = stake_store.save_boards(conn, some, namespace)
    aside = [a.sentence for a in (*saved.set_aside, *put.set_aside)]
    return Recorded(saved.imported, len(there), put.imported, put.unchanged, list(dict.fromkeys(aside)))


def _layer(package: Path, name: str) -> Any:
    try:
        frame = pyogrio.read_dataframe(package, layer=name)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise InputError(
            f"{package.name} has no layer {name}: make it with rivergis boundary stakes place --out x.gpkg.",
            file=str(package),
        ) from error
    return crs.inward(frame).rename_geometry("geom")
