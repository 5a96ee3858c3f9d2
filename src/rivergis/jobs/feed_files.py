"""Folders of feeds read (来源收件夹): what is new by content comes in, each file for itself; a bad one is told and stops no other."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from rivergis import settings
from rivergis.db.connect import Database, now_of
from rivergis.encroachment import feed_store, inbox_files
from rivergis.encroachment.feed_store import FileRow
from rivergis.encroachment.feeds import KINDS, Feed, checked, with_rhythm
from rivergis.encroachment.inbox_files import SHANGHAI, Lying
from rivergis.errors import (
    AlreadyRunning,
    CrsRefused,
    EnvironmentFault,
    InputError,
    NotPermitted,
    RivergisError,
    legible,
)
from rivergis.intake import profile as profiles
from rivergis.intake import sources
from rivergis.intake.limits import Limits
from rivergis.jobs.feed_doors import Desk, Progress, day_of, keep_pictures, taken
from rivergis.rules import RuleBook, RuleView

LOCK = "feeds"


@dataclass(frozen=True)
class FileTaken:
    """What became of a file of a feed. state: taken, partly, known, failed, gone or waiting (still being written; look again later)."""

    feed: str
    file: str
    state: str
    sentence: str
    import_id: uuid.UUID | None = None
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class _Known:
    """What is recorded of a feed: the last of each file name, and the contents taken in with the days they stood for."""

    last: dict[str, FileRow]
    contents: set[tuple[str, date | None]]

    @classmethod
    def of(cls, db: Database, code: str) -> _Known:
        with db.read() as conn:
            return cls(feed_store.last_of_each(conn, code), feed_store.contents(conn, code))


def register(db: Database, feed: Feed, book: RuleBook, actor: str, *, rules_dir: Path) -> Feed:
    """Register a feed or change it, as a new version; its days of being late and dead follow from its cadence unless said.

    Raises ``UsageError`` or ``InputError`` where it could not be used, such as a profile that there is not.
    """
    view = _national(book, datetime.now(UTC))
    whole = with_rhythm(checked(feed), view.number("feed.late_cadences"), view.number("feed.dead_cadences"))
    if KINDS[feed.kind].inbox:
        profiles.load(feed.profile, rules_dir)
    with db.write(actor) as conn:
        feed_store.save(conn, whole)
    return whole


def take_in(
    db: Database,
    book: RuleBook,
    actor: str,
    *,
    rules_dir: Path,
    store_dir: Path,
    only: Sequence[str] = (),
    settle_s: float | None = None,
    limits: Limits | None = None,
    again: bool = False,
    progress: Progress = lambda _: None,
) -> list[FileTaken]:
    """Read the folder of every feed (or of those of the codes ``only``) and take in what is new; what changed is told.

    The same content again is nothing, a file that is still being written waits, a bad one is recorded with its sentence and
    tried again next time. Files stay as they are and where they are. Each file is a transaction of its own, so a run that
    was killed goes on where it stood. ``settle_s`` and ``limits``: those of the settings unless given. ``again``: also files
    that are in, for a feed that was read by the wrong profile; what comes out as it was changes nothing. Raises
    ``AlreadyRunning`` while another reads them, ``EnvironmentFault`` where the database or the disk is gone.
    """
    said = settings.load()
    now = datetime.now(UTC)
    desk = Desk(
        db, actor, _national(book, now), rules_dir, store_dir, said.feed_settle_s if settle_s is None else settle_s,
        limits or Limits.of(said.max_limits), again, now, progress,
    )  # fmt: skip
    with db.lock(LOCK):
        with db.read() as conn:
            feeds = feed_store.feeds(conn, desk.today, now_of(conn))
            wanted = {feed_store.feed(conn, code).code for code in only}  # one that is not registered is refused
        chosen = [f for f in feeds if f.folder and (not wanted or f.code in wanted)]
        return [told for feed in chosen for told in _of_feed(desk, feed)]


def _national(book: RuleBook, now: datetime) -> RuleView:
    return book.at(("000000",), now.astimezone(SHANGHAI).date())


def _of_feed(desk: Desk, feed: Feed) -> Iterator[FileTaken]:
    known = _Known.of(desk.db, feed.code)
    try:
        found = inbox_files.lying(Path(str(feed.folder)))
    except (RivergisError, OSError) as error:
        yield from _kept(desk, feed, known, _failed(feed, "", "", "", 0, error))
        return
    # a folder that is there again, a bad file that its sender took back
    there = {f.name for f in found}
    for name in sorted(n for n, row in known.last.items() if row.state == "failed" and n not in there):
        what = f"{name} does not lie there any more" if name else "The folder is there again"
        yield from _kept(desk, feed, known, replace(known.last[name], state="gone", sentence=f"{what}."))
    ordered = sorted(found, key=lambda f: (day_of(desk, feed, f), f.name))
    for file in ordered:
        yield from _of_file(desk, feed, known, file)
    if not feed.complete:
        keep_pictures(desk, feed)


def _of_file(desk: Desk, feed: Feed, known: _Known, file: Lying) -> Iterator[FileTaken]:
    last = known.last.get(file.name)
    done = _settled(desk, last)
    if done is not None and done.stamp == file.stamp:
        return
    waits = _waits(desk, file)
    if waits:
        yield FileTaken(feed.code, file.name, "waiting", waits)
        return
    desk.progress(f"{feed.code}: {file.name}")
    sha256 = ""
    try:
        sha256 = sources.sha256(file.path)
        if done is not None and done.file_sha256 == sha256:
            return  # only touched
        row = None if desk.again else _known_content(feed, known, file, sha256)
        if row is None:
            _only_picture_of_its_day(desk, feed, known, file)
            row = taken(desk, feed, file, sha256)
    except (EnvironmentFault, AlreadyRunning, NotPermitted):
        raise
    except Exception as error:  # whatever a file does to a reader, the next one is read
        row = _failed(feed, file.name, sha256, file.stamp, file.size_bytes, error)
    if _changed(file):
        yield FileTaken(feed.code, file.name, "waiting", f"{file.name} changed while it was read: it waits.")
    else:
        yield from _kept(desk, feed, known, row)


def _settled(desk: Desk, last: FileRow | None) -> FileRow | None:
    """What was recorded of a file, if nothing is left to do for that content."""
    final = ("known",) if desk.again else ("taken", "partly", "known")
    return last if last is not None and last.state in final else None


def _waits(desk: Desk, file: Lying) -> str | None:
    """Why a file is not read yet; None if it may be."""
    if file.unfinished:
        return f"{file.name} is still being written, as its name says: it waits until it gets its own name."
    age_s = (desk.now - file.written_at).total_seconds()
    if age_s < desk.settle_s:
        return f"{file.name} was written {max(age_s, 0):.0f} s ago: it waits until it has lain unchanged for {desk.settle_s:.0f} s."
    return f"{file.name} is still being written: it waits." if _changed(file) else None


def _changed(file: Lying) -> bool:
    try:
        return inbox_files.look(file.path, file.name).stamp != file.stamp
    except OSError:
        return True


def _known_content(feed: Feed, known: _Known, file: Lying, sha256: str) -> FileRow | None:
    """The same content under another name is nothing, unless it is a complete picture whose name says another day."""
    said = file.day(feed.date_pattern)
    days = {day for h, day in known.contents if h == sha256}
    if not days or (feed.complete and said is not None and said not in days):
        return None
    sentence = f"{file.name} holds what came before, byte for byte: nothing to do."
    return FileRow(file.name, sha256, file.stamp, file.size_bytes, "known", sentence, said or max(d for d in days if d))


def _only_picture_of_its_day(desk: Desk, feed: Feed, known: _Known, file: Lying) -> None:
    """``InputError`` for a second complete picture of a day: it would take what is only in the first for gone."""
    if not feed.complete or feed.parts or feed.kind == "patches" or file.is_image:
        return
    day = day_of(desk, feed, file)
    for name, row in known.last.items():
        other = name != file.name and row.state in ("taken", "partly") and row.delivered_on == day
        if other and Path(name).suffix.lower() not in sources.RASTER:
            raise InputError(
                f"{name} is the complete picture of {day} already, so {file.name} would replace it: put the day it stands for into its "
                f"name, or, if a picture comes in parts, say so: rivergis feed change {feed.code} --parts.",
                file=str(file.path),
            )


def _failed(feed: Feed, name: str, sha256: str, stamp: str, size: int, error: Exception) -> FileRow:
    if isinstance(error, RivergisError):
        said = error.sentence
    else:
        what = " ".join(str(error).split())[:300]
        said = f"{name or 'The folder'} cannot be taken in, by a fault of rivergis or of this machine: {type(error).__name__}: {what}."
    if isinstance(error, CrsRefused):
        option = error.details.get("option") or "--crs EPSG:CODE"
        said += f" For all files of this feed: rivergis feed change {feed.code} {option}"
    return FileRow(name, sha256, stamp, size, "failed", legible(said))


def _kept(desk: Desk, feed: Feed, known: _Known, row: FileRow) -> Iterator[FileTaken]:
    """Record a row unless it says what the last one said; it is told either way."""
    last = known.last.get(row.file_name)
    same = last is not None and (last.state, last.sentence, last.file_sha256) == (
        row.state,
        row.sentence,
        row.file_sha256,
    )
    if not same:
        with desk.db.write(desk.actor) as conn:
            feed_store.record(conn, feed.code, row)
        known.last[row.file_name] = row
        if row.state in ("taken", "partly", "known"):
            known.contents.add((row.file_sha256, row.delivered_on))
    first = next(iter(row.import_ids), None)
    yield FileTaken(feed.code, row.file_name, row.state, row.sentence, first, dict(row.counts))
