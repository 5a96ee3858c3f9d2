"""The maps a meeting asks for beside county, river and night: who answers, which line when, zones, imagery; and the list of all maps."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as PathOf
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import Connection

from rivergis import rules, words
from rivergis.boundary.redraw import make as redraw
from rivergis.db.access import Actor
from rivergis.errors import NotFound
from rivergis.maps import boundary_versions, features, lists, sheets
from rivergis.maps.collections import COLLECTIONS
from rivergis.maps.imagery import scenes as imagery
from rivergis.maps.ogc.ask import FILES
from rivergis.maps.river_facts import PATROL_DAYS
from rivergis.maps.sheets import Sheet
from rivergis.reports import cards, imagery_sheet, responsibility_sheet, version_sheet, zone_sheet
from rivergis.reports import wall as wall_
from rivergis.river import store as river_store
from rivergis.rules import RuleView
from rivergis.web import page
from rivergis.web.auth import database, require, visitor
from rivergis.web.patrol_upload import book_of

router = APIRouter(tags=["maps"])
SERVED = Sheet(assets=page.ASSETS)
LONGEST_S = 60.0
RENEW_S = 300
"""The wall renews itself after so many seconds."""
FORMATS = ("json", *FILES)
ADDRESSES = (
    ("ogc", "/ogc"), ("tiles", "/tiles/{layer}/{z}/{x}/{y}.mvt"), ("png", "/tiles/{layer}/{z}/{x}/{y}.png"), ("tilejson", "/tiles/{layer}.json"),
    ("imagery", "/imagery/{id}/{z}/{x}/{y}.png"), ("wms", "/wms"), ("wmts", "/wmts"), ("wfs", "/wfs"),
)  # fmt: skip

View = Annotated[Actor, Depends(require("view"))]
_PLAIN = r"^[^\x00]*$"
On = Annotated[date | None, Query(description="Civil day (Asia/Shanghai) as of which the map is drawn; default today")]
Before = Annotated[date | None, Query(description="Earlier day; default: the one before the last change")]
After = Annotated[date | None, Query(description="Later day; default today")]
River = Annotated[str | None, Query(max_length=200, pattern=_PLAIN, description="Code of a river; default all")]
Scene = Annotated[str | None, Query(max_length=200, pattern=_PLAIN, description="Code or id of a scene; see /imagery")]
Level = Annotated[
    Literal["", "province", "city", "county", "town", "village"],
    Query(description="Only chiefs of this level; empty: all"),
]
Code = Annotated[str, Query(max_length=200, pattern=_PLAIN, min_length=1, description="Code of a river")]


def view_of(request: Request, conn: Connection, on: date | None) -> RuleView:
    """The rules of the place that the database is about, on a day."""
    at = features.when(conn, on)
    home = river_store.home(conn, at.on, at.known_at) or rules.NATIONAL
    return book_of(request).at(rules.path_of(home), at.on)


@router.get("/maps", response_class=HTMLResponse, include_in_schema=False)
def index(request: Request, actor: View) -> HTMLResponse:
    """Every map there is, with its day, river, level or period to choose."""
    with database(request).read() as conn:
        at = features.when(conn)
        named: dict[str, Any] = {
            "today": at.on,
            "month_ago": at.on - timedelta(days=PATROL_DAYS - 1),
            "before": boundary_versions.day_before_last_change(conn, at, None),
            "scenes": imagery.scenes(conn),
            "rivers": lists.river_choices(conn, at),
            "units": lists.units(conn, at),
            "nights": lists.nights(conn),
            "demo": river_store.has_namespace(conn, "demo"),
        }
    return page.render(request, "maps.html", **named)


def public_portal(request: Request) -> HTMLResponse:
    """What strangers see where the public part is shown: its map, its rivers and its data, under their 审图号."""
    with database(request).read() as conn:
        at = features.when(conn)
        named: dict[str, Any] = {
            "rivers": lists.river_choices(conn, at),
            "demo": river_store.has_namespace(conn, "demo"),
            "on": at.on,
        }
    shown = [c for c in COLLECTIONS.values() if c.public]
    number = request.app.state.settings.public
    return page.render(request, "public.html", collections=shown, formats=FORMATS, number=number, **named)


@router.get("/maps/public", response_class=HTMLResponse)
def public_map(request: Request, _: Annotated[Actor, Depends(visitor)]) -> HTMLResponse:
    """公开地图: announced lines, zones and waters with whitelisted attributes only, under the 审图号 of this service."""
    number = request.app.state.settings.public
    if not number:
        raise NotFound(words.both("sheet.not_public"))
    with database(request).read() as conn:
        return page.scripted(sheets.public(conn, SERVED, number))


@router.get("/maps/responsibility", response_class=HTMLResponse)
def responsibility(request: Request, _: View, on: On = None, level: Level = "", river: River = None) -> HTMLResponse:
    """河长责任图(每米一长): each metre of each bank has one chief of each level; gaps and doubles shown and listed with chainage."""
    with database(request).read(timeout_s=LONGEST_S) as conn:
        shortest_m = view_of(request, conn, on).number("river.register.min_stretch")
        asked = responsibility_sheet.Asked(on, level or None, river or None)
        return page.scripted(responsibility_sheet.page(conn, SERVED, asked, shortest_m))


@router.get("/maps/versions", response_class=HTMLResponse)
def versions(
    request: Request, _: View, before: Before = None, after: After = None, river: River = None
) -> HTMLResponse:
    """界线版本对比: the lines of two days left and right of a slider, and what changed between them listed."""
    with database(request).read(timeout_s=LONGEST_S) as conn:
        noise_m = redraw.limits_of(view_of(request, conn, after)).noise_m
        asked = version_sheet.Asked(before, after, river or None)
        return page.scripted(version_sheet.page(conn, SERVED, asked, noise_m))


@router.get("/maps/zones", response_class=HTMLResponse)
def zones(request: Request, _: View, on: On = None) -> HTMLResponse:
    """水源保护区与排污口图: outfalls by the class of source zone they lie in, with the clause, and every zone with what lies in it."""
    with database(request).read(timeout_s=LONGEST_S) as conn:
        return page.scripted(zone_sheet.page(conn, SERVED, view_of(request, conn, on), on))


@router.get("/maps/imagery", response_class=HTMLResponse)
def imagery_map(request: Request, _: View, before: Scene = None, after: Scene = None) -> HTMLResponse:
    """影像前后对比: two scenes with a slider under the lines and leads of today."""
    with database(request).read(timeout_s=LONGEST_S) as conn:
        return page.scripted(imagery_sheet.page(conn, SERVED, before or None, after or None))


@router.get("/maps/river", include_in_schema=False)
def to_river(_: View, code: Code, on: On = None) -> RedirectResponse:
    """The form of the list of maps: to the map of the river chosen."""
    return RedirectResponse(f"/maps/river/{quote(code, safe='')}{f'?on={on}' if on else ''}", 303)


@router.get("/maps/night", include_in_schema=False)
def to_night(_: View, night: date) -> RedirectResponse:
    """The form of the list of maps: to the map of the night chosen."""
    return RedirectResponse(f"/maps/night/{night}", 303)


@router.get("/wall", response_class=HTMLResponse, include_in_schema=False)
def wall(request: Request, _: View, still: bool = False) -> HTMLResponse:
    """大屏: changes of the last night, what is overdue, coverage and a map; renewed by itself every few minutes unless ``still``."""
    with database(request).read(timeout_s=LONGEST_S) as conn:
        shown = wall_.read(conn, book_of(request))
        demo = river_store.has_namespace(conn, "demo")
    answer = page.render(request, "wall.html", wall=shown, still=still, minutes=RENEW_S // 60, demo=demo)
    if not still:
        answer.headers["Refresh"] = str(RENEW_S)
    return answer


@router.get("/cards/river/{code}", response_class=HTMLResponse)
def river_card(
    request: Request,
    _: View,
    code: Annotated[str, PathOf(max_length=200, pattern=_PLAIN)],
    on: On = None,
    namespace: River = None,
) -> HTMLResponse:
    """地图卡片: one river on a page of a few kilobytes, for a phone; without names and without script."""
    with database(request).read() as conn:
        card = cards.river(conn, code, on, namespace or None)
    return HTMLResponse(card.html(served=True, css=page.style_address()))


@router.get("/cards/lead/{finding_id}", response_class=HTMLResponse)
def lead_card(request: Request, _: View, finding_id: uuid.UUID) -> HTMLResponse:
    """线索卡片: one lead on a page of a few kilobytes, for a phone; without names and without script."""
    with database(request).read() as conn:
        card = cards.lead(conn, str(finding_id))
    return HTMLResponse(card.html(served=True, css=page.style_address()))


@router.get("/connect", response_class=HTMLResponse, include_in_schema=False)
def connect(request: Request, actor: Annotated[Actor, Depends(require())]) -> HTMLResponse:
    """How QGIS, GDAL and other programs load what this service has, with the addresses of this very service."""
    base = str(request.base_url).rstrip("/")
    seen = [c for c in COLLECTIONS.values() if c.seen_by(actor.capabilities)]
    return page.render(request, "connect.html", base=base, addresses=ADDRESSES, collections=seen, formats=FORMATS)
