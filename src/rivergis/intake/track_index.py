"""Whose track is which: an index beside the files, or one answer for all of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from rivergis.errors import InputError
from rivergis.intake import sources

INDEXES = ("tracks.json", "index.json")
_WANTED = '{"file", "chief_code" (or "chief_id"), "datum_declared", "mode", "uploaded_at", "device", "session", "unit_code", "party"}'


@dataclass(frozen=True)
class TrackEntry:
    """A track file and what is said of it: chief (code), declared datum, mode, time of upload, device, session, unit and party.

    ``party``: who took part besides, each ``{"part": "assistant" | "joint" | "chief", "chief_code" or "person", "unit_code"}``.
    ``fault``: why the entry cannot be used; the others can.
    """

    path: Path
    chief: str | None
    datum: str | None
    mode: str = "app"
    uploaded_at: datetime | None = None
    device: str | None = None
    session: str | None = None
    unit_code: str | None = None
    party: tuple[dict[str, str], ...] = ()
    fault: str | None = field(default=None, compare=False)


def index_of(folder: Path) -> Path | None:
    """The index that lies in a folder of tracks, if there is one."""
    return next((folder / name for name in INDEXES if (folder / name).is_file()), None)


def indexed(path: Path, index: Path) -> list[TrackEntry]:
    """The tracks an index names, and as faults its bad entries and the track files beside them that it does not name.

    It may name files of its folder only. ``InputError`` when it is no list of entries at all.
    """
    folder = path if path.is_dir() else path.parent
    try:
        listed = json.loads(index.read_text(encoding="utf-8-sig"))
        if not isinstance(listed, list) or not all(isinstance(e, dict) for e in listed):
            raise ValueError("it holds something else")
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(_cannot(index, error), file=str(index)) from error
    entries = [_entry(folder, e, index) for e in listed]
    named = {e.path.resolve() for e in entries}
    among = {p.parent for p in named}
    rest = (
        [p for p in _tracks_in(folder) if p.resolve() not in named and p.resolve().parent in among]
        if path.is_dir()
        else []
    )
    unnamed = "stands in no entry of the index {}: add one that says whose track it is, or take the file away."
    return entries + [TrackEntry(p, None, None, fault=f"{p.name} {unnamed.format(index.name)}") for p in rest]


def _cannot(index: Path, error: Exception) -> str:
    said = " ".join(str(error).split())[:100]
    return f"The index {index.name} cannot be used ({type(error).__name__}: {said}): it is a JSON list of {_WANTED}."


def _entry(folder: Path, e: dict[str, Any], index: Path) -> TrackEntry:
    try:
        return _read(folder, e)
    except (KeyError, ValueError, TypeError, AttributeError, OSError) as error:
        name = str(e.get("file") or "?")[:200].replace("\0", "")
        return TrackEntry(folder / name, None, None, fault=f"{name}: {_cannot(index, error)}")


def _read(folder: Path, e: dict[str, Any]) -> TrackEntry:
    file = folder / str(e["file"])
    if not file.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{e['file']!r} lies outside the folder")
    return TrackEntry(
        file,
        _text(e, "chief_code", "chief_id", "chief"),
        _text(e, "datum_declared", "datum"),
        _text(e, "mode") or "app",
        instant(_text(e, "uploaded_at")),
        _text(e, "device", "device_id"),
        _text(e, "session", "session_id"),
        _text(e, "unit_code"),
        party_of(e.get("party")),
    )


def _text(e: dict[str, Any], *names: str) -> str | None:
    value = next((e[n] for n in names if e.get(n) not in (None, "")), None)
    if value is not None and not isinstance(value, (str, int)):
        raise ValueError(f"{names[0]} {value!r} is no text")
    return None if value is None else str(value)


def instant(text: str | None, name: str = "uploaded_at") -> datetime | None:
    """A time as UTC-aware; ``ValueError`` where it is none or names no time zone."""
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{name} {text!r} names no time zone")
    return at


def party_of(value: Any) -> tuple[dict[str, str], ...]:
    """Who took part, checked; ``ValueError`` names what is wrong."""
    out = []
    for p in value or ():
        if not isinstance(p, dict) or p.get("part") not in ("chief", "assistant", "joint"):
            raise ValueError(f"party {p!r} names no part (chief, assistant or joint)")
        said = {k: str(p[k]) for k in ("part", "chief_code", "person", "unit_code") if p.get(k)}
        if len(said) < 2:
            raise ValueError(f"party {p!r} names nobody (chief_code, person or unit_code)")
        out.append(said)
    return tuple(out)


# notes and survey data lie beside tracks under these endings too: such a file is a track when it is named
_NAMED_ONLY = {".txt", ".dat", ".xyz", ".tsv"}


def _tracks_in(folder: Path) -> list[Path]:
    endings = sources.TRACK - _NAMED_ONLY
    return sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix.lower() in endings and p.name not in INDEXES)


def found(path: Path, chief: str | None, datum: str | None) -> list[TrackEntry]:
    """The tracks of a folder, or the one file."""
    files = _tracks_in(path) if path.is_dir() else [path]
    if not files:
        endings = " ".join(sorted(sources.TRACK - _NAMED_ONLY))
        raise InputError(f"{path} holds no track files ({endings}).", file=str(path))
    return [TrackEntry(p, chief, datum) for p in files]
