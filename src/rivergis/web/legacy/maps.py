"""Map files of one service: written when they are first needed, for each sight of an account, where only it can read them."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cachetools import LRUCache

from rivergis.db.access import Actor
from rivergis.db.connect import Database
from rivergis.db.quick import READER
from rivergis.maps import collections
from rivergis.maps.legacy import boxes as map_boxes
from rivergis.maps.legacy import fonts as map_fonts
from rivergis.maps.legacy import mapfile
from rivergis.maps.legacy.mapfile import Ground, Sight
from rivergis.web.legacy.mapserver import Engine

FRESH_S = 600.0
"""Seconds after which the boxes that capabilities tell are looked up again."""
_MOST = 500
_OPTIONS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "25000",
    # a query whose child was ended stops
    "client_connection_check_interval": "500",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
}


class Maps:
    """The map files and the children that read them; nothing is started before somebody asks."""

    def __init__(self, db: Database, data_dir: Path) -> None:
        self._db, self._data_dir = db, data_dir
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._files: LRUCache[tuple[Any, ...], tuple[Path, float]] = LRUCache(_MOST)
        self._reader: bool | None = None

    @property
    def engine(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = Engine()
            return self._engine

    def drawn(self, names: Sequence[str], area: str, day: str, public: bool = False) -> Path:
        """The map file that draws some collections; ``public``: for anybody."""
        sight = Sight(tuple(sorted(names)), area, public)
        return self._file(("drawn", sight), lambda: mapfile.drawn(sight, self._ground(area, {}), day), None)

    def told(self, names: Sequence[str], area: str, day: str) -> Path:
        """The map file that tells of some collections."""
        sight = Sight(tuple(sorted(names)), area)
        key = ("told", sight)
        return self._file(key, lambda: mapfile.told(sight, self._ground(area, self._boxes(sight)), day), FRESH_S)

    def _file(self, key: tuple[Any, ...], make: Any, fresh_s: float | None) -> Path:
        with self._lock:
            path, at = self._files.get(key, (None, 0.0))
        # a machine may tidy its folder of temporary files
        if path is not None and path.exists() and (fresh_s is None or time.monotonic() - at < fresh_s):
            return path
        self.engine.folder.mkdir(mode=0o700, exist_ok=True)
        text = make()
        path = self.engine.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:24]}.map"
        if not path.exists():
            part = path.with_suffix(f".{threading.get_ident()}")
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        with self._lock:
            self._files[key] = (path, time.monotonic())
        return path

    def _boxes(self, sight: Sight) -> dict[str, tuple[float, float, float, float]]:
        with self._db.read() as conn:
            return map_boxes.boxes(conn, sight.names, sight.area)

    def _ground(self, area: str, boxes: dict[str, tuple[float, float, float, float]]) -> Ground:
        return Ground(self._connection(area), self._fonts(), boxes)

    def _fonts(self) -> Path | None:
        font = map_fonts.chinese(self._data_dir / "fonts")
        if font is None:
            return None
        listed = self.engine.folder / "fonts.txt"
        if not listed.exists():
            listed.write_text(f"sc {font}\n", encoding="utf-8")
            for name in collections.COLLECTIONS:
                (self.engine.folder / mapfile.template_name(name)).write_text(mapfile.template(name), encoding="utf-8")
        return listed

    def _connection(self, area: str) -> str:
        """How a child reaches the database: read only, in the reader's role, held to an area; the password in a file of its own."""
        url = self._db.engine.url
        options = {**_OPTIONS, "rivergis.area": area, **({"role": READER} if self._may_read() else {})}
        parts = {
            **{k: str(v) for k, v in url.query.items() if k != "options"},
            "dbname": url.database or "",
            "host": url.host or url.query.get("host", ""),
            "port": str(url.port or ""),
            "user": url.username or "",
            "passfile": str(self._password_file(str(url.password))) if url.password else "",
            "application_name": "rivergis-mapserver",
            "options": " ".join(f"-c {k}={v}" for k, v in options.items()),
        }
        return " ".join(f"{k}={_libpq(str(v))}" for k, v in parts.items() if v)

    def _password_file(self, password: str) -> Path:
        path = self.engine.folder / "pgpass"
        if not path.exists():
            path.touch(mode=0o600)
            escaped = password.replace("\\", "\\\\").replace(":", "\\:")
            path.write_text(f"*:*:*:*:{escaped}\n", encoding="utf-8")
        return path

    def _may_read(self) -> bool:
        if self._reader is None:
            with self._db.read() as conn:
                self._reader = map_boxes.has_role(conn, READER)
        return self._reader

    def close(self) -> None:
        """End the children."""
        with self._lock:
            engine, self._engine = self._engine, None
            self._files.clear()
        if engine is not None:
            engine.close()


def _libpq(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def seen_by(actor: Actor) -> list[str]:
    """Collections that an account may see."""
    return [c.id for c in collections.COLLECTIONS.values() if c.seen_by(actor.capabilities)]
