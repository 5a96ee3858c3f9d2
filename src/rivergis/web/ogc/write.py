"""OGC API Features Part 4 (OGC 20-002): lines of drafts, candidates and reports made, replaced, changed and taken out.

Off unless ``RIVERGIS_WRITES=on``. An edit says what it was made on (``If-Match``; ``maps/ogc/written.py``): 428 where it does not, 412 with
both shapes where somebody else was first. What may be done is told by ``OPTIONS``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from rivergis import words
from rivergis.db.access import Actor
from rivergis.errors import NotFound, NotPermitted, RivergisError, UsageError
from rivergis.maps import collections
from rivergis.maps.collections import Collection
from rivergis.maps.ogc import written
from rivergis.web.auth import require
from rivergis.web.lane import Ask
from rivergis.web.ogc import sent as ogc_sent
from rivergis.web.ogc import things as ogc_things
from rivergis.web.ogc.sent import MAX_BODY

router = APIRouter(prefix="/ogc/collections/{collection}", tags=["ogc: write"])
Someone = Annotated[Actor, Depends(require())]
READ = ("GET", "HEAD", "OPTIONS")
_FEATURE = {
    "type": "object",
    "required": ["type", "properties", "geometry"],
    "properties": {"type": {"enum": ["Feature"]}, "properties": {"type": "object"}, "geometry": {"type": "object"}},
}


def _body(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema}}}}


_WHOLE = _body("application/geo+json", _FEATURE)
_PART = _body(ogc_sent.PATCH, {**_FEATURE, "required": []})


class _NotOffered(Exception):
    """The method is none of those that ``allow`` lists."""

    def __init__(self, sentence: str, allow: list[str]) -> None:
        super().__init__(sentence)
        self.allow = allow


@router.options("/items", status_code=204)
def options(request: Request, actor: Someone, collection: str) -> Response:
    """What you may do with the items of a collection (`Allow`)."""
    return _allowed(allowed(request, actor, _seen(collection, actor), item=False))


@router.options("/items/{item}", status_code=204)
def item_options(request: Request, actor: Someone, collection: str, item: str) -> Response:
    """What you may do with an item (`Allow`); the same for all items of a collection."""
    return _allowed(allowed(request, actor, _seen(collection, actor), item=True))


@router.post("/items", openapi_extra=_WHOLE, max_body_size=MAX_BODY, status_code=201)
async def create(request: Request, actor: Someone, collection: str) -> Response:
    """Make an item: 201 with its address (`Location`) and `ETag`; 200 where the same one stands already.

    A body that is a filter in CQL2 JSON is answered with the features that it lets through."""
    cql = await _query(request)
    if cql is not None:
        return await run_in_threadpool(_page, request, actor, _seen(collection, actor).id, cql)
    return await _answered(request, actor, collection, None, ogc_things.create)


@router.put("/items/{item}", openapi_extra=_WHOLE, max_body_size=MAX_BODY)
async def replace(request: Request, actor: Someone, collection: str, item: str) -> Response:
    """Replace an item by the feature that is sent, made on the edition that `If-Match` names."""
    return await _answered(request, actor, collection, item, ogc_things.replace)


@router.patch("/items/{item}", openapi_extra=_PART, max_body_size=MAX_BODY)
async def update(request: Request, actor: Someone, collection: str, item: str) -> Response:
    """Change what is sent of an item (JSON merge patch, RFC 7396) on the edition that `If-Match` names; null takes a value away."""
    return await _answered(request, actor, collection, item, ogc_things.update)


@router.delete("/items/{item}", status_code=204)
async def delete(request: Request, actor: Someone, collection: str, item: str) -> Response:
    """Take a line out of its draft, or end the validity of a candidate, on the edition that `If-Match` names; its history stays."""
    return await _answered(request, actor, collection, item, ogc_things.delete)


def allowed(request: Request, actor: Actor, found: Collection, *, item: bool) -> list[str]:
    """The methods that the actor may use on the items of a collection, or on one item."""
    if (
        not request.app.state.settings.writes
        or found.writable not in actor.capabilities
        or found.id not in written.WRITTEN
    ):
        return list(READ)
    methods = written.WRITTEN[found.id].methods if item else ("POST",)
    if item and " QGIS/" in f" {request.headers.get('user-agent', '')}":
        # QGIS does not send If-Match. A PUT of it carries the edition in the feature; its PATCH and DELETE say nothing of what it saw
        methods = tuple(m for m in methods if m == "PUT")
    return [*READ, *methods]


def _seen(name: str, actor: Actor) -> Collection:
    found = collections.collection(name)
    if not found.seen_by(actor.capabilities):
        needed = words.both(f"capability.{found.capability}")
        raise NotPermitted(words.both("sentence.lacks", name=actor.name, capability=needed))
    return found


def _allowed(methods: list[str]) -> Response:
    headers = {"Allow": ", ".join(methods)}
    if "PATCH" in methods:
        headers["Accept-Patch"] = ogc_sent.PATCH
    if "POST" in methods:
        headers["Accept-Post"] = "application/geo+json"
    return Response(status_code=204, headers=headers)


async def _answered(
    request: Request, actor: Actor, name: str, item: str | None, act: Callable[..., ogc_things.Done]
) -> Response:
    """What came of a write, once it is offered, permitted and read."""
    found = _seen(name, actor)
    try:
        _offered(request, actor, found, item)
    except _NotOffered as refusal:
        refused = UsageError(str(refusal)).as_dict()
        return JSONResponse(refused, 405, {"Allow": ", ".join(refusal.allow)})
    said = {} if request.method == "DELETE" else await ogc_sent.read(request, patch=request.method == "PATCH")
    key = None if item is None else _id(found.id, item)
    done = await run_in_threadpool(act, request, actor, found.id, key, said)
    if request.method == "DELETE":
        return Response(status_code=204)
    headers = {"ETag": done.tag}
    if item is None:
        headers["Location"] = f"{str(request.base_url).rstrip('/')}/ogc/collections/{found.id}/items/{done.id}"
    return JSONResponse({"id": done.id, **done.told}, 201 if item is None and not done.known else 200, headers)


async def _query(request: Request) -> dict[str, Any] | None:
    """A filter in CQL2 JSON that is sent instead of a feature, as OWSLib does; None where it is none."""
    try:
        said = await ogc_sent.read(request)
    except (RivergisError, HTTPException):
        return None
    return said if "op" in said else None


def _page(request: Request, actor: Actor, collection: str, cql: dict[str, Any]) -> Response:
    """The features that answer a filter, as the page of its address would have them."""
    asked = [(k, v) for k, v in request.query_params.multi_items() if k not in ("filter", "filter-lang", "f")]
    query = [*asked, ("filter", json.dumps(cql)), ("filter-lang", "cql2-json"), ("f", "json")]
    base = str(request.base_url).rstrip("/")
    ask = Ask("GET", request.url.path, {"collection": collection}, query, request.headers, actor, base)
    with request.app.state.pool.use(actor.area) as quick:
        answer = request.app.state.ogc_items.query(ask, quick)
    request.state.things = sum(answer.saw.values())
    return Response(answer.body, answer.status, answer.headers, answer.media_type)


def _offered(request: Request, actor: Actor, found: Collection, item: str | None) -> None:
    """Whether the method is offered to the actor; the sentence says why it is not."""
    if not request.app.state.settings.writes:
        raise _NotOffered(words.both("sentence.writes_off"), list(READ))
    if found.id not in written.WRITTEN or found.writable is None:
        names = ", ".join(written.WRITTEN)
        raise _NotOffered(f"{found.id} is not changed through this service; what can be: {names}.", list(READ))
    methods = written.WRITTEN[found.id].methods if item else ("POST",)
    if request.method not in methods:
        raise _NotOffered(words.both("sentence.report_stays"), [*READ, *methods])
    if found.writable not in actor.capabilities:
        needed = words.both(f"capability.{found.writable}")
        raise NotPermitted(words.both("sentence.lacks", name=actor.name, capability=needed))


def _id(name: str, item: str) -> uuid.UUID:
    try:
        return uuid.UUID(item)
    except ValueError as error:
        raise NotFound(f"There is no item {item[:60]!r} in {name}.") from error
