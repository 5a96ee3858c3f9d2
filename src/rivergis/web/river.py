"""The river as a network over HTTP: where is this, what lies upstream and downstream, which way along the water."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import pandas as pd
from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import Connection

from rivergis import rules
from rivergis.db.access import Actor
from rivergis.db.connect import now_of
from rivergis.errors import UsageError
from rivergis.river import store, tracing
from rivergis.river.tracing import Limits, Start
from rivergis.web.auth import database, require

router = APIRouter(prefix="/api/river", tags=["river"])
T = TypeVar("T")
LONGEST_S = 30.0

View = Annotated[Actor, Depends(require("view"))]
_POSITION = r"^\s*-?\d{1,3}(\.\d+)?\s*,\s*-?\d{1,2}(\.\d+)?\s*$"
_EXAMPLE = "106.02,29.41"
At = Annotated[
    str | None,
    Query(pattern=_POSITION, examples=[_EXAMPLE], description="Position: longitude,latitude in degrees (EPSG:4490)"),
]
From = Annotated[
    str,
    Query(alias="from", pattern=_POSITION, examples=[_EXAMPLE], description="Where the way begins: longitude,latitude"),
]
To = Annotated[str, Query(pattern=_POSITION, examples=[_EXAMPLE], description="Where the way ends: longitude,latitude")]
Form = Annotated[
    Literal["json", "geojson"],
    Query(alias="format", description="geojson: a FeatureCollection of the parts, cut; the facts stand beside it"),
]


def _lonlat(text: str) -> tuple[float, float]:
    lon, lat = (float(part) for part in text.split(","))
    if not (-180 <= lon <= 180 and -90 < lat < 90):
        raise UsageError(f"{text!r} is not on the earth: longitude comes first, in degrees.")
    return lon, lat


def _asked(request: Request, actor: Actor, question: Callable[[Connection, Limits], T]) -> T:
    """The answer to a question about the network of today, its tracing numbers renewed before where reaches changed."""
    db = database(request)
    tracing.ready(db, actor.name)
    with db.read(timeout_s=LONGEST_S) as conn:
        place = store.home(conn, date.today(), now_of(conn)) or rules.NATIONAL
        return question(conn, _limits(request.app.state.settings.rules_dir, rules.path_of(place), date.today()))


@lru_cache(maxsize=8)
def _limits(rules_dir: Path, path: tuple[str, ...], on: date) -> Limits:
    """Limits by the rules of the place, read once a day."""
    return Limits.of(rules.load(rules_dir).at(path, on))


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON: nothing for what is missing."""
    plain = frame.astype(object)
    return [{str(k): v for k, v in row.items()} for row in plain.where(plain.notna(), None).to_dict("records")]


def _told(facts: dict[str, Any], parts: Any, name: str, form: str) -> dict[str, Any]:
    if form == "geojson":
        collection: dict[str, Any] = parts.to_geo_dict(drop_id=True)
        return collection | facts
    return facts | {name: _rows(pd.DataFrame(parts.drop(columns=parts.geometry.name)))}


@router.get("/locate")
def locate(
    request: Request,
    actor: View,
    at: Annotated[
        str, Query(pattern=_POSITION, examples=[_EXAMPLE], description="Position: longitude,latitude in degrees")
    ],
) -> dict[str, Any]:
    """The reach (河段) nearest to a position: metres along it, distance off it (left positive), bank, and whether the bank is certain."""
    return _asked(request, actor, lambda conn, limits: tracing.locate_database(conn, _lonlat(at), limits))


@router.get("/trace")
def trace(
    request: Request,
    actor: View,
    direction: Annotated[
        Literal["up", "down"], Query(description="up: what drains to the place; down: where its water goes")
    ],
    at: At = None,
    reach: Annotated[
        str | None, Query(max_length=200, pattern=r"^[^\x00]*$", description="Code of a reach, instead of a position")
    ] = None,
    at_m: Annotated[float, Query(allow_inf_nan=False, description="With reach: metres from its upstream end")] = 0.0,
    within_m: Annotated[
        float | None, Query(ge=0, allow_inf_nan=False, description="No farther than this along the channel, m")
    ] = None,
    stop_at: Annotated[
        list[str] | None, Query(max_length=8, description="Layers it does not go past: outfall, intake ...")
    ] = None,
    form: Form = "json",
) -> dict[str, Any]:
    """溯源 / 下泄: every reach that drains to a place, or that its water takes, once, at its shortest distance along the channel.

    Reached parts in metres from the upstream end of the reach; things on the way (outfalls, intakes, landmarks, leads) with
    their distance along the channel.
    """
    if (at is None) == (reach is None):
        raise UsageError("Say where the trace starts: either at=LON,LAT, or reach=CODE and at_m=METRES.")
    start = Start(lonlat=_lonlat(at)) if at is not None else Start(reach=reach, at_m=at_m)

    def question(conn: Connection, limits: Limits) -> tracing.Traced:
        return tracing.trace_database(conn, start, direction, within_m, limits, stop_at=stop_at or ())

    told = _asked(request, actor, question)
    facts = {"start": told.start, "direction": direction, "within_m": within_m, "length_m": round(told.length_m, 3)}
    return _told(facts | {"things": _rows(told.things)}, told.parts, "reaches", form)


@router.get("/route")
def route(request: Request, actor: View, begin: From, to: To, form: Form = "json") -> dict[str, Any]:
    """The shortest way along the water: down, up, or down to the confluence where both waters meet first and then up."""

    def question(conn: Connection, limits: Limits) -> tracing.Routed:
        return tracing.route_database(conn, Start(lonlat=_lonlat(begin)), Start(lonlat=_lonlat(to)), limits)

    told = _asked(request, actor, question)
    facts = {"way": told.way, "node": told.node, "length_m": round(told.length_m, 3)}
    return _told(facts, told.parts, "parts", form)
