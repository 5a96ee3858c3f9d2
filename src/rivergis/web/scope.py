"""Accounts of one area act on things of that area only (行政区隔离): every route that changes something says here how it is kept so.

Reading needs nothing of this: ``auth.database`` is read behind the walls of the database. Writing goes past them, as the
owner, so what a path names is looked up behind the walls first: a foreign thing answers 404, as an unknown one does. A
route that is not named here is closed to who is held to an area.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import shapely
from fastapi import Request

from rivergis import words
from rivergis.boundary.law import draft_workflow
from rivergis.db import people, places, remarks
from rivergis.db.access import Actor
from rivergis.encroachment import case_store, look_back_workflow
from rivergis.errors import NotFound, NotPermitted
from rivergis.patrol import receive_store, review_workflow, store
from rivergis.web.auth import SAFE, asking, database

Check = Callable[[Any, Mapping[str, Any]], object]
"""Looks a thing up behind the walls; ``NotFound`` where it is not there."""


def _case(conn: Any, path: Mapping[str, Any]) -> object:
    return case_store.find(conn, path.get("case_id") or path["finding_id"])


def _draft(conn: Any, path: Mapping[str, Any]) -> object:
    return draft_workflow.get(conn, path["code"])


def _track(conn: Any, path: Mapping[str, Any]) -> object:
    return store.head_starting(conn, path["track_id"])


def _question(conn: Any, path: Mapping[str, Any]) -> object:
    if all(str(q.number) != path["number"] for q in review_workflow.questions(conn)):
        raise NotFound(f"There is no question {path['number']}.")
    return path["number"]


def _member(conn: Any, path: Mapping[str, Any]) -> object:
    sample = look_back_workflow.show(conn, path["sample"])
    if all(str(m["seq"]) != path["seq"] for m in sample.members):
        raise NotFound(f"There is no member {path['seq']} in this sample.")
    return sample


def _remark(conn: Any, path: Mapping[str, Any]) -> object:
    if all(str(r["id"]) != str(path["remark"]) for r in remarks.listed(conn)):
        raise NotFound(f"There is no audit finding {path['remark']}.")
    return path["remark"]


def _everywhere(conn: Any, path: Mapping[str, Any]) -> object:
    """What concerns all units at once is for accounts that are held to none."""
    raise NotPermitted(words.both("sentence.everywhere_only"))


def _nothing(conn: Any, path: Mapping[str, Any]) -> object:
    """The path names nothing; what the body names is checked where it is read."""
    return None


WRITES: dict[tuple[str, str], Check] = {
    ("POST", "/sign-in"): _nothing,
    ("POST", "/sign-out"): _nothing,
    ("POST", "/cases"): _nothing,
    ("POST", "/api/cases"): _nothing,
    ("POST", "/api/cases/{case_id}/moves"): _case,
    ("POST", "/findings/{finding_id}/moves"): _case,
    ("POST", "/look-backs"): _nothing,
    ("POST", "/api/look-backs"): _nothing,
    ("POST", "/look-backs/{sample}/{seq}"): _member,
    ("POST", "/api/look-backs/{sample}/{seq}"): _member,
    ("POST", "/baseline/sign"): _everywhere,
    ("POST", "/api/baseline/sign"): _everywhere,
    ("POST", "/api/campaigns"): _nothing,
    ("POST", "/api/superior-lists/{name}/links"): _everywhere,
    ("POST", "/api/superior-lists/{name}/tasks"): _everywhere,
    ("POST", "/api/superior-lists/{name}/close"): _everywhere,
    ("POST", "/boundary/drafts"): _nothing,
    ("POST", "/api/boundary/drafts"): _nothing,
    ("POST", "/boundary/drafts/{code}/moves"): _draft,
    ("POST", "/api/boundary/drafts/{code}/moves"): _draft,
    ("POST", "/api/boundary/drafts/{code}/changes"): _draft,
    ("POST", "/api/boundary/drafts/{code}/places"): _draft,
    ("POST", "/api/boundary/drafts/{code}/preview"): _draft,
    ("POST", "/api/patrol/tracks"): _nothing,
    ("POST", "/api/patrol/tracks/{track_id}/observations"): _track,
    ("POST", "/api/patrol/questions/{number}/reply"): _question,
    ("POST", "/api/patrol/questions/{number}/decide"): _question,
    ("POST", "/patrol/entry"): _nothing,
    # old clients ask in the body; nothing is written, and the area stands in what MapServer asks: legacy.py
    ("POST", "/wms"): _nothing,
    ("POST", "/wfs"): _nothing,
    # the own account, whatever its area
    ("POST", "/account/sessions/{session}/end"): _nothing,
    ("POST", "/account/keys/end"): _nothing,
    ("POST", "/account/password"): _nothing,
    ("POST", "/api/audit/findings"): _nothing,
    ("POST", "/api/audit/findings/{remark}/replies"): _remark,
    ("POST", "/api/audit/findings/{remark}/close"): _remark,
    # read behind the walls, and where it is written must lie in the area: ogc_write.py
    ("POST", "/ogc/collections/{collection}/items"): _nothing,
    ("PUT", "/ogc/collections/{collection}/items/{item}"): _nothing,
    ("PATCH", "/ogc/collections/{collection}/items/{item}"): _nothing,
    ("DELETE", "/ogc/collections/{collection}/items/{item}"): _nothing,
}
"""Method and path of every route that changes something -> how what its path names is looked up."""


def keep(request: Request) -> None:
    """The dependency of every route: an account of one area changes nothing outside of it."""
    if request.method in SAFE:
        return
    actor = asking(request)
    if actor is None or not actor.area:
        return
    check = WRITES.get((request.method, request.scope["route"].path), _everywhere)
    with database(request).read() as conn:
        check(conn, request.path_params)


def own_place(request: Request, place: shapely.Geometry) -> None:
    """``NotPermitted`` unless a place (EPSG:4490) lies in the area of who asks."""
    actor = _actor(request)
    if actor.area:
        with request.app.state.db.read() as conn:
            places.require_within(conn, place, actor.area)


def own_unit(request: Request, adcode: str | None) -> str | None:
    """The unit that is meant, by default the area of who asks; ``NotFound`` for another one than is in it."""
    area = _actor(request).area
    if not area:
        return adcode
    if adcode and not adcode.startswith(area):
        raise NotFound(words.both("sentence.no_unit", code=adcode[:20]))
    return adcode or area


def adcode_of(actor: Actor, usual: str) -> str:
    """The adcode of an account's area as things keep it, with its zeros; ``usual`` for accounts that are held to none."""
    return actor.area.ljust(6, "0") if actor.area else usual


def own_chief(request: Request, namespace: str, code: str | None) -> None:
    """``NotFound`` unless a chief serves a unit in the area of who asks; without a code nobody can say whose area it is."""
    actor = _actor(request)
    if not actor.area:
        return
    with database(request).read() as conn:
        unit = receive_store.unit_of_chief(conn, namespace, code or "")
    if unit is None or not people.area_code(unit).startswith(actor.area):
        raise NotFound(words.both("sentence.no_chief", code=(code or "")[:60]))


def own_case(request: Request, case: str) -> uuid.UUID:
    """The case that somebody names, as far as who asks may see it; ``NotFound`` otherwise."""
    with database(request).read() as conn:
        return case_store.find(conn, case)


def _actor(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor
