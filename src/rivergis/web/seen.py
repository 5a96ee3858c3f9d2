"""Who saw and took what (访问日志): counted in memory by actor, address, thing and minute, and written in lots."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from typing import NamedTuple

from rivergis.db import access_log
from rivergis.db.access import Actor
from rivergis.db.connect import Database
from rivergis.errors import RivergisError

log = logging.getLogger("rivergis.web.seen")
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
        except RivergisError as error:
            log.error("the log of views is not written: %s", error.sentence)
            with self._lock:
                self._requests.update(requests)
                self._things.update(things)
                self._alive |= alive

    def stop(self) -> None:
        """Write the rest and end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=EVERY_S)
        self.flush()
