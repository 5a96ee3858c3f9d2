"""Jobs on rivers: a built network recorded, axes for rivers that came as loose reaches, and reaches turned to run downstream."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from rivergis import crs
from rivergis.db import system
from rivergis.db.connect import Database
from rivergis.river import measuring as measuring_
from rivergis.river import network_store, stem, store
from rivergis.river.chainage import Axis
from rivergis.river.files import Network
from rivergis.rules import RuleBook, RuleView

SNAP_M = 0.5  # ends of one digitised network meet exactly or not at all; this only forgives rounding


def save_network(
    db: Database, network: Network, book: RuleBook, *, namespace: str, actor: str
) -> network_store.NetworkSaved:
    """Record a network built from files: rivers, axes, reaches, and the build with its defects.

    One transaction; building the same files by the same rules again changes nothing. Reaches of an earlier build of a
    file of that name that this one no longer has end today; their versions stay.
    """
    lines = network.sources[0]
    build = {
        "file_name": lines["file"],
        "file_sha256": lines["sha256"],
        "options": {"sources": network.sources, "method": network.method, "fields": network.taken},
        "rule_set": book.version,
        "counts": network.built.figures,
    }
    with db.write(actor) as conn:
        system.keep_rules(conn, book.version, book.content, book.rows())
        return network_store.save_network(
            conn, network.built.reaches, network.built.defects, namespace=namespace, build=build
        )


@dataclass(frozen=True)
class Calibrated:
    """The official chainage of a river as recorded: its two ends and its chain breaks, in labels."""

    river: str
    stakes: int
    direction: str
    upstream_end: str
    downstream_end: str
    breaks: list[str]


def calibrate(db: Database, view: RuleView, *, river: str, stakes: Path, actor: str) -> Calibrated:
    """Record the stakes of a river's official chainage (官方桩号) from a file; the earlier calibration stays as a version."""
    with db.write(actor) as conn:
        measuring = measuring_.of_database(conn, view, river=river, stakes=stakes)
        axis, calibration = measuring.one()
        store.put_calibration(conn, measuring.axes["id"].iloc[0], calibration.as_json())
    ends = (calibration.label(axis.origin_m), calibration.label(axis.end_m))
    return Calibrated(river, len(calibration.stakes), calibration.direction, *ends, calibration.breaks())


@dataclass(frozen=True)
class AxesBuilt:
    """How many rivers were given an axis, and how many of their reaches lie on it (the rest are side channels)."""

    rivers: int
    reaches: int
    reaches_off_axis: int


def build_axes(db: Database, actor: str) -> AxesBuilt:
    """Give every river that has reaches but no axis the longest chain of its reaches as axis (河道中心线).

    Reaches on the axis get their chainage from the upstream end; side channels keep none. Direction is as digitised.
    One transaction; a second run changes nothing.
    """
    with db.write(actor) as conn:
        waiting = store.rivers_without_axis(conn)
        if not waiting:
            return AxesBuilt(0, 0, 0)
        reaches = store.current_reaches(conn)
        metric = crs.to_metric(reaches)
        chains = {river_id: _chain(reaches, metric, river_id) for river_id, _, _ in waiting}
        axes = gpd.GeoDataFrame(
            [
                (namespace, code, river_id, stem.joined(chains[river_id].geometry, range(len(chains[river_id]))))
                for river_id, namespace, code in waiting
            ],
            columns=["namespace", "code", "river_id", "geom"],
            geometry="geom",
            crs=crs.STORAGE,
        )
        for namespace, group in axes.groupby("namespace"):
            frame = group[["code", "geom"]].assign(river_code=group["code"])
            saved = store.save(conn, "axis", frame, namespace=str(namespace), import_id=None)
            measured = [_measured(chains[r.river_id], *saved.versions[r.code]) for r in group.itertuples()]
            store.put_on_axis(conn, pd.concat(measured))
        on_axis = sum(len(c) for c in chains.values())
        return AxesBuilt(len(chains), on_axis, int(reaches["river_id"].isin(chains.keys()).sum()) - on_axis)


def _chain(reaches: gpd.GeoDataFrame, metric: gpd.GeoDataFrame, river_id: uuid.UUID) -> gpd.GeoDataFrame:
    """Reaches of a river's main stem in order, in degrees."""
    own = reaches[reaches["river_id"] == river_id]
    return own.iloc[stem.main_stem(metric.loc[own.index].geometry, SNAP_M)]


def _measured(chain: gpd.GeoDataFrame, axis_id: uuid.UUID, axis_version: int) -> pd.DataFrame:
    """Chainage of each reach of a chain in order (ellipsoidal), with the axis it is on."""
    to_m = chain["length_m"].cumsum()
    return pd.DataFrame(
        {
            "id": chain["id"],
            "from_m": to_m - chain["length_m"],
            "to_m": to_m,
            "axis_id": axis_id,
            "axis_version": axis_version,
        }
    )


@dataclass(frozen=True)
class Oriented:
    """Reaches compared with the axis of their river, and the codes of those that were turned round."""

    checked: int
    turned: list[str]


def orient(db: Database, actor: str) -> Oriented:
    """Turn reaches that were digitised against the chainage of their river's axis: left and right would be swapped on them.

    Each turned reach is a new version with ``direction_basis = attribute``; the delivered one stays. Reaches without
    chainage or axis are left as digitised. One transaction; a second run changes nothing.
    """
    with db.write(actor) as conn:
        reaches = store.reaches_on_axes(conn)
        axes = {i: Axis(line) for i, line in zip(reaches["river_id"], reaches["axis"], strict=True)}
        against = [
            i
            for i, (river, line) in enumerate(zip(reaches["river_id"], reaches.geometry, strict=True))
            if _runs_upstream(axes[river], line)
        ]
        turned = reaches.iloc[against]
        changes = gpd.GeoDataFrame(
            {
                "id": turned["id"],
                "from_node": turned["to_node"],
                "to_node": turned["from_node"],
                "direction_basis": "attribute",
                "geom": turned.geometry.reverse(),
            },
            geometry="geom",
            crs=crs.STORAGE,
        )
        store.turn_reaches(conn, changes)
    return Oriented(len(reaches), list(turned["code"]))


def _runs_upstream(axis: Axis, line: shapely.LineString) -> bool:
    """Whether a line ends farther up the axis than it begins, beyond doubt: by half its own length."""
    at, _ = axis.locate_arrays([shapely.Point(line.coords[0]), shapely.Point(line.coords[-1])])
    return bool(at[0] - at[1] > crs.length_m(line) / 2)
