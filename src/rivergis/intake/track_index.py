"""Whose track is which: an index beside the files, or one answer for all of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rivergis.errors import InputError
from rivergis.intake import sources


@dataclass(frozen=True)
class TrackEntry:
    """A track file, its chief (code), declared datum, mode and time of upload."""

    path: Path
    chief: str | None
    datum: str | None
    mode: str = "app"
    uploaded_at: datetime | None = None


def indexed(path: Path, index: Path) -> list[TrackEntry]:
    """The tracks an index names; it may name files of its folder only."""
    try:
        listed = json.loads(index.read_text(encoding="utf-8"))
        folder = path if path.is_dir() else path.parent
        return [_entry(folder, e) for e in listed]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"The index {index.name} cannot be used ({type(error).__name__}: {' '.join(str(error).split())[:100]}): it is a JSON list of "
            '{"file", "chief_code", "datum_declared", "mode", "uploaded_at"}.',
            file=str(index),
        ) from error


def _entry(folder: Path, e: dict[str, Any]) -> TrackEntry:
    file = folder / str(e["file"])
    if not file.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{e['file']!r} lies outside the folder")
    uploaded = datetime.fromisoformat(e["uploaded_at"]) if e.get("uploaded_at") else None
    if uploaded is not None and uploaded.tzinfo is None:
        raise ValueError(f"uploaded_at {e['uploaded_at']!r} names no time zone")
    return TrackEntry(file, e.get("chief_code"), e.get("datum_declared"), e.get("mode") or "app", uploaded)


# notes and survey data lie beside tracks under these endings too: such a file is a track when it is named
_NAMED_ONLY = {".txt", ".dat", ".xyz", ".tsv"}


def found(path: Path, chief: str | None, datum: str | None) -> list[TrackEntry]:
    """The tracks of a folder, or the one file."""
    files = [path]
    if path.is_dir():
        endings = sources.TRACK - _NAMED_ONLY
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in endings and p.name != "index.json")
        if not files:
            raise InputError(f"{path} holds no track files ({' '.join(sorted(endings))}).", file=str(path))
    return [TrackEntry(p, chief, datum) for p in files]
