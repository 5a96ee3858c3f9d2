"""What a map asks while somebody looks at it (地图问答): a thing by click, what lies at a place, the search, its style."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from rivergis.db.access import Actor
from rivergis.errors import NotPermitted
from rivergis.maps import collections, features, search, things, webstyle
from rivergis.web import auth, tiles
from rivergis.web.auth import database

router = APIRouter(tags=["maps"])
LONGEST_S = 5.0
"""A person waits for these; what takes longer is given up."""

Visitor = Annotated[Actor, Depends(auth.visitor)]
"""Strangers, too, where the public part is shown: they see of everything what is public."""
Day = Annotated[date | None, Query(description="Civil day (Asia/Shanghai); default today")]
Name = Annotated[str, Path(pattern=r"^[a-z_]{1,60}$", description="Collection, such as reach or finding")]
Names = Annotated[str, Path(pattern=r"^[a-z_,]{1,300}$", description="Collections with commas between")]


@router.get("/maps/thing/{collection}/{ident}.json")
def thing(
    request: Request,
    actor: Visitor,
    collection: Name,
    ident: Annotated[str, Path(pattern=r"^[0-9A-Fa-f-]{1,36}$", description="Id of the thing, or its number in tiles")],
    day: Day = None,
) -> dict[str, Any]:
    """What a click shows of one thing: label, rows of Chinese name, English name and value, outline, the page with more."""
    shown = tiles.seen(collection, actor)
    with database(request).read(timeout_s=LONGEST_S) as conn:
        told = things.thing(conn, collection, ident, features.when(conn, day), _sight(actor))
    if shown.personal:
        auth.saw_patrols(request, actor, f"{collection}:{told['id']}")
    request.state.things = 1  # for the log of views
    return told


@router.get("/maps/at.json")
def at(
    request: Request,
    actor: Visitor,
    layers: Annotated[str, Query(pattern=r"^[a-z_,]{1,300}$", description="Collections with commas between")],
    lon: Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)],
    lat: Annotated[float, Query(ge=-85, le=85, allow_inf_nan=False)],
    z: Annotated[int, Query(ge=0, le=22, description="Zoom of the map: how near is near")] = 15,
    day: Day = None,
) -> dict[str, Any]:
    """What lies at a place, topmost first: for maps drawn as pictures (点查询)."""
    names = [tiles.seen(name, actor).id for name in layers.split(",")]
    with database(request).read(timeout_s=LONGEST_S) as conn:
        found = things.at_place(conn, names, lon, lat, z, features.when(conn, day).on, _sight(actor))
    request.state.things = len(found)
    return {"found": found}


@router.get("/search.json")
def found(
    request: Request,
    actor: Visitor,
    q: Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$", description="Name, code, or river and chainage")],
    day: Day = None,
) -> dict[str, Any]:
    """Rivers, things by name or code, and chainages such as 云溪河 3+200: in all that the actor may see (搜索)."""
    names = [c.id for c in collections.COLLECTIONS.values() if _sees(actor, c.id)]
    with database(request).read(timeout_s=LONGEST_S) as conn:
        told = search.find(conn, q, names, features.when(conn, day), _sight(actor))
    request.state.things = len(told)
    return {"q": q, "found": told}


@router.get("/maps/style/{layers}.json")
def style(request: Request, actor: Visitor, layers: Names, day: Day = None) -> dict[str, Any]:
    """A MapLibre style (version 8) over our vector tiles, from the one palette: for other web maps on the intranet."""
    names = [tiles.seen(name, actor).id for name in layers.split(",")]
    base = str(request.base_url).rstrip("/")
    return webstyle.style(names, f"{base}/tiles", query=f"day={day}" if day else "")


def _sight(actor: Actor) -> things.Sight:
    return things.Sight(actor.area, actor.public)


def _sees(actor: Actor, name: str) -> bool:
    try:
        tiles.seen(name, actor)
    except NotPermitted:
        return False
    return not collections.collection(name).personal
