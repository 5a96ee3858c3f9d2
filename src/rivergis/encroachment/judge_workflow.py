"""Judging a night: what stands at or inside the lines in force, what of it is told, and why the rest is not. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from rivergis.encroachment import permit_place
from rivergis.encroachment.facts_workflow import facts, word_of
from rivergis.encroachment.night_workflow import Night, rounded, scene_code, where
from rivergis.encroachment.overlay import Overlaid, overlay
from rivergis.encroachment.verdict import verdict
from rivergis.river.register import Spot

# nobody looked, or a person must decide first: a lead at such an object is not missed tonight
OPEN_REASONS = frozenset({"not_observed", "permit_place_open", "permit_unaccepted", "undecided"})


@dataclass(frozen=True)
class Judged:
    """What is made of candidates: those told, those not told with their reason.

    ``candidates`` in metres, ``over``, ``spots`` and ``details`` row by row like them; ``reason`` is None for what is told.
    """

    night: Night
    candidates: gpd.GeoDataFrame
    over: Overlaid
    reason: npt.NDArray[np.object_]
    spots: Spots
    details: list[dict[str, Any]]

    @property
    def told(self) -> list[int]:
        """Rows of the candidates that are told."""
        return [i for i, r in enumerate(self.reason) if r is None]


def judged(candidates: gpd.GeoDataFrame, night: Night, touched: Collection[Any] | None = None) -> Judged:
    """Judge candidates (EPSG:4490) against the lines in force, less the permits valid on the day. Reads only.

    ``touched``: ids of those that will be asked for their place (None = all); where the others are is worked out when it is asked.
    """
    metric = candidates.to_crs(night.ground.crs).reset_index(drop=True)
    accuracy = {
        k: night.view.number("encroach.source_accuracy", source_kind=k) for k in sorted(set(metric["source_kind"]))
    }
    own = pd.to_numeric(metric["accuracy_m"], errors="coerce").astype(float)
    metric["accuracy_m"] = own.fillna(metric["source_kind"].map(accuracy).astype(float))
    over = overlay(metric, night.ground.prepared, night.permits, night.limits)
    spots = Spots(over, night)
    asked = [touched is None or i in touched for i in metric["id"]]
    spots.ask([i for i, r in enumerate(over.reason) if r not in NOWHERE and (r is not None or asked[i])])
    reason = over.reason.copy()
    details: list[dict[str, Any]] = [{} for _ in range(len(metric))]
    villages = night.register.names("village")
    for i in range(len(metric)):
        reason[i], details[i] = _reason(i, metric, over, spots, night, villages)
    return Judged(night, metric, over, reason, spots, details)


NOWHERE = ("outside", "no_geometry")


class Spots:
    """Where candidates are, in the words of the river manager; each by its part inside where there is one. Worked out once, when asked."""

    def __init__(self, over: Overlaid, night: Night) -> None:
        self._over, self._night = over, night
        self._known: dict[int, Spot] = {}

    def __getitem__(self, row: int) -> Spot:
        if row not in self._known:
            self.ask([row])
        return self._known[row]

    def ask(self, rows: Sequence[int]) -> None:
        """Work out where several rows are, together."""
        over, night = self._over, self._night
        near = [i for i in rows if over.reason[i] not in NOWHERE]
        shapes = [over.net[i] if over.net[i] is not None and not over.net[i].is_empty else over.shape[i] for i in near]
        points = [shapely.transform(s.representative_point(), night.to_degrees) for s in shapes]
        rivers = [night.areas["river_id"].iloc[over.main[i]] if over.main[i] >= 0 else None for i in near]
        found = night.register.spots(points, rivers) if near else []
        self._known |= dict.fromkeys(rows, Spot()) | dict(zip(near, found, strict=True))


def _reason(
    i: int, frame: gpd.GeoDataFrame, over: Overlaid, spots: Spots, night: Night, villages: Sequence[str]
) -> tuple[str | None, dict[str, Any]]:
    """Why a candidate is not told, with what a person needs to see it; None = it is told."""
    reason = over.reason[i]
    if reason == "outside":
        return reason, {}
    if reason is None:
        reason, more = _though_inside(i, frame, over, spots, night, villages)
        return (None, {}) if reason is None else (reason, _detail(i, over, spots, night) | more)
    taken = list(over.permits.of(i))
    detail = _detail(i, over, spots, night)
    if reason == "permitted" and any(night.permits.unaccepted[p] for p in taken):
        return "permit_unaccepted", detail
    if reason == "undecided":
        return reason, detail | {"because": _doubt(over.shape[i], night)}
    return reason, detail


def _detail(i: int, over: Overlaid, spots: Spots, night: Night) -> dict[str, Any]:
    """What a person needs to see of a candidate that is not told."""
    taken = list(over.permits.of(i))
    detail = {"gross_m2": rounded(over.gross_m2[i]), "net_m2": rounded(over.net_m2[i]), **where(spots[i])}
    return detail | ({"permits": permit_place.words(night.permits, taken)} if taken else {})


def _though_inside(
    i: int,
    frame: gpd.GeoDataFrame,
    over: Overlaid,
    spots: Spots,
    night: Night,
    villages: Sequence[str],
) -> tuple[str | None, dict[str, Any]]:
    """Why what stands inside, unpermitted, is not told all the same, and what beside its place and size says so."""
    row = frame.iloc[i]
    use = night.view.lawful_use(row["kind"], word_of(row))
    if use is not None:
        told = verdict(facts(frame, over, spots, [i], night).facts, night.view).allowed_use
        if told is not None and told["state"] == "allowed":
            return "allowed_use", {"because": f"{use.zh}({use.clause})"}
    hidden = _unobserved_scene(row, over.shape[i], night)
    if hidden is not None:
        return "not_observed", {"scene": hidden}
    if row["kind"] not in night.permits.open_kinds:
        return None, {}
    slack_m = night.view.number("encroach.permit.place_tolerance")
    stands = _stands(over.net[i], spots[i], night)
    open_ = permit_place.open_permits(row["kind"], stands, night.permits, villages, slack_m=slack_m)
    return ("permit_place_open", {"permits": permit_place.words(night.permits, open_)}) if open_ else (None, {})


def _stands(net: Any, spot: Spot, night: Night) -> permit_place.Stands:
    """Where a thing stands, from end to end: a permit that waits to be placed may hold for any part of it."""
    at = permit_place.Stands.at(spot)
    degrees = shapely.transform(net, night.to_degrees)
    along = night.register.along(degrees, spot.river_id)
    if along is None:
        return at
    first_m, last_m, banks = along
    return replace(at, first_m=first_m, last_m=last_m, banks=banks or at.banks)


def _doubt(shape: Any, night: Night) -> str:
    doubts = night.ground.prepared.doubts
    hit = shapely.intersects(doubts.geometry.to_numpy(), shape)
    return " ".join(doubts["because"][hit])


def _unobserved_scene(row: pd.Series, shape: Any, night: Night) -> str | None:
    """Code of the scene the candidate rests on, when that scene shows too little of the place to judge."""
    code = scene_code((row["evidence"] or {}).get("after"))
    if not code or night.observed(shape, code) >= night.view.number("encroach.nights.min_observed_share"):
        return None
    return code
