"""Tiles of base maps from elsewhere, fetched by our server (代取底图): with its key, and from no address but the configured one.

A request names a base map and a tile, never a machine. The name is looked up once and that very machine is asked; a private
one only for base maps of the intranet; none that redirects, answers slowly, at length, or with anything but a picture.
The key stands in no error, no log and no answer.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import socket
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from rivergis.errors import NoPicture, NotReady
from rivergis.maps.basemaps import Base

PATIENCE_S = 8.0
MOST_BYTES = 1 << 20
"""A tile is smaller."""
PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
AT_ONCE = 6
REST_S = 20.0
"""A machine that did not answer is left alone so long."""
KEPT_S = 30 * 86_400.0
KEPT_BYTES = 512 << 20


@dataclass
class Kept:
    """Tiles fetched before, in one file; the oldest go when there are too many bytes."""

    path: Path
    most_bytes: int = KEPT_BYTES
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: str) -> bytes | None:
        with self._lock, closing(self._open()) as db:
            row = db.execute("SELECT body, at FROM tile WHERE key = ?", (key,)).fetchone()
        return bytes(row[0]) if row and time.time() - row[1] < KEPT_S else None

    def put(self, key: str, body: bytes) -> None:
        with self._lock, closing(self._open()) as db, db:
            db.execute("INSERT OR REPLACE INTO tile VALUES (?, ?, ?)", (key, time.time(), body))
            (held,) = db.execute("SELECT total(length(body)) FROM tile").fetchone()
            if held > self.most_bytes:
                db.execute(
                    "DELETE FROM tile WHERE key IN (SELECT key FROM tile ORDER BY at LIMIT (SELECT count(*) / 5 + 1 FROM tile))"
                )

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=5)
        db.execute("CREATE TABLE IF NOT EXISTS tile (key TEXT PRIMARY KEY, at REAL NOT NULL, body BLOB NOT NULL)")
        return db


class Source:
    """Fetches tiles; one for a service. ``env``: where the keys are."""

    def __init__(self, kept: Kept, env: Mapping[str, str] = os.environ) -> None:
        self.kept, self.env = kept, env
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._resting: dict[str, float] = {}

    def tile(self, base: Base, z: int, x: int, y: int) -> tuple[bytes, str]:
        """A tile and its kind of picture, from what is kept or from the configured machine. ``NoPicture``, ``NotReady``."""
        key = f"{base.id}/{z}/{x}/{y}"
        body = self.kept.get(key)
        if body is None:
            body = self._fetched(base, z, x, y)
            self.kept.put(key, body)
        return body, kind_of(body) or "application/octet-stream"

    def _fetched(self, base: Base, z: int, x: int, y: int) -> bytes:
        if self._resting.get(base.id, 0) > time.monotonic():
            raise NoPicture(f"The base map {base.id} did not answer a moment ago; it is asked again soon.")
        if not self._turns.acquire(timeout=PATIENCE_S):
            raise NoPicture(f"Too many tiles of the base map {base.id} are asked for at once; try again.")
        try:
            return fetch(base, self._address(base, z, x, y))
        except (OSError, http.client.HTTPException) as error:
            self._resting[base.id] = time.monotonic() + REST_S
            raise NoPicture(f"The base map {base.id} does not answer ({type(error).__name__}).") from None
        finally:
            self._turns.release()

    def _address(self, base: Base, z: int, x: int, y: int) -> str:
        key = self.env.get(base.key_name, "")
        if base.keyed and not key:
            raise NotReady(f"The base map {base.id} needs a key: set {base.key_name} where the service runs.")
        values = {"{z}": str(z), "{x}": str(x), "{y}": str(y), "{key}": quote(key, safe="")}
        address = base.address
        for mark, value in values.items():
            address = address.replace(mark, value)
        return address


def kind_of(body: bytes) -> str | None:
    """PNG or JPEG by its first bytes; nothing else is a picture here."""
    return next((kind for start, kind in PICTURES.items() if body.startswith(start)), None)


def allowed(address: str, network: str) -> bool:
    """Whether a base map of that network may lie at an IP address: never one of the link (metadata of clouds), many or none."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or (ip.is_reserved and not ip.is_loopback):
        return False
    return ip.is_global or network == "intranet"


def fetch(base: Base, address: str, look_up: Callable[..., list[Any]] = socket.getaddrinfo) -> bytes:
    """One picture from the machine of the address. ``NoPicture`` for all that is none, ``OSError`` where nothing answers."""
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    spot = _machine(base, host, port, look_up)
    until = time.monotonic() + PATIENCE_S
    sock = socket.create_connection(spot, timeout=PATIENCE_S)
    try:
        if parts.scheme == "https":
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
        connection.sock = sock
        asked = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request(
            "GET", asked, headers={"Host": parts.netloc, "User-Agent": "Mozilla/5.0 rivergis", "Accept": "image/*"}
        )
        return _picture(base, connection.getresponse(), until)
    finally:
        sock.close()


def _machine(base: Base, host: str, port: int, look_up: Callable[..., list[Any]]) -> tuple[str, int]:
    """The one address that is then asked: what a name says a moment later does not matter."""
    found = [str(spot[4][0]) for spot in look_up(host, port, type=socket.SOCK_STREAM)]
    if not found or not all(allowed(ip, base.network) for ip in found):
        raise NoPicture(
            f"The base map {base.id} lies at an address that it may not have: a private one needs 'network: intranet', "
            "one of the link is never asked."
        )
    return found[0], port


def _picture(base: Base, answer: http.client.HTTPResponse, until: float) -> bytes:
    if answer.status != 200:
        raise NoPicture(f"The base map {base.id} answered with status {answer.status} instead of a picture.")
    kind = answer.headers.get_content_type()
    body = b""
    while part := answer.read1(65_536):
        body += part
        if len(body) > MOST_BYTES or time.monotonic() > until:
            raise NoPicture(f"The base map {base.id} sent more, or took longer, than a tile may.")
    if kind not in PICTURES.values() or kind_of(body) is None:
        raise NoPicture(f"The base map {base.id} answered with {kind[:40]!r} instead of a PNG or JPEG picture.")
    return body
