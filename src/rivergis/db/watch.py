"""What the database says happened (LISTEN): so that this process may remember who somebody is and what a tile held.

While the line to the database stands, what is remembered is as fresh as the last commit; while it does not, nothing
may be remembered (``alive`` is false).
"""

from __future__ import annotations

import logging
import select
import threading
from collections import Counter

import psycopg2

from rivergis.db.connect import Database

log = logging.getLogger("rivergis.db")
SERVED, ACCESS = "rivergis_served", "rivergis_access"
_AGAIN_S = 2.0


class Watch:
    """Counts the changes of every collection, and those of who may do what. One thread, begun at the first question."""

    def __init__(self, db: Database) -> None:
        self._address = db.engine.dialect.create_connect_args(db.engine.url)
        self._counts: Counter[str] = Counter()
        self._all = 0  # every time the line was cut, anything may have happened
        self._begin = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self.alive = False

    def state(self, *names: str) -> tuple[int, ...]:
        """A number for each collection (or ``ACCESS``) that is another one after every change of it."""
        if self._thread is None:
            self._start()
        return (self._all, *(self._counts[n] for n in names))

    def stop(self) -> None:
        self._stopped.set()

    def _start(self) -> None:
        with self._begin:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="rivergis-watch", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except (psycopg2.Error, OSError) as error:
                log.warning(
                    "no word from the database (%s): nothing is remembered until it is back", type(error).__name__
                )
            self.alive = False
            self._all += 1
            self._stopped.wait(_AGAIN_S)

    def _listen(self) -> None:
        words, named = self._address
        connection = psycopg2.connect(*words, **named, keepalives_idle=10, keepalives_interval=5, keepalives_count=2)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {SERVED}; LISTEN {ACCESS}")
            self._all += 1
            self.alive = True
            while not self._stopped.is_set():
                if select.select([connection], [], [], 1.0)[0]:
                    connection.poll()
                    self._take(connection)
        finally:
            self.alive = False
            connection.close()

    def _take(self, connection: psycopg2.extensions.connection) -> None:
        while connection.notifies:
            said = connection.notifies.pop(0)
            self._counts[ACCESS if said.channel == ACCESS else said.payload] += 1
