"""Chainage on the axes of a network file or of the database: the same questions, whoever holds the rivers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import Connection

from rivergis import crs
from rivergis.db.connect import now_of
from rivergis.errors import InputError, NotFound
from rivergis.intake import vector
from rivergis.river import banks, files, rows, store
from rivergis.river.calibration import Calibration, Stake
from rivergis.river.chainage import Axis, locate_on
from rivergis.river.transfer import Transfer
from rivergis.rules import RuleView

LINES = ("LineString", "MultiLineString")
AREAS = ("Polygon", "MultiPolygon")


@dataclass(frozen=True)
class Measuring:
    """Axes to measure on: ``river_id``, ``river``, ``origin_m``, ``direction_confidence``, LineString in EPSG:4490, one per river.

    ``calibrations``: official chainage by ``river_id``, where stakes are known.
    """

    axes: gpd.GeoDataFrame
    view: RuleView
    calibrations: dict[str, Calibration] = field(default_factory=dict)

    def locate(self, points: Sequence[tuple[float, float]] | gpd.GeoSeries) -> pd.DataFrame:
        """Place of each point on its river: ``river_id``, ``river``, ``chainage`` (label), and the columns of ``locate_on``."""
        shapes = (
            points
            if isinstance(points, gpd.GeoSeries)
            else gpd.GeoSeries(gpd.points_from_xy(*zip(*points, strict=True)), crs=crs.STORAGE)
        )
        found = locate_on(
            self.axes,
            shapes,
            factor=self.view.number("river.chainage.rival_factor"),
            margin_m=self.view.number("river.chainage.rival_margin"),
            min_confidence=self.view.number("river.network.min_confidence"),
        )
        names = self.axes["river"].to_dict()
        labels = [self._calibration(r).label(a) for r, a in zip(found["river_id"], found["at_m"], strict=True)]
        found.insert(1, "river", found["axis"].map(names))
        found.insert(2, "chainage", labels)
        for column in ("other_axis", "braid_axis"):
            found[column] = found[column].map(self.axes["river_id"].to_dict())
        return self._near(found).drop(columns="axis")

    def _near(self, found: pd.DataFrame) -> pd.DataFrame:
        """A place too far from every river is on none: of its row only the distance (``offset_m``) stays."""
        far = found["offset_m"].abs() > self.view.number("river.chainage.max_offset")
        if far.any():
            found = found.astype(dict.fromkeys(found, object))
            found.loc[far, [c for c in found if c != "offset_m"]] = None
        return found

    def locate_file(self, path: Path, layer: str | None = None, system: str | None = None) -> gpd.GeoDataFrame:
        """The points of a file with their places beside their own columns; ``system``: EPSG:CODE where it names none."""
        frame, name, _ = vector.read_frame(path, source_layer=layer, crs=system)
        if not isinstance(frame, gpd.GeoDataFrame) or not (frame.geom_type == "Point").all():
            raise InputError(
                f"{path.name}, layer {name} does not hold points only: give a layer of points.", file=str(path)
            )
        found = self.locate(frame.geometry)
        clear = [c for c in found if c in frame]
        return frame.rename(columns={c: f"src_{c}" for c in clear}).join(found)

    def point(self, chainage: str, offset_m: float = 0.0, bearing_deg: float | None = None) -> dict[str, Any]:
        """Longitude and latitude of a chainage of the one river chosen; ``offset_m`` to the left, see ``Axis.point_at``."""
        axis, calibration = self.one()
        at_m = calibration.parse(chainage)
        place = axis.point_at(at_m, offset_m, bearing_deg)
        river = self.axes.iloc[0]
        said = {
            "river_id": river["river_id"],
            "river": river["river"],
            "chainage": calibration.label(at_m),
            "at_m": at_m,
        }
        return {**said, "offset_m": offset_m, "lon": place.x, "lat": place.y}

    def cut(self, from_: str, to: str) -> gpd.GeoDataFrame:
        """The stretch between two chainages, upstream end first whichever was named first."""
        axis, calibration = self.one()
        a, b = sorted(calibration.parse(c) for c in (from_, to))
        line = axis.stretch(a, b)
        row = {
            "river_id": self.axes["river_id"].iloc[0],
            "river": self.axes["river"].iloc[0],
            "from": calibration.label(a),
            "to": calibration.label(b),
            "from_m": a,
            "to_m": b,
            "length_m": crs.length_m(line),
        }
        return gpd.GeoDataFrame([row], geometry=[line], crs=crs.STORAGE)

    def transfer(self, new: Measuring, chainages: Sequence[str]) -> pd.DataFrame:
        """Chainages of this axis on a re-digitised one: those given, or the whole axis in parts of one kind."""
        old_axis, old_count = self.one()
        new_axis, new_count = new.one()
        match = Transfer(
            old_axis,
            new_axis,
            tolerance_m=self.view.number("river.chainage.transfer_tolerance"),
            reach_m=self.view.number("river.chainage.transfer_reach"),
        )
        if not chainages:
            return match.table()
        places_m = [old_count.parse(c) for c in chainages]
        for at_m in places_m:
            old_axis.point_at(at_m)  # a chainage off the old axis has no place to carry over
        found = match.frame(np.array(places_m))
        found.insert(0, "old", list(chainages))
        found.insert(1, "new", [new_count.label(a) for a in found["at_m"]])
        return found.rename(columns={"at_m": "new_m"})

    def _calibration(self, river_id: Any) -> Calibration:
        return self.calibrations.get(str(river_id), Calibration())

    def one(self) -> tuple[Axis, Calibration]:
        """The one river chosen; ``InputError`` where several fit."""
        if len(self.axes) != 1:
            longest = np.argsort(-crs.length_m(self.axes.geometry.values), kind="stable")[:8]
            names = ", ".join(map(str, self.axes["river_id"].iloc[longest]))
            raise InputError(f"{len(self.axes)} rivers fit, the longest {names}: name one by its code.")
        row = self.axes.iloc[0]
        return Axis(self.axes.geometry.iloc[0], float(row["origin_m"])), self._calibration(row["river_id"])


def of_file(path: Path, view: RuleView, *, river: str | None = None, stakes: Path | None = None) -> Measuring:
    """The axes of a network file; ``river`` by code or name."""
    reaches = files.read_reaches(path)
    found = rows.axis_rows(reaches).rename(columns={"river_code": "river_id"}).drop(columns="code")
    main = reaches[(reaches["channel"] == "main") & (reaches["kind"] != "shoreline")]
    of_river = main.groupby("river_id")
    found["river"] = found["river_id"].map(of_river["river_name"].first())
    found["direction_confidence"] = found["river_id"].map(of_river["direction_confidence"].min())
    return _chosen(found, view, river, stakes, {}, f"of {path.name}")


def of_database(conn: Connection, view: RuleView, *, river: str | None = None, stakes: Path | None = None) -> Measuring:
    """The axes in force today."""
    axes = store.axes(conn, date.today(), now_of(conn))
    stored = {
        str(r): Calibration.from_json(c) for r, c in zip(axes["river_code"], axes["calibration"], strict=True) if c
    }
    found = axes.drop(columns="river_id").rename(columns={"river_code": "river_id"})
    return _chosen(found, view, river, stakes, stored, "in the database: import or build rivers first")


def _chosen(
    axes: gpd.GeoDataFrame,
    view: RuleView,
    river: str | None,
    stakes: Path | None,
    stored: dict[str, Calibration],
    where: str,
) -> Measuring:
    if river is not None:
        axes = axes[(axes["river_id"] == river) | (axes["river"] == river)]
    if axes.empty:
        raise NotFound("No axis is known" + (f" of river {river!r}" if river else "") + f" {where}.")
    axes = axes.reset_index(drop=True)
    if stakes is not None:
        if len(axes) != 1:
            raise InputError("Stakes belong to one river: name it with --river.")
        stored = {
            **stored,
            str(axes["river_id"].iloc[0]): read_stakes(
                stakes, Axis(axes.geometry.iloc[0], float(axes["origin_m"].iloc[0]))
            ),
        }
    return Measuring(axes, view, stored)


def read_stakes(path: Path, axis: Axis) -> Calibration:
    """Stakes of a file as a calibration: ``official_m`` (or a label) with ``at_m``, or with a position on the axis.

    A column ``ahead_m`` makes a chain break. Figures may count from the mouth; the direction is told by themselves.
    """
    frame, name, _ = vector.read_frame(path)
    if "official_m" not in frame:
        raise InputError(
            f"{path.name}, layer {name} has no column official_m: the figure on the stake, in metres or as 12+345.",
            file=str(path),
        )
    if isinstance(frame, gpd.GeoDataFrame) and "at_m" not in frame:
        at, _ = axis.locate_arrays(frame.geometry)
    elif "at_m" in frame:
        at = np.array([_figure(v, Calibration()) for v in frame["at_m"]])
    else:
        raise InputError(f"{path.name} says where no stake is: give at_m, or points.", file=str(path))
    plain = Calibration()
    official = [_figure(v, plain) for v in frame["official_m"]]
    ahead = [None if pd.isna(v) else _figure(v, plain) for v in frame.get("ahead_m", pd.Series([None] * len(frame)))]
    made = sorted((Stake(float(a), o, h) for a, o, h in zip(at, official, ahead, strict=True)), key=lambda s: s.at_m)
    falls = len(made) > 1 and made[-1].official_m < made[0].official_m
    return Calibration(tuple(made), direction="up" if falls else "down")


def _figure(value: Any, plain: Calibration) -> float:
    try:
        return float(value)
    except ValueError:
        return plain.parse(str(value))


@dataclass(frozen=True)
class Banks:
    """Bank lines of reaches, and what was wrong with them (frames of ``river.banks``)."""

    lines: gpd.GeoDataFrame
    defects: gpd.GeoDataFrame

    @property
    def summary(self) -> dict[str, Any]:
        own = self.lines[self.lines["part"] == "bank"]
        return {
            "pieces": len(self.lines),
            "left_m": round(float(own.loc[own["bank"] == "left", "length_m"].sum()), 1),
            "right_m": round(float(own.loc[own["bank"] == "right", "length_m"].sum()), 1),
            "bank_uncertain": int((~own["bank_certain"].astype(bool)).sum()),
            "defects": {str(k): int(v) for k, v in self.defects["code"].value_counts().items()},
        }


def attach_banks(
    network: Path, lines: Path, view: RuleView, *, layer: str | None = None, bank_field: str | None = None
) -> Banks:
    """Given bank lines attached to the reaches of a network, their banks told from the reaches and checked."""
    frame, name, _ = vector.read_frame(lines, source_layer=layer)
    if not isinstance(frame, gpd.GeoDataFrame) or (bank_field is not None and bank_field not in frame):
        there = ", ".join(str(c) for c in frame.columns)
        raise InputError(
            f"{lines.name}, layer {name}: no lines, or no field {bank_field!r}; it has {there}.", file=str(lines)
        )
    if not frame.geom_type.isin(LINES).any():
        raise InputError(f"{lines.name}, layer {name} holds no lines: name the layer of the banks.", file=str(lines))
    return Banks(*banks.attach(frame, files.read_reaches(network), bank_column=bank_field, **_bank_method(view)))


def banks_of_water(network: Path, areas: Path, view: RuleView, *, layer: str | None = None) -> Banks:
    """Bank lines taken from the rims of water areas."""
    frame, name, _ = vector.read_frame(areas, source_layer=layer)
    if not isinstance(frame, gpd.GeoDataFrame) or not frame.geom_type.isin(AREAS).any():
        raise InputError(f"{areas.name}, layer {name} holds no areas: name the layer of the waters.", file=str(areas))
    frame = frame[frame.geom_type.isin(AREAS)]
    return Banks(*banks.from_water(frame, files.read_reaches(network), **_bank_method(view)))


def _bank_method(view: RuleView) -> dict[str, float]:
    return {
        "max_offset_m": view.number("river.bank.max_offset"),
        "step_m": view.number("river.bank.step"),
        "min_confidence": view.number("river.network.min_confidence"),
    }


def write_banks(done: Banks, out: Path) -> None:
    """Write ``banks`` and ``defects`` as layers of a GeoPackage; whole or not at all."""
    files.check_out(out, True)
    files.write_package(out, [("banks", done.lines, "LineString"), ("defects", done.defects, "Point")])
