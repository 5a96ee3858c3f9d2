"""Debian's MapServer as a few children of the service (FastCGI): it draws and answers, it is never reached from outside.

A child is started when the first request comes and kept; starting one for each request would cost more than the request. A
request that takes too long, or whose client has left, ends with its child. No child outlives the service.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rivergis import words
from rivergis.errors import NotReady, TooLong, TooMany

PROGRAM = "mapserv"
_PLACES = "/usr/lib/cgi-bin:/usr/bin:/usr/local/bin"
LONGEST_S = 30.0
"""Seconds that one request may take."""
WAIT_S = 20.0
"""Seconds that a request waits for a free child."""
_REQUESTS = 5000
"""Requests after which a child is replaced: what leaks in it ends."""
_SIGHTS = 4
"""Areas that one child keeps connections for; with more it is replaced."""
_CONFIG = 'CONFIG\n  ENV\n    MS_MAP_PATTERN "^$"\n    MS_MAP_NO_PATH "1"\n  END\nEND\n'
_BEGIN, _END, _PARAMS, _STDIN, _STDOUT, _STDERR = 1, 3, 4, 5, 6, 7


def program() -> str | None:
    """Where the program lies; None where it is not installed."""
    return shutil.which(PROGRAM, path=f"{os.environ.get('PATH', '')}:{_PLACES}")


@dataclass
class _Child:
    process: subprocess.Popen[bytes]
    path: Path
    requests: int = 0
    sights: set[str] = field(default_factory=set)

    @property
    def worn(self) -> bool:
        return self.process.poll() is not None or self.requests >= _REQUESTS or len(self.sights) > _SIGHTS

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.path.unlink(missing_ok=True)


class Engine:
    """The children of one service, and the folder with their map files, which nobody else can read."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most or min(4, (os.cpu_count() or 1) + 1)
        self._turn = threading.Condition()
        self._idle: list[_Child] = []
        self._busy = 0
        # children end with the thread that started them: this one lives as long as the service
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="rivergis-mapserver")
        self._folder = tempfile.TemporaryDirectory(prefix="rivergis-map-")
        self.folder = Path(self._folder.name)
        (self.folder / "mapserver.conf").write_text(_CONFIG, encoding="utf-8")

    def ask(self, params: Mapping[str, str], sight: str) -> Exchange:
        """Begin a request (CGI parameters); ``sight``: what its connection to the database may see.

        ``NotReady`` where MapServer is not installed, ``TooMany`` where all children are busy for long.
        """
        child = self._take()
        child.requests += 1
        child.sights.add(sight)
        try:
            return Exchange(self, child, params)
        except OSError:
            self.give(child, broken=True)
            raise

    def _take(self) -> _Child:
        with self._turn:
            if not self._turn.wait_for(lambda: self._busy < self._most, WAIT_S):
                raise TooMany(words.both("legacy.busy"), retry_after_s=5)
            self._busy += 1
            child = self._idle.pop() if self._idle else None
        try:
            if child is not None and child.worn:
                child.end()
                child = None
            return child or self._keeper.submit(self._start).result()
        except BaseException:
            self._free(None)
            raise

    def _start(self) -> _Child:
        found = program()
        if found is None:
            raise NotReady(words.both("legacy.missing"))
        path = self.folder / f"{time.monotonic_ns()}.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(1)
            # ends with the service however that ends; its environment says nothing of ours
            tied = [shutil.which("setpriv"), "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
            env = {
                "PATH": "/usr/bin:/bin",
                "MAPSERVER_CONFIG_FILE": str(self.folder / "mapserver.conf"),
                "LC_ALL": "C.UTF-8",
            }
            process = subprocess.Popen(
                [*map(str, tied), found],
                stdin=listener.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=env,
                cwd=self.folder,
            )
        return _Child(process, path)

    def give(self, child: _Child, broken: bool) -> None:
        """Take a child back after a request."""
        if broken:
            child.end()
        self._free(None if broken else child)

    def _free(self, child: _Child | None) -> None:
        with self._turn:
            self._busy -= 1
            if child is not None:
                self._idle.append(child)
            self._turn.notify()

    def close(self) -> None:
        """End all children that rest."""
        with self._turn:
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()
        self._keeper.shutdown(wait=False)


class Exchange:
    """One request and its answer: ``start`` waits for the headers, ``parts`` gives the rest as it comes."""

    def __init__(self, engine: Engine, child: _Child, params: Mapping[str, str]) -> None:
        self._engine, self._child = engine, child
        self._until = time.monotonic() + LONGEST_S
        self._lock, self._given, self._whole = threading.Lock(), False, False
        self._line = socket.socket(socket.AF_UNIX)
        self._line.settimeout(LONGEST_S)
        self._line.connect(str(child.path))
        said = b"".join(map(_pair, params.keys(), params.values()))
        begin = struct.pack(">HB5x", 1, 0)
        self._line.sendall(
            _record(_BEGIN, begin) + _record(_PARAMS, said) + _record(_PARAMS, b"") + _record(_STDIN, b"")
        )
        self._rest = b""
        self._records = self._read()
        self.parts = self._body()
        """The answer after its headers, part by part as it comes."""

    def start(self) -> tuple[int, dict[str, str]]:
        """Status and headers of the answer. ``TooLong`` after too long, ``NotReady`` when the child broke down."""
        head = b""
        while b"\r\n\r\n" not in head:
            part = next(self._records, None)
            if part is None:
                self.end()
                raise NotReady(words.both("legacy.broken"))
            head += part
        told, _, self._rest = head.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in told.decode("latin-1").split("\r\n") if ": " in line]
        headers = {name.lower(): value for name, value in lines}
        return int(headers.pop("status", "200").split()[0]), headers

    def _body(self) -> Iterator[bytes]:
        try:
            if self._rest:
                yield self._rest
            yield from self._records
        finally:
            self.end()

    def whole(self) -> bytes:
        """All that is left of the answer."""
        return b"".join(self.parts)

    def _read(self) -> Iterator[bytes]:
        try:
            while True:
                _, kind, _, length, padding, _ = struct.unpack(">BBHHBB", self._exactly(8))
                content = self._exactly(length + padding)[:length]
                if kind == _END:
                    self._whole = True
                    return
                if kind == _STDOUT and content:
                    yield content
        except TimeoutError as error:
            self.end()
            raise TooLong(words.both("legacy.too_long", seconds=f"{LONGEST_S:.0f}")) from error
        except (ConnectionError, EOFError):
            return  # it was ended, or broke down: the answer is not whole

    def _exactly(self, length: int) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            self._line.settimeout(max(self._until - time.monotonic(), 0.001))
            part = self._line.recv(length - len(parts))
            if not part:
                raise EOFError
            parts += part
        return bytes(parts)

    @property
    def complete(self) -> bool:
        """Whether the answer came to its end."""
        return self._whole

    def discard(self) -> None:
        """End the child, whatever it was about to say."""
        self._whole = False
        self.end()

    def end(self) -> None:
        """Give the child back, or end it where it is still at work."""
        with self._lock:
            if self._given:
                return
            self._given = True
        self._line.close()
        self._engine.give(self._child, broken=not self._whole)

    def stop(self) -> None:
        """Whoever asked has left: end the child at once; the thread that reads wakes up."""
        with self._lock:
            if not self._given and not self._whole:
                self._child.process.send_signal(signal.SIGKILL)


def _record(kind: int, content: bytes) -> bytes:
    parts = [content[i : i + 65535] for i in range(0, len(content), 65535)] or [b""]
    return b"".join(struct.pack(">BBHHBB", 1, kind, 1, len(p), 0, 0) + p for p in parts)


def _pair(name: str, value: str) -> bytes:
    a, b = name.encode(), value.encode()
    return _length(len(a)) + _length(len(b)) + a + b


def _length(n: int) -> bytes:
    return struct.pack(">B", n) if n < 128 else struct.pack(">I", n | 0x80000000)
