"""The facts of one thing, from everything the database knows of its place on that day, with what each rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis.encroachment.area_error import area_error_m2
from rivergis.encroachment.facts import Facts
from rivergis.encroachment.night_workflow import Night, scene_code
from rivergis.encroachment.overlay import BASIS_RANK, Overlaid
from rivergis.encroachment.permit_match import PermitMatch, Permitted, Standing, match
from rivergis.encroachment.position import distance_to_line
from rivergis.encroachment.severity import Measured
from rivergis.encroachment.surroundings_workflow import Rests
from rivergis.river.register import Spot


@dataclass(frozen=True)
class Known:
    """The facts of one thing, with its ground (metres), the area it is judged by, and ids and versions of all they rest on."""

    facts: Facts
    net: Any
    main: int
    within: list[int]
    permits: list[int]
    rests: Rests


class Places(Protocol):
    """Where candidates are, by row."""

    def __getitem__(self, row: int, /) -> Spot: ...


def facts(frame: gpd.GeoDataFrame, over: Overlaid, spots: Places, rows: Sequence[int], night: Night) -> Known:
    """The facts of candidates (``rows`` of the frame, the overlay and the spots) that are one thing; the first speaks for it."""
    row, spot = frame.iloc[rows[0]], spots[rows[0]]
    net = together([over.net[i] for i in rows])
    mains = [int(over.main[i]) for i in rows]
    main = min(mains, key=lambda m: BASIS_RANK.get(night.areas["basis"].iloc[m], 9))
    area = night.areas.iloc[main]
    rests: Rests = {}
    line_error, accuracy = number(area["xy_error_m"]), number(row["accuracy_m"])
    sigma = area_error_m2(net, area.geometry.boundary, np.nan if line_error is None else line_error, accuracy or np.nan)
    size = Measured(round(net.area, 1), "m2", None if sigma is None else round(sigma, 1)) if net.area else None
    evidence = row["evidence"] or {}
    volume = number(evidence.get("volume_m3"))
    without, with_, gsd_m = _bracket(frame, rows, night, rests)
    permits, matches = _permits(together([over.shape[i] for i in rows]), row, spot, size, night)
    within = sorted({a for i in rows for a in over.within.of(i)} | {main})
    told = Facts(
        kind=row["kind"],
        basis=area["basis"],
        source_kind=row["source_kind"],
        word=word_of(row),
        area=size,
        volume=None if volume is None else Measured(volume, "m3", number(evidence.get("volume_error_m3"))),
        gsd_m=gsd_m,
        accuracy_m=accuracy,
        last_without=without,
        first_with=with_,
        stand=night.surroundings.stand(net, spot, rests),
        zones=night.surroundings.zones_of(net, rests),
        function_zones=night.surroundings.function_zones_of(net, spot, rests),
        permits=tuple(matches),
        distance_m=round(distance_to_line(net, together(list(night.areas.geometry.iloc[within]))), 2),
        line_error_m=line_error,
        survey_scale=None if number(area["survey_scale"]) is None else int(area["survey_scale"]),
        line={
            "boundary": [str(area["boundary_id"]), int(area["boundary_version"])],
            "code": area["boundary_code"],
            "announce_gov": area["announce_gov"],
            "announce_doc_no": area["announce_doc_no"],
            "announced_on": None if pd.isna(area["announced_on"]) else str(area["announced_on"]),
        },
    )
    return Known(told, net, main, within, permits, rests)


def together(shapes: Sequence[Any]) -> Any:
    """One shape of several; points and lines count only where there is no ground."""
    flat = [s for s in shapes if s.area > 0]
    return shapely.union_all(flat) if len(flat) > 1 else flat[0] if flat else shapes[0]


def word_of(row: pd.Series) -> str | None:
    """The sub-type of an object in the source's own word."""
    word = (row["evidence"] or {}).get("subtype")
    return str(word) if word else None


def number(value: Any) -> float | None:
    """A figure of a frame or a delivery; None where there is none."""
    found = pd.to_numeric(value, errors="coerce")
    return None if found is None or np.isnan(found) else float(found)


def _bracket(
    frame: gpd.GeoDataFrame, rows: Sequence[int], night: Night, rests: Rests
) -> tuple[date | None, date | None, float | None]:
    """Last civil day without it and first with it, by the images its sources name, what they saw and when they delivered it;
    and the ground sample distance of the image of the first of them.

    That a delivery does not hold it does not show the place without it: only an image does.
    """
    without: list[date] = []
    with_: list[date] = []
    gsd_m: float | None = None
    for n, i in enumerate(rows):
        row = frame.iloc[i]
        evidence = row["evidence"] or {}
        before, after = (night.scene_of.get(scene_code(evidence.get(k)) or "") for k in ("before", "after"))
        for scene in (before, after):
            if scene is not None:
                rests.setdefault("imagery", []).append([str(scene.id), int(scene.version)])
        without += [before.taken_on] if before is not None else []
        with_ += [after.taken_on] if after is not None else []
        with_ += [d for d in (row["first_delivered_on"], _day(row["seen_at"])) if d is not None]
        if n == 0:
            gsd_m = float(after.gsd_m) if after is not None else number(evidence.get("gsd_m"))
    first = min(with_, default=None)
    before_first = [d for d in without if first is None or d < first]
    return max(before_first, default=None), first, gsd_m


def _day(moment: Any) -> date | None:
    return None if moment is None or pd.isna(moment) else pd.Timestamp(moment).tz_convert("Asia/Shanghai").date()


def _permits(
    shape: Any, row: pd.Series, spot: Spot, size: Measured | None, night: Night
) -> tuple[list[int], list[PermitMatch]]:
    """Permits whose ground the thing meets, in force or ended, and how far it keeps to each."""
    permits = night.permits
    meets = permits.placed & shapely.intersects(permits.frame.geometry.to_numpy(), shape)
    hit = [int(p) for p in np.flatnonzero(meets & (permits.covers | permits.ended))]
    measured = {} if size is None else {"m2": size}
    stands = Standing(row["kind"], shape, word_of(row), measured, spot.bank, spot.at_m, spot.at_m)
    return hit, [
        match(stands, _permitted(permits.frame.iloc[p], permits.frame.geometry.iloc[p]), night.view) for p in hit
    ]


def _permitted(permit: pd.Series, shape: Any) -> Permitted:
    first, last, accepted = (_date(permit[c]) for c in ("valid_from", "valid_to", "accepted_on"))
    return Permitted(
        code=str(permit["code"]),
        doc_no=permit["doc_no"],
        allows=permit["allows"],
        kind=permit["kind"],
        position_kind=permit["position_kind"],
        geometry=shape,
        valid_from=first,
        valid_to=last,
        accepted_on=accepted,
        bank=permit["bank"],
        from_m=number(permit["from_m"]),
        to_m=number(permit["to_m"]),
        id=str(permit["id"]),
        version=int(permit["version"]),
    )


def _date(value: Any) -> date | None:
    return None if pd.isna(value) else pd.Timestamp(value).date()
