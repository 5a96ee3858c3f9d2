"""A cluster of its own with copies of one database, and the command of the night run in processes that can be stopped.

No question of its own; ``night_chaos.py`` and the tests of chaos use it.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import nights_world
from nights_world import World
from sqlalchemy import text

from rivergis.db import upgrade
from rivergis.db.cluster import Cluster
from rivergis.db.connect import Database, open_database
from rivergis.encroachment import canonical_files

COMMAND = [sys.executable, "-c", "from rivergis.cli import main; main()"]
WAIT_S = 60.0  # for the lock of a killed run, which its server process holds to the end of its statement
REPORT = "writing the morning report"  # last word but one of a night: all else is recorded
HELD = 5  # exit code: another night is running


@dataclass
class Ended:
    """How a run ended: exit code (negative = by that signal), what it said, and how long it worked from its first word to its report."""

    code: int
    said: list[str]
    out: str
    worked_s: float
    hit: bool = True
    """Whether it was still running when it was stopped."""

    @property
    def sentences(self) -> list[str]:
        """What it said beside its progress, which is indented."""
        return [line for line in self.said if line.strip() and not line.startswith(" ")]


@dataclass
class Night:
    """A run of ``rivergis`` in a process of its own; ``worked`` is set when it says its first word."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    worked: threading.Event = field(default_factory=threading.Event)
    since: float = 0.0
    until: float = 0.0

    def listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.rstrip("\n"))
            if REPORT in line:
                self.until = time.monotonic()
            if not self.worked.is_set():
                self.since = time.monotonic()
                self.worked.set()

    def ended(self, hit: bool = True) -> Ended:
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        code = self.process.wait()
        self.ear.join()
        worked_s = (self.until or time.monotonic()) - self.since if self.since else 0.0
        return Ended(code, self.said, out, worked_s, hit)

    @contextmanager
    def held(self, after_s: float = 0.0) -> Iterator[None]:
        """Hold the process still from so long after its first word; it goes on at the end."""
        self.worked.wait(WAIT_S)
        time.sleep(after_s)
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def start(self) -> Night:
        self.ear = threading.Thread(target=self.listen, daemon=True)
        self.ear.start()
        return self


@dataclass(frozen=True)
class Bed:
    """Databases of the cluster of a data folder; copies of one are made in the blink of an eye."""

    data_dir: Path
    cluster: Cluster

    def database(self, name: str) -> Database:
        return open_database(None, self.data_dir, name)

    def made(self, name: str, world: World) -> None:
        """A database with all of a world but its nights."""
        db = self.database(name)
        upgrade.upgrade(db)
        nights_world.load(db, world)
        db.close()

    def copy(self, name: str, of: str, tablespace: str | None = None) -> None:
        self.admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.admin(f'CREATE DATABASE "{name}" TEMPLATE "{of}"' + (f" TABLESPACE {tablespace}" if tablespace else ""))
        self.admin("CHECKPOINT")  # else a crash hands out numbers of copied sequences again (PostgreSQL 15)

    def admin(self, *statements: str) -> None:
        db = self.database("postgres")
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            for statement in statements:
                conn.execute(text(statement))
        db.close()

    def bring(self, name: str, world: World, n: int) -> None:
        db = self.database(name)
        nights_world.bring(db, world, n)
        db.close()

    def canonical(self, name: str, out: Path | None = None) -> canonical_files.Canonical:
        db = self.database(name)
        with db.read() as conn:
            done = canonical_files.write(conn, out)
        db.close()
        return done

    def asked(self, name: str, query: str) -> list[tuple[object, ...]]:
        db = self.database(name)
        with db.read() as conn:
            rows = [tuple(r) for r in conn.execute(text(query))]
        db.close()
        return rows

    def begin(self, name: str, day: date | None, *more: str, prepare: Callable[[], None] | None = None) -> Night:
        """Start ``rivergis nightly run`` of a day, or go on with the night that was interrupted."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("RIVERGIS_")}
        env |= {"RIVERGIS_DATA_DIR": str(self.data_dir), "RIVERGIS_DATABASE": name}
        which = ["--resume"] if day is None else ["--date", str(day)]
        command = [*COMMAND, "nightly", "run", *which, "--json", *more]
        process = subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=prepare
        )
        return Night(process).start()

    def run(self, name: str, day: date | None, *more: str, prepare: Callable[[], None] | None = None) -> Ended:
        """A whole night. While the server still works for one that was killed, waits and asks again."""
        until = time.monotonic() + WAIT_S
        while True:
            ended = self.begin(name, day, *more, prepare=prepare).ended()
            if ended.code != HELD or time.monotonic() > until:
                return ended
            time.sleep(0.5)

    def stopped(self, name: str, day: date, way: str, after_s: float, *more: str) -> Ended:
        """A night stopped so long after its first word."""
        night = self.begin(name, day, *more)
        while not night.worked.wait(0.05) and night.process.poll() is None:
            pass
        time.sleep(after_s)
        hit = night.process.poll() is None
        if hit:
            STOPS[way](self, name, night)
        return night.ended(hit)

    def servers_of(self, name: str) -> list[int]:
        query = f"SELECT pid FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        return [int(str(r[0])) for r in self.asked("postgres", query)]


def _signal(number: int) -> Callable[[Bed, str, Night], None]:
    return lambda _bed, _name, night: night.process.send_signal(number)


def _backend(bed: Bed, name: str, _night: Night) -> None:
    for pid in bed.servers_of(name):
        os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + WAIT_S
    while not bed.cluster.status().running and time.monotonic() < until:  # it recovers
        time.sleep(0.2)


def _terminated(bed: Bed, name: str, _night: Night) -> None:
    bed.admin(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


def _server(bed: Bed, _name: str, _night: Night) -> None:
    bed.cluster.stop()


# way of stopping -> what is done
STOPS: dict[str, Callable[[Bed, str, Night], None]] = {
    "kill": _signal(signal.SIGKILL),
    "term": _signal(signal.SIGTERM),
    "int": _signal(signal.SIGINT),
    "backend": _backend,
    "terminated": _terminated,
    "server": _server,
}


@contextmanager
def bed(home: Path, *, durable: bool = True) -> Iterator[Bed]:
    """A cluster in a folder that a server of another user can pass through; stopped at the end."""
    home.chmod(0o755)
    cluster = Cluster(home / "data", durable=durable)
    cluster.start()
    try:
        yield Bed(home / "data", cluster)
    finally:
        cluster.stop()


def nights(bed_: Bed, name: str, world: World, count: int, *more: str) -> list[tuple[str, float]]:
    """Undisturbed nights of a database: after each the hash of the ledger, and how long it worked."""
    out = []
    for n in range(count):
        bed_.bring(name, world, n)
        ended = bed_.run(name, world.day(n), *more)
        assert ended.code == 0, ended
        out.append((bed_.canonical(name).sha256, ended.worked_s))
    return out


def moment(rng: random.Random, worked_s: float) -> float:
    """A random point of a night that works so long; one in four falls into the writing of its report."""
    return rng.uniform(0.0, worked_s * 1.33)
