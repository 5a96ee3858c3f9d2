"""The old services (WMS 1.3、WFS 2.0): read only, for ArcMap, SuperMap, 水利一张图 and what else speaks nothing newer.

MapServer draws and answers behind our sign-in, over the same shapes as the tiles; who may see what is decided here and in the
database, never by what a request says.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rivergis import words
from rivergis.db.access import Actor
from rivergis.errors import NotReady, UsageError
from rivergis.maps import collections
from rivergis.web import auth
from rivergis.web.auth import address_of, require
from rivergis.web.legacy import asked as legacy_asked
from rivergis.web.legacy.maps import Maps, seen_by
from rivergis.web.legacy.mapserver import Exchange

log = logging.getLogger("rivergis.web.legacy")
router = APIRouter(tags=["old services"])
View = Annotated[Actor, Depends(require("view"))]
_POST = re.compile(rb"<(?:ows:)?Post\b[^>]*?(?:/>|>.*?</(?:ows:)?Post>)", re.DOTALL)
# what MapServer says of its database is for the log, not for a client
_REPORT = re.compile(rb"<(?:\w+:)?(?:Service)?ExceptionReport\b|<TITLE>MapServer Message")
_SAID = re.compile(rb"<(?:\w+:)?(?:ServiceException|ExceptionText)\b[^>]*>(.*?)</|<BODY[^>]*>(.*?)</BODY>", re.DOTALL)
_INSIDE = re.compile(rb"msPostGIS|connect string|prepare_database|\.map\b|SELECT ")
_KEPT = ("content-type", "content-disposition")


@router.get("/wms", response_class=Response, responses={200: {"content": {"image/png": {}, "text/xml": {}}}})
def wms(request: Request, actor: View) -> Response:
    """WMS 1.3.0 and 1.1.1: pictures, feature information and legends. ``TIME`` is the civil day of what is in force."""
    seen = seen_by(actor)
    asked = legacy_asked.read(request.query_params.multi_items(), "WMS")
    verb = asked["request"].lower()
    _note(request, actor, "wms", asked, seen)
    maps: Maps = request.app.state.maps
    if verb == "getmap":
        path = maps.drawn(legacy_asked.named(asked, seen) or seen[:1], actor.area, asked["day"])
        return _asked(request, actor, legacy_asked.for_map(asked, seen), str(path))
    if verb == "getfeatureinfo":
        asked = legacy_asked.for_information(asked, seen)
    return _asked(request, actor, asked, str(maps.told(seen, actor.area, asked["day"])))


@router.get("/wfs", response_class=Response, responses={200: {"content": {"text/xml": {}, "application/json": {}}}})
def wfs(request: Request, actor: View) -> Response:
    """WFS 2.0.0, 1.1.0 and 1.0.0: things with all columns, as GML or GeoJSON, at most 10,000 in one answer."""
    seen = seen_by(actor)
    asked = legacy_asked.read(request.query_params.multi_items(), "WFS")
    names = _note(request, actor, "wfs", asked, seen)
    if any(collections.collection(n).personal for n in names):
        auth.saw_patrols(request, actor, f"wfs:{','.join(names)}")
    request.app.state.limits.check(actor.name, "items")
    return _asked(request, actor, asked, str(request.app.state.maps.told(seen, actor.area, asked["day"])))


@router.post("/wms", include_in_schema=False)
@router.post("/wfs", include_in_schema=False)
def read_only(_: View) -> Response:
    """Refused with one sentence."""
    raise UsageError(words.both("legacy.read_only"))


def _note(request: Request, actor: Actor, service: str, asked: Mapping[str, str], seen: list[str]) -> list[str]:
    names = legacy_asked.named(asked, seen)
    for name in names:
        request.app.state.seen.note(actor, f"{service}:{name}", 1, address=address_of(request))
    return names


def _asked(request: Request, actor: Actor, asked: Mapping[str, str], path: str) -> Response:
    """The request as MapServer gets it; the addresses in its answer are those of this service."""
    params = cgi(request, f"/{asked['service'].lower()}", asked, path)
    finish = _reading_only if asked["request"].lower() == "getcapabilities" else None
    return Passed(request.app.state.maps, params, actor.area, finish)


def _reading_only(headers: dict[str, str], body: bytes) -> Response:
    """Capabilities without the ways to send something."""
    return Response(
        _POST.sub(b"", body),
        media_type=headers.get("content-type", "text/xml"),
        headers={"cache-control": "private, no-cache"},
    )


def cgi(request: Request, name: str, asked: Mapping[str, str], path: str) -> dict[str, str]:
    """CGI parameters of a request to a map file."""
    base = request.base_url
    return {
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": urlencode(asked),
        "SERVER_NAME": re.sub(r"[^\w.:\[\]-]", "", base.hostname or "localhost"),
        "SERVER_PORT": str(base.port or (443 if base.scheme == "https" else 80)),
        "SCRIPT_NAME": base.path.rstrip("/") + name,
        "HTTPS": "on" if base.scheme == "https" else "off",
        "MS_MAPFILE": path,
    }


Finish = Callable[[dict[str, str], bytes], Response]


class Passed(Response):
    """An answer of MapServer, passed on as it comes; when the client leaves, the child that works on it ends.

    With ``finish`` the answer is taken whole, and what that makes of its headers and body goes out.
    """

    def __init__(self, maps: Maps, params: Mapping[str, str], area: str, finish: Finish | None = None) -> None:
        super().__init__()
        self._maps, self._params, self._area, self._finish = maps, params, area, finish
        self._now: Exchange | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watch = asyncio.ensure_future(_left(receive))
        watch.add_done_callback(lambda task: None if task.cancelled() else self._stop())
        try:
            status, headers, first = await run_in_threadpool(self._open)
            if self._finish is None:
                await self._pass(status, headers, first, send)
            else:
                body = await run_in_threadpool(self._rest, first)
                await self._finish(headers, body)(scope, receive, send)
        except NotReady:
            if not watch.done():  # otherwise nobody is there to be told
                raise
        finally:
            watch.cancel()
            if self._now is not None:
                await run_in_threadpool(self._now.end)

    def _stop(self) -> None:
        if self._now is not None:
            self._now.stop()

    def _open(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and the first part of the answer; a child that lost the database is replaced once."""
        for _ in range(2):
            self._now = self._maps.engine.ask(self._params, self._area)
            status, headers = self._now.start()
            first = next(self._now.parts, b"")
            trouble = trouble_of(first)
            if trouble is None:
                return status, headers, first
            self._now.discard()
            log.error("mapserver: %s", trouble)
        raise NotReady(words.both("legacy.unreadable"))

    def _rest(self, first: bytes) -> bytes:
        assert self._now is not None
        body = first + self._now.whole()
        if not self._now.complete:
            raise NotReady(words.both("legacy.broken"))
        return body

    async def _pass(self, status: int, headers: dict[str, str], first: bytes, send: Send) -> None:
        assert self._now is not None
        kept = [(k.encode(), v.encode("latin-1")) for k, v in headers.items() if k in _KEPT]
        kept.append((b"cache-control", b"private, no-cache"))
        await send({"type": "http.response.start", "status": status, "headers": kept})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        async for part in iterate_in_threadpool(self._now.parts):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        if self._now.complete:  # half an answer is not ended: a client must not take it for a whole one
            await send({"type": "http.response.body", "body": b""})


def trouble_of(first: bytes) -> str | None:
    """What MapServer says of its database rather than of the request; None where the answer may go out.

    Only the sentence of the report: what stands round it holds the address of the request, and a key may be in that.
    """
    if not _REPORT.search(first[:1200]):
        return None
    said = b" ".join(part for found in _SAID.findall(first[:16_384]) for part in found)
    return " ".join(said.decode("utf-8", "replace").split())[:500] if _INSIDE.search(said) else None


async def _left(receive: Receive) -> None:
    """Until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
