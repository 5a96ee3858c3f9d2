"""Who saw and took what (访问日志): counted in memory by actor, address, thing and minute, and written in lots."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rivergis.db import access, access_log
from rivergis.db.access import Actor
from rivergis.db.connect import Database

log = logging.getLogger("rivergis.web.seen")
REFUSED = (401, 403, 429)
EVERY_S = 5.0
"""Seconds after which what was counted is in the database."""


class Key(NamedTuple):
    minute: int
    actor: str
    area: str
    address: str
    action: str
    what: str


class Seen:
    """The counts of one service that are not yet in the database."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._requests: Counter[Key] = Counter()
        self._things: Counter[Key] = Counter()
        self._alive: set[tuple[str, str]] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def note(self, actor: Actor, what: str, n: int = 0, *, action: str = "view", address: str = "") -> None:
        """Count one request of ``actor`` for ``what`` in which ``n`` things went out; in the database within seconds."""
        key = Key(int(time.time() // 60), actor.name, actor.area, address, action, what[:200])
        with self._lock:
            self._requests[key] += 1
            self._things[key] += n
            if actor.by:
                self._alive.add(actor.by)
            self._started()

    def _started(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="rivergis-seen", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            self.flush()

    def flush(self) -> None:
        """Write what was counted; what cannot be written now is kept for the next time."""
        with self._lock:
            requests, things, alive = self._requests, self._things, self._alive
            self._requests, self._things, self._alive = Counter(), Counter(), set()
        if not requests:
            return
        rows = [
            access_log.Row(datetime.fromtimestamp(k.minute * 60, UTC), *k[1:], requests=n, things=things[k])
            for k, n in requests.items()
        ]
        try:
            access_log.add(self._db, rows, alive)
        except Exception as error:  # whatever keeps it from being written, nothing of it is lost and the thread goes on
            log.error("the log of views is not written yet: %s", str(error).partition("\n")[0])
            with self._lock:
                self._requests.update(requests)
                self._things.update(things)
                self._alive |= alive

    def refused(self, address: str, what: str, actor: Actor | None) -> None:
        """Count a request that was refused, whoever it was."""
        self.note(actor or Actor(access.STRANGER, "", frozenset()), what, action="refused", address=address)

    def stop(self) -> None:
        """Write the rest and end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=EVERY_S)
        self.flush()


class Noting:
    """ASGI layer in front of pages and forms: what went out, to whom, and what was refused.

    A route says ``request.state.things`` (how many) and ``request.state.export`` (a file that is taken away) if it knows.
    """

    def __init__(self, app: ASGIApp, seen: Seen) -> None:
        self.app, self.seen = app, seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(scope, state, message["status"])
            await send(message)

        await self.app(scope, receive, noted)

    def _note(self, scope: Scope, state: dict[str, Any], status: int) -> None:
        actor: Actor | None = state.get("actor")
        address = (scope.get("client") or ("",))[0]
        what = f"{scope['method']} {scope['path']}" if scope["method"] not in ("GET", "HEAD") else scope["path"]
        if status in REFUSED:
            self.seen.refused(address, what, actor)
        elif actor is not None and status < 400:
            reading = "export" if state.get("export") else "view"
            action = reading if scope["method"] in ("GET", "HEAD") else "write"
            self.seen.note(actor, what, int(state.get("things", 0)), action=action, address=address)
