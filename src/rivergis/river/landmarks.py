"""Landmarks (地名标志) as people name places on a river: bridges, weirs, signs, village groups, with their chainage.

A name is taken only where it stands once on its river; what is written a little differently (full-width figures, spaces,
桥 for 大桥) is proposed, never taken.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs
from rivergis.errors import InputError, UsageError
from rivergis.river.calibration import Calibration
from rivergis.river.chainage import Axis

COLUMNS = ("id", "code", "river_id", "river_code", "river", "name", "kind", "at_m", "basis", "offset_m", "bank")
_CHAINAGE = re.compile(r"\d\s*\+\s*\d")
_NOISE = re.compile(r"[\s·.,,。、()()\[\]【】\-—_]+")
# words by which one place has two names: 清溪大桥 is called 清溪桥
_EQUAL_ENDINGS = (
    ("大桥", "桥"),
    ("水文站", "站"),
    ("泵站", "站"),
    ("提灌站", "站"),
    ("河长公示牌", "公示牌"),
    ("村民小组", "组"),
    ("村组", "组"),
)
_PROPOSED = 5


@dataclass(frozen=True)
class Spot:
    """One end of a stretch as it was said: measured chainage in metres, and the landmark that names it, if one does."""

    at_m: float
    label: str
    landmark_id: Any = None
    name: str | None = None


@dataclass(frozen=True)
class Between:
    """The stretch between two spots of a river, upstream end first whichever was said first."""

    river_id: Any
    start: Spot
    end: Spot

    @property
    def from_m(self) -> float:
        return self.start.at_m

    @property
    def to_m(self) -> float:
        return self.end.at_m


class Gazetteer:
    """Where do people mean? Landmarks of rivers with their chainage, and official 桩号 where a river has them.

    ``landmarks``: frame with id, code, river_id, name, kind, at_m (null = not known), geom (Point in EPSG:4490 or null).
    ``axes``: river_id, river_code, river, origin_m, calibration, LineString in EPSG:4490, digitised downstream. A landmark of
    which only the point is known is measured on the axis of its own river; one whose river has no axis, or is farther than
    ``within_m`` from it, has no chainage.
    """

    def __init__(self, landmarks: gpd.GeoDataFrame, axes: gpd.GeoDataFrame, within_m: float) -> None:
        self._within_m = within_m
        self._landmarks = landmarks
        self._axes = axes.drop_duplicates("river_id").set_index("river_id")

    @cached_property
    def marks(self) -> pd.DataFrame:
        """Every landmark, in downstream order of its river: the columns ``COLUMNS``; ``basis`` tells 'given' or 'measured'."""
        found = pd.DataFrame(self._landmarks.drop(columns=self._landmarks.geometry.name)).reset_index(drop=True)
        shapes = self._landmarks.geometry.to_numpy()
        found = found.assign(
            basis=found["at_m"].map(lambda m: None if pd.isna(m) else "given"), offset_m=np.nan, bank=None
        )
        for river_id, rows in found.groupby("river_id", sort=False).groups.items():
            located = [i for i in rows if shapes[i] is not None and not shapely.is_empty(shapes[i])]
            if river_id in self._axes.index and located:
                self._measure(found, river_id, located, shapes[located])
        for column in ("river", "river_code"):
            found[column] = found["river_id"].map(self._axes[column]).fillna(found.get(column, pd.Series(dtype=object)))
        return found.sort_values(["river_code", "at_m", "name"], kind="stable").reset_index(drop=True)[list(COLUMNS)]

    def _measure(self, found: pd.DataFrame, river_id: Any, rows: list[int], points: Any) -> None:
        places = self.axis(river_id).locate(points)
        for i, p in zip(rows, places, strict=True):
            found.loc[i, "offset_m"] = p.offset_m
            found.loc[i, "bank"] = p.bank if p.sided else None
            if pd.isna(found.loc[i, "at_m"]) and abs(p.offset_m) <= self._within_m:
                found.loc[i, ["at_m", "basis"]] = [p.at_m, "measured"]

    def axis(self, river_id: Any) -> Axis:
        """The axis of a river; ``InputError`` where it has none."""
        if river_id not in self._axes.index:
            raise InputError(
                "The river has no axis, so that no chainage is known on it: run 'rivergis river axes' first."
            )
        row = self._axes.loc[river_id]
        return Axis(row[self._axes.geometry.name], float(row["origin_m"]))

    def label(self, river_id: Any, at_m: float) -> str:
        """Official 桩号 of a measured chainage, or the measured one where the river has no official one."""
        return self._calibration(river_id).label(at_m)

    def _calibration(self, river_id: Any) -> Calibration:
        stored = self._axes["calibration"].get(river_id) if "calibration" in self._axes else None
        return Calibration.from_json(stored) if stored else Calibration()

    def on_river(self, river_id: Any, from_m: float | None = None, to_m: float | None = None) -> pd.DataFrame:
        """Landmarks of a river whose chainage is known, upstream first, between two chainages where they are given."""
        own = self.marks[(self.marks["river_id"] == river_id) & self.marks["at_m"].notna()]
        lo, hi = -np.inf if from_m is None else from_m, np.inf if to_m is None else to_m
        return own[(own["at_m"] >= lo) & (own["at_m"] <= hi)]

    def spot(self, river_id: Any, said: str) -> Spot:
        """The place on a river that a landmark's name, its code or a chainage (桩号 12+345) means.

        Raises ``InputError`` where the name stands on several places (which are listed) or on none (what is written
        alike is proposed), and where the chainage lies off the axis; ``details`` has ``problem`` (several, unknown,
        off_river), ``said`` and ``proposals``.
        """
        said = said.strip()
        if _CHAINAGE.search(unicodedata.normalize("NFKC", said)):
            return self._at(river_id, said)
        own = self.on_river(river_id)
        fitting = own[(own["name"] == said) | (own["code"] == said)]
        if len(fitting) == 1:
            row = fitting.iloc[0]
            return Spot(float(row["at_m"]), self.label(river_id, row["at_m"]), row["id"], row["name"])
        if len(fitting):
            raise self._several(river_id, said, fitting)
        raise self._unknown(river_id, said, own)

    def _at(self, river_id: Any, said: str) -> Spot:
        at_m, axis = self._calibration(river_id).parse(said), self.axis(river_id)
        if not axis.origin_m - 1 <= at_m <= axis.end_m + 1:
            ends = " – ".join(self.label(river_id, m) for m in (axis.origin_m, axis.end_m))
            raise InputError(
                f"The chainage {said} lies off the river, which runs {ends}: correct it.",
                problem="off_river",
                said=said,
                proposals=[ends],
            )
        at_m = min(max(at_m, axis.origin_m), axis.end_m)
        return Spot(at_m, self.label(river_id, at_m))

    def _several(self, river_id: Any, said: str, rows: pd.DataFrame) -> InputError:
        places = [f"{r.code} ({self.label(river_id, r.at_m)})" for r in rows.itertuples()]
        return InputError(
            f"{said} stands {len(rows)} times on the river: write the code or the chainage of one of {', '.join(places)}.",
            problem="several",
            said=said,
            proposals=places,
        )

    def _unknown(self, river_id: Any, said: str, own: pd.DataFrame) -> InputError:
        alike = [
            f"{r.name} ({self.label(river_id, r.at_m)})" for r in own.itertuples(index=False) if _alike(said, r.name)
        ]
        more = f"write {' or '.join(alike[:_PROPOSED])}" if alike else "write another name or the chainage (12+345)"
        return InputError(
            f"The river has no landmark {said!r}: {more}.", problem="unknown", said=said, proposals=alike[:_PROPOSED]
        )

    def between(self, river_id: Any, one: str, other: str) -> Between:
        """The stretch from one named place to another (从石桥到鹭洲堰); ``InputError`` as ``spot``, and where both are one place."""
        start, end = sorted((self.spot(river_id, one), self.spot(river_id, other)), key=lambda s: s.at_m)
        if end.at_m - start.at_m < 1.0:
            raise InputError(
                f"{one} and {other} are the same place ({start.label}): a stretch needs two.",
                problem="one_place",
                said=f"{one}, {other}",
            )
        return Between(river_id, start, end)

    def nearest(self, lon: float, lat: float, count: int = 5) -> pd.DataFrame:
        """The landmarks nearest to a position in degrees, with ``distance_m`` on the ellipsoid; of any river."""
        if not -180 <= lon <= 180 or not -90 < lat < 90:
            raise UsageError(f"{lon}, {lat} is not on the earth: longitude comes first, in degrees.")
        known = self.marks[self.marks["at_m"].notna() & self.marks["river_id"].isin(self._axes.index)]
        own = dict(zip(self._landmarks["id"], self._landmarks.geometry, strict=True))
        points = [own[r.id] or self.axis(r.river_id).points_at(np.array([r.at_m]))[0] for r in known.itertuples()]
        xy = shapely.get_coordinates(points)
        away = crs.GEOD.inv(np.full(len(xy), lon), np.full(len(xy), lat), xy[:, 0], xy[:, 1])[2] if len(xy) else []
        return known.assign(distance_m=away).sort_values("distance_m", kind="stable").head(count).reset_index(drop=True)


def _key(name: str) -> str:
    """A name without what people write this way or that."""
    text = _NOISE.sub("", unicodedata.normalize("NFKC", name)).casefold()
    for long, short in _EQUAL_ENDINGS:
        if text.endswith(long):
            return text.removesuffix(long) + short
    return text


def _alike(one: str, other: str) -> bool:
    """Whether two names may mean one place: equal but for spelling, or one within the other."""
    a, b = _key(one), _key(other)
    return bool(a) and (a == b or (len(a) > 1 and (a in b or b in a)))
