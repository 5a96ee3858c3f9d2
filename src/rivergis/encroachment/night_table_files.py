"""The table of a replay and the state beside it: after each night both are whole, whenever the run is ended.

A night is kept under the hash of all it read. A second run reads nothing new and changes nothing; what changed since is
refused, because the nights after it rest on it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely

from rivergis.encroachment.ledger import Carried, Known
from rivergis.errors import EnvironmentFault, InputError

COLUMNS = ("night", "finding_id", "status", "detections")
VERSION = 1


@dataclass(frozen=True)
class Row:
    """One line of the table: what a night says of one lead; ``detections`` are the candidates' ids of that night."""

    night: int
    finding_id: str
    status: str
    detections: tuple[str, ...] = ()


@dataclass
class State:
    """What stands after the last night: the nights done with the hashes of what they read, and the leads.

    ``folder``: where the nights were; ``base``: hash of what holds for all of them; ``ids``: leads so far; ``table``: (bytes,
    sha256) of the table.
    """

    folder: str
    base: str
    nights: dict[int, str] = field(default_factory=dict)
    known: list[Known] = field(default_factory=list)
    ids: int = 0
    table: tuple[int, str] = (0, "")


def state_path(out: Path) -> Path:
    """The state of a table stands beside it."""
    return out.with_name(out.name + ".state.json")


class NightTable:
    """A table being written night by night, with its state."""

    def __init__(self, out: Path, folder: Path, base: str, hashes: Mapping[int, str]) -> None:
        """Go on where the table stands, or begin anew.

        ``base``: hash of what holds for all nights; ``hashes``: night -> hash of what it reads. A table of another folder, or
        of which no night is there any more, is begun anew, as is one without a state. ``InputError`` when some of what was
        read has changed since, or the table itself.
        """
        self.out = out
        self.state = _read(out, str(folder.resolve()), base, hashes) or self._anew(str(folder.resolve()), base)
        self._hash = hashlib.sha256()
        with out.open("rb") as file:
            self._hash.update(file.read(self.state.table[0]))
        if self._hash.hexdigest() != self.state.table[1]:
            raise InputError(
                f"{out.name} is not as the last run left it: restore it, or remove it to begin anew.", file=str(out)
            )
        if out.stat().st_size > self.state.table[0]:  # rows of a night whose state was never written
            with writing(out):
                os.truncate(out, self.state.table[0])

    def _anew(self, folder: str, base: str) -> State:
        header = _csv([COLUMNS])
        state = State(folder, base, table=(len(header), hashlib.sha256(header).hexdigest()))
        state_path(self.out).unlink(missing_ok=True)
        _write_whole(self.out, header)
        _write_whole(state_path(self.out), json.dumps(_plain(state), ensure_ascii=False).encode())
        return state

    def add(self, night: int, digest: str, rows: Sequence[Row], known: Sequence[Known], ids: int) -> None:
        """Append a night: its rows first, then the state, which makes them count."""
        text = _csv((r.night, r.finding_id, r.status, ";".join(r.detections)) for r in rows)
        size = self.state.table[0]
        with writing(self.out), self.out.open("r+b") as file:
            file.truncate(size)
            file.seek(size)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self._hash.update(text)
        self.state.nights[night] = digest
        self.state.known, self.state.ids = list(known), ids
        self.state.table = (size + len(text), self._hash.hexdigest())
        _write_whole(state_path(self.out), json.dumps(_plain(self.state), ensure_ascii=False).encode())


def _csv(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    with writing(path):
        part.write_bytes(content)
        part.replace(path)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """``EnvironmentFault`` where the place refuses what is written."""
    try:
        yield
    except OSError as error:
        raise EnvironmentFault(f"{path} cannot be written ({error.strerror}): choose another place.") from error


def _plain(state: State) -> dict[str, Any]:
    leads = [
        {"id": k.finding_id, "footprint": shapely.to_wkb(k.footprint, hex=True), "carried": k.carried.record()}
        for k in state.known
    ]
    return {
        "version": VERSION,
        "folder": state.folder,
        "base": state.base,
        "nights": {str(n): h for n, h in state.nights.items()},
        "ids": state.ids,
        "table": list(state.table),
        "leads": leads,
    }


def _read(out: Path, folder: str, base: str, hashes: Mapping[int, str]) -> State | None:
    """The state of a table, if it is one of these nights; None = begin anew."""
    path = state_path(out)
    if not path.exists() or not out.exists():
        return None
    anew = f"remove {out.name} to begin anew, or give another --out"
    try:
        state = _state(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, IndexError, shapely.errors.ShapelyError) as error:
        raise InputError(f"{path.name} is no state of a run of nights: {anew}.", file=str(path)) from error
    changed = _changed(state, base, hashes)
    another = state.folder != folder or not any(hashes.get(n) == digest for n, digest in state.nights.items())
    if changed and not another:
        raise InputError(f"{changed}, and {out.name} rests on it: restore it, or {anew}.", file=str(path))
    return None if changed else state


def _changed(state: State, base: str, hashes: Mapping[int, str]) -> str | None:
    """What was read for the table and is not the same any more, in words."""
    if state.base != base:
        return (
            "Boundaries, permits or limits have changed since (a line that is redrawn belongs into the folder of the night "
            "from which it holds)"
        )
    for night, digest in state.nights.items():
        if hashes.get(night) != digest:
            return f"Night {night} {'has changed' if night in hashes else 'is not there any more'}"
    early = [n for n in hashes if n not in state.nights and n < max(state.nights, default=-1)]
    return f"Night {early[0]} has come in after a later one" if early else None


def _state(plain: dict[str, Any]) -> State:
    if plain["version"] != VERSION:
        raise ValueError(plain["version"])
    return State(
        plain["folder"],
        plain["base"],
        {int(n): h for n, h in plain["nights"].items()},
        [Known(x["id"], shapely.from_wkb(x["footprint"]), Carried.of(x["carried"])) for x in plain["leads"]],
        plain["ids"],
        (plain["table"][0], plain["table"][1]),
    )
