"""Receive tracks: one file, a folder, or an offline batch (folder or ZIP with an index); bad files are listed, good ones go on."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from pathlib import Path

from rivergis.db.connect import Database, now_of
from rivergis.errors import InputError, RivergisError, UsageError
from rivergis.intake import archive, sources, track, track_index
from rivergis.intake.track_index import TrackEntry
from rivergis.patrol import receive_workflow
from rivergis.patrol.receive_workflow import Said
from rivergis.river import store as river_store
from rivergis.rules import NATIONAL, RuleBook, RuleView, path_of


@dataclass(frozen=True)
class TracksReceived:
    """Track files taken in: new, known before, those that could not be read with their sentence, and what was noticed."""

    new: int
    known: int
    failed: list[dict[str, str]]
    noticed: dict[str, int] = field(default_factory=dict)
    """diagnostic code -> number of files it was said of."""
    tracks: list[receive_workflow.Received] = field(default_factory=list)
    observations: int = 0


def view_of(db: Database, book: RuleBook, on: date) -> RuleView:
    """The rules of the place the database is about, on a day."""
    with db.read() as conn:
        return book.at(path_of(river_store.home(conn, on, now_of(conn)) or NATIONAL), on)


def import_tracks(
    db: Database,
    path: Path,
    *,
    book: RuleBook,
    actor: str,
    store_dir: Path,
    index: Path | None = None,
    chief: str | None = None,
    datum: str | None = None,
    namespace: str = "local",
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda a, b: None,
) -> TracksReceived:
    """Receive a track file, every track of a folder, or of a ZIP archive; an index (JSON list) says whose each is.

    A folder or archive that holds ``tracks.json`` or ``index.json`` is read by it. One transaction for each file: bad ones are
    listed with their sentence, good ones go on. Raises ``InputError`` when there is nothing usable at all.
    """
    if path.is_file() and path.suffix.lower() == ".zip":
        with tempfile.TemporaryDirectory(prefix="rivergis-") as folder:
            _unpack(path, Path(folder))
            inside = _with_index(Path(folder))
            return import_tracks(
                db, inside, book=book, actor=actor, store_dir=store_dir, chief=chief, datum=datum, namespace=namespace,
                dry_run=dry_run, progress=progress,
            )  # fmt: skip
    index = index or (track_index.index_of(path) if path.is_dir() else None)
    entries = track_index.indexed(path, index) if index is not None else track_index.found(path, chief, datum)
    view = view_of(db, book, date.today())
    got: list[receive_workflow.Received] = []
    failed, noticed, read = [], Counter[str](), 0
    for n, (entry, file) in enumerate(_read(entries)):
        try:
            if isinstance(file, RivergisError):
                raise file
            diagnostics = file.diagnostics
            if not dry_run:
                one = receive_workflow.receive_track(
                    db, entry.path, _said(entry, namespace), view=view, actor=actor, store_dir=store_dir, read=file
                )
                got.append(one)
            noticed.update({d["code"] for d in diagnostics})
            read += 1
        except (InputError, UsageError) as error:
            failed.append({"file": entry.path.name, "error": error.code, "message": error.sentence})
        progress(n + 1, len(entries))
    if failed and not read:
        raise InputError(failed[0]["message"], file=failed[0]["file"], failed=failed)
    new = read if dry_run else sum(t.new for t in got)
    return TracksReceived(new, read - new, failed, dict(noticed), got, sum(t.observations for t in got))


def _read(entries: list[TrackEntry]) -> Iterator[tuple[TrackEntry, track.TrackFile | RivergisError]]:
    """Every entry with its track, or why it cannot be used; files of one datum that follow each other are read together."""
    for (bad, datum), run in groupby(entries, key=lambda e: (e.fault is not None, e.datum)):
        some = list(run)
        if bad:
            yield from ((e, InputError(e.fault or "")) for e in some)
        else:
            yield from zip(some, track.read_tracks([e.path for e in some], datum or "wgs84"), strict=True)


def _said(entry: TrackEntry, namespace: str) -> Said:
    return Said(
        entry.chief, entry.datum, entry.mode, entry.uploaded_at, entry.device, entry.session, entry.unit_code, entry.party, namespace
    )  # fmt: skip


def _unpack(path: Path, folder: Path) -> None:
    """The track files and indexes of an archive under their names; ``InputError`` where it is no sound archive."""
    endings = sources.TRACK | {".json"}
    wanted = [m for m in archive.members(path) if Path(m.base).suffix.lower() in endings]
    if not wanted:
        raise InputError(f"{path.name} holds no track files ({' '.join(sorted(sources.TRACK))}).", file=str(path))
    archive.unpack(path, [(m, folder / m.name) for m in wanted])


def _with_index(folder: Path) -> Path:
    """The folder of an unpacked archive that holds the index: the archive itself, or the one folder in it."""
    held = [p.parent for name in track_index.INDEXES for p in sorted(folder.rglob(name))]
    return min(held, key=lambda p: len(p.parts), default=folder)
