"""The fast lane (瓦片与要素的快速通道): tiles and pages of features past the machinery that pages and forms need.

An ASGI layer in front of the service. It knows who asks (remembered while the database says nothing changed), runs a
handler on a lean connection in a thread, and stops the query when the client leaves. Everything it does not know goes on
to the service behind it; so do errors, which look the same everywhere.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rivergis import words
from rivergis.db.access import Actor
from rivergis.db.quick import Quick, QuickPool
from rivergis.db.watch import ACCESS, Watch
from rivergis.errors import Cancelled, NotSignedIn
from rivergis.web import auth

WORKERS = 8
"""Queries at once in one process; more wait for their turn."""
_PATIENCE_S = 0.05  # an answer this quick is sent without asking whether the client is still there
_REMEMBERED_S = 30.0  # sessions and keys end by the clock, too
_MEMORY = 10_000  # accounts and keys remembered; more begin anew


@dataclass(frozen=True)
class Ask:
    """What is asked for, and by whom."""

    method: str
    path: str
    args: Mapping[str, str]
    query: list[tuple[str, str]]
    headers: Headers
    actor: Actor
    base: str
    """Scheme and host of this service as the client sees it."""


@dataclass
class Answer:
    """What goes back; an iterator is sent as it comes."""

    body: bytes | Iterable[bytes] = b""
    media_type: str = "application/octet-stream"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    saw: Mapping[str, int] = field(default_factory=dict)
    """What went out, and how many of it, for the log of views."""
    action: str = "view"


Handler = Callable[[Ask, Quick], Answer]
Peek = Callable[[Ask], Answer | None]


@dataclass(frozen=True)
class Way:
    """One address of the fast lane. ``peek`` may answer at once, without a connection; ``kind`` is what is limited."""

    pattern: re.Pattern[str]
    handler: Handler
    kind: str
    peek: Peek | None = None


class Lane:
    """The ASGI layer; ``ways`` are tried in their order, ``refuse`` writes errors as the service does."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        pool: QuickPool,
        watch: Watch,
        ways: Iterable[Way],
        headers: Mapping[str, str],
        refuse: Callable[[Request, Exception], Awaitable[Response]],
    ) -> None:
        self.app, self.pool, self.watch, self.refuse = app, pool, watch, refuse
        self.ways = tuple(ways)
        self.headers = [(k.encode(), v.encode()) for k, v in headers.items()]
        self.threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="rivergis-lane")
        self._known: dict[tuple[str, str], tuple[Actor, float]] = {}
        self._known_at: tuple[int, ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            path = scope["path"]
            for way in self.ways:
                found = way.pattern.fullmatch(path)
                if found:
                    await self._serve(way, found.groupdict(), scope, receive, send)
                    return
        await self.app(scope, receive, send)

    async def _serve(self, way: Way, args: dict[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        try:
            ask = await self._ask(way, args, scope)
            answer = way.peek(ask) if way.peek else None
            if answer is None:
                await self._work(way, ask, scope, receive, send)
            else:
                self._note(ask, answer, scope)
                await self._send(answer, scope, send)
        except Cancelled:
            return  # nobody is there to be told
        except _HalfSent:
            raise  # the line is cut: a client must not take half an answer for a whole one
        except Exception as error:
            request = Request(scope, receive)
            await (await self.refuse(request, error))(scope, receive, send)

    async def _ask(self, way: Way, args: dict[str, str], scope: Scope) -> Ask:
        headers = Headers(scope=scope)
        actor = await self._actor(headers, scope["app"])
        # strangers are told apart by their addresses
        who, kind = (_address(scope), "public") if actor.public else (actor.name, way.kind)
        scope["app"].state.limits.check(who, kind)
        host = headers.get("host") or "{}:{}".format(*(scope.get("server") or ("localhost", 80)))
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        return Ask(scope["method"], scope["path"], args, query, headers, actor, f"{scope['scheme']}://{host}")

    async def _actor(self, headers: Headers, app: Any) -> Actor:
        """Who asks: asked of the database once, and again after anything changed there of who may do what."""
        state, now = self.watch.state(ACCESS), time.monotonic()
        if state != self._known_at or len(self._known) > _MEMORY:
            self._known, self._known_at = {}, state
        token = (headers.get("authorization", ""), _session(headers.get("cookie", "")))
        known = self._known  # a change that comes while we ask ends up in a memory that is no longer looked at
        actor, until = known.get(token, (None, 0.0))
        if actor is None or until < now or not self.watch.alive:
            loop = asyncio.get_running_loop()
            actor = await loop.run_in_executor(self.threads, auth.who, app.state, token)
            if actor is None:
                raise NotSignedIn(words.both("sentence.sign_in_first"))
            known[token] = (actor, now + _REMEMBERED_S)
        return actor

    async def _work(self, way: Way, ask: Ask, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the handler in a thread; what it asks of the database ends when the client leaves."""
        run, loop = _Run(self.pool, ask.actor.area), asyncio.get_running_loop()
        answer = await self._or_left(loop.run_in_executor(self.threads, run.first, way.handler, ask), run, receive)
        self._note(ask, answer, scope)
        if isinstance(answer.body, bytes):
            await self._send(answer, scope, send)
        else:
            await self._stream(answer, run, scope, receive, send)

    async def _or_left(self, job: asyncio.Future[Answer], run: _Run, receive: Receive) -> Answer:
        done, _ = await asyncio.wait({job}, timeout=_PATIENCE_S)
        if not done:
            left = asyncio.ensure_future(_left(receive))
            both: set[asyncio.Future[Any]] = {job, left}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if left.done():
                run.cancel()
            left.cancel()
        return await job

    async def _stream(self, answer: Answer, run: _Run, scope: Scope, receive: Receive, send: Send) -> None:
        """Lot after lot as the client takes them; ends when there are no more, or nobody takes them."""
        loop, left = asyncio.get_running_loop(), asyncio.ensure_future(_left(receive))
        left.add_done_callback(lambda task: None if task.cancelled() else run.cancel())
        try:
            await send(self._start(answer, None, scope))
            while scope["method"] == "GET" and (lot := await loop.run_in_executor(self.threads, run.more)):
                await send({"type": "http.response.body", "body": lot, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except Cancelled:
            raise
        except Exception as error:
            raise _HalfSent(scope["path"]) from error
        finally:
            left.cancel()
            await loop.run_in_executor(self.threads, run.end)

    def _note(self, ask: Ask, answer: Answer, scope: Scope) -> None:
        for what, n in answer.saw.items():
            scope["app"].state.seen.note(ask.actor, what, n, action=answer.action, address=_address(scope))

    def _start(self, answer: Answer, length: int | None, scope: Scope) -> dict[str, Any]:
        named = {k.lower().encode(): v.encode("latin-1") for k, v in answer.headers.items()}
        if answer.media_type and answer.status != 304:
            named[b"content-type"] = answer.media_type.encode()
        if length is not None and answer.status not in (204, 304):
            named[b"content-length"] = str(length).encode()
        headers = [*named.items(), *(h for h in self.headers if h[0] not in named)]
        return {"type": "http.response.start", "status": answer.status, "headers": headers}

    async def _send(self, answer: Answer, scope: Scope, send: Send) -> None:
        body = answer.body
        assert isinstance(body, bytes)
        await send(self._start(answer, len(body), scope))
        silent = scope["method"] == "HEAD" or answer.status in (204, 304)
        await send({"type": "http.response.body", "body": b"" if silent else body})


class _HalfSent(Exception):
    """An answer broke off after its beginning was sent."""


class _Run:
    """One handler at work on one connection, which may be left at any moment."""

    def __init__(self, pool: QuickPool, area: str) -> None:
        self._stack, self._pool, self._area = ExitStack(), pool, area
        self._quick: Quick | None = None
        self._lots: Iterator[bytes] = iter(())
        self._gone = False

    def first(self, handler: Handler, ask: Ask) -> Answer:
        """The answer, with the connection given back unless its body is still to come."""
        try:
            if self._gone:  # left while it waited for its turn
                raise Cancelled("Whoever asked has left before it began.")
            self._quick = self._stack.enter_context(self._pool.use(self._area))
            answer = handler(ask, self._quick)
        except BaseException as error:
            if not self._stack.__exit__(type(error), error, error.__traceback__):
                raise
            raise AssertionError("an error was swallowed") from error
        if isinstance(answer.body, bytes):
            self._stack.close()
        else:
            self._lots = iter(answer.body)
        return answer

    def more(self) -> bytes | None:
        return next((lot for lot in self._lots if lot), None)

    def end(self) -> None:
        if close := getattr(self._lots, "close", None):
            close()
        self._stack.close()

    def cancel(self) -> None:
        self._gone = True
        if self._quick is not None:
            self._quick.cancel()


async def _left(receive: Receive) -> None:
    """Returns when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _address(scope: Scope) -> str:
    return str((scope.get("client") or ("",))[0])


def _session(cookie: str) -> str:
    """The session in a Cookie header."""
    for part in cookie.split(";"):
        name, _, value = part.strip().partition("=")
        if name == auth.COOKIE:
            return value
    return ""
