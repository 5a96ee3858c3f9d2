"""Folders of feeds read (来源收件夹): what is new by content comes in, each file for itself; a bad one is told and stops no other."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

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
from rivergis.jobs import patch_import, receive
from rivergis.rules import RuleBook, RuleView

LOCK = "feeds"
# a picture may come after the alert that names it
PICTURES_WAITED_FOR = timedelta(days=7)
Progress = Callable[[str], None]


@dataclass(frozen=True)
class FileTaken:
    """What became of a file of a feed. state: taken, partly, known, failed, gone or waiting (still being written; look again later)."""

    feed: str
    file: str
    state: str
    sentence: str
    import_id: uuid.UUID | None = None
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Desk:
    """What the reading of all files shares."""

    db: Database
    actor: str
    view: RuleView
    rules_dir: Path
    store_dir: Path
    settle_s: float
    limits: Limits
    again: bool
    now: datetime
    progress: Progress

    @property
    def today(self) -> date:
        return self.now.astimezone(SHANGHAI).date()


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
    desk = _Desk(
        db, actor, _national(book, now), rules_dir, store_dir, said.feed_settle_s if settle_s is None else settle_s,
        limits or Limits.of(said.max_limits), again, now, progress,
    )  # fmt: skip
    with db.lock(LOCK):
        with db.read() as conn:
            feeds = feed_store.feeds(conn, desk.today, now_of(conn))
            wanted = {feed_store.feed(conn, code).code for code in only}  # one that is not registered is refused
        chosen = [f for f in feeds if f.folder and (not wanted or f.code in wanted)]
        return [taken for feed in chosen for taken in _of_feed(desk, feed)]


def _national(book: RuleBook, now: datetime) -> RuleView:
    return book.at(("000000",), now.astimezone(SHANGHAI).date())


def _of_feed(desk: _Desk, feed: Feed) -> Iterator[FileTaken]:
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
    ordered = sorted(found, key=lambda f: (_day(desk, feed, f), f.name))
    for file in ordered:
        yield from _of_file(desk, feed, known, file)
    _keep_pictures(desk, feed)


def _day(desk: _Desk, feed: Feed, file: Lying) -> date:
    """The civil day a file stands for: that of its name, else the day on which it was written."""
    written = min(file.modified_at, desk.now).astimezone(SHANGHAI).date()
    return file.day(feed.date_pattern) or written


def _of_file(desk: _Desk, feed: Feed, known: _Known, file: Lying) -> Iterator[FileTaken]:
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
        row = (None if desk.again else _known_content(feed, known, file, sha256)) or _taken(desk, feed, file, sha256)
    except (EnvironmentFault, AlreadyRunning, NotPermitted):
        raise
    except Exception as error:  # whatever a file does to a reader, the next one is read
        row = _failed(feed, file.name, sha256, file.stamp, file.size_bytes, error)
    if _changed(file):
        yield FileTaken(feed.code, file.name, "waiting", f"{file.name} changed while it was read: it waits.")
    else:
        yield from _kept(desk, feed, known, row)


def _settled(desk: _Desk, last: FileRow | None) -> FileRow | None:
    """What was recorded of a file, if nothing is left to do for that content."""
    final = ("known",) if desk.again else ("taken", "partly", "known")
    return last if last is not None and last.state in final else None


def _waits(desk: _Desk, file: Lying) -> str | None:
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


def _kept(desk: _Desk, feed: Feed, known: _Known, row: FileRow) -> Iterator[FileTaken]:
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


# ---- one file ---------------------------------------------------------------------------------------------------------


def _taken(desk: _Desk, feed: Feed, file: Lying, sha256: str) -> FileRow:
    """Take a file in by the door for what it is; raises what that door raises."""
    day = _day(desk, feed, file)
    if day > desk.today:
        raise InputError(f"{file.name} says {day}, a day that is still to come: correct its name.", file=str(file.path))
    if file.path.is_symlink():
        raise InputError(
            f"{file.name} is a link to another place: put the file itself into the folder.", file=str(file.path)
        )
    namespace, content = feed.namespace, sha256
    if file.is_image:
        _image(desk, feed, file, day)
    elif feed.kind == "patches":
        namespace = f"patch:{file.path.stem}"
        _patches(desk, feed, file, day)
    else:
        content = _layer(desk, feed, file, day, sha256)
    with desk.db.read() as conn:
        imports = feed_store.imports(conn, content, namespace, day, feed.profile)
    return _row(file, sha256, day, imports)


def _image(desk: _Desk, feed: Feed, file: Lying, day: date) -> None:
    if not feed.images:
        raise InputError(
            f"{file.name} is a picture, and the feed {feed.code} takes none: rivergis feed change {feed.code} --images.",
            file=str(file.path),
        )
    if file.day(feed.date_pattern) is None:
        raise InputError(
            f"The name of {file.name} says no day, and a picture must have one: put it into its name, such as 2026-05-20.tif, or say "
            f"how its name says it: rivergis feed change {feed.code} --date-pattern.",
            file=str(file.path),
        )
    receive.import_imagery(
        desk.db, file.path, day, actor=desk.actor, store_dir=desk.store_dir, code=file.name, crs=feed.crs, namespace=feed.namespace
    )  # fmt: skip


def _options(feed: Feed, day: date) -> receive.Options:
    return receive.Options(
        crs=feed.crs, datum=feed.datum, encoding=feed.encoding, namespace=feed.namespace, feed=feed.code, delivered_on=day,
        complete=feed.complete,
    )  # fmt: skip


def _patches(desk: _Desk, feed: Feed, file: Lying, day: date) -> None:
    """A batch by the name of its file, so that a corrected one under the same name is its next version."""
    patch_import.import_batch(
        desk.db,
        file.path,
        file.path.stem,
        actor=desk.actor,
        profile=profiles.load(feed.profile, desk.rules_dir),
        options=_options(feed, day),
        store_dir=desk.store_dir,
        source_layer=feed.source_layer,
        limits=desk.limits,
        progress=desk.progress,
    )


def _layer(desk: _Desk, feed: Feed, file: Lying, day: date, sha256: str) -> str:
    """A table, drawing or list of events as a delivery of the feed; returns the content hash its imports have."""
    with tempfile.TemporaryDirectory() as folder:
        path, events = file.path, inbox_files.events(file.path, desk.limits)
        if events is not None:
            if not events:
                return sha256  # nothing happened: that, too, is told, and the feed is alive
            path = Path(folder) / f"{file.path.name}.csv"
            inbox_files.write_table(events, path)
        receive.import_file(
            desk.db,
            feed.layer,
            path,
            actor=desk.actor,
            profile=profiles.load(feed.profile, desk.rules_dir),
            options=_options(feed, day),
            source_layer=feed.source_layer,
            others=profiles.load_all(desk.rules_dir),
            limits=desk.limits,
            large_scale_km2=desk.view.number("publish.max_contiguous_large_scale"),
            most_aside=desk.view.number("feed.most_aside") if feed.complete else 1.0,
            progress=desk.progress,
        )
        return sources.sha256(path)


def _keep_pictures(desk: _Desk, feed: Feed) -> None:
    """Pictures that alerts of the last days name and that lie in the folder by now go into the store, each for itself."""
    with desk.db.read() as conn:
        named = feed_store.pictures_named(conn, feed.code, desk.now - PICTURES_WAITED_FOR)
    folder = Path(str(feed.folder))
    for row in named:
        path = inbox_files.picture_beside(folder, row["file_name"], row["picture"], desk.limits)
        if path is None:
            continue
        sha256 = sources.sha256(path)
        kept = f"evidence/{sha256}{path.suffix.lower()}"
        sources.keep(path, desk.store_dir / kept, sha256=sha256)
        with desk.db.write(desk.actor) as conn:
            name = path.relative_to(folder.resolve()).as_posix()
            feed_store.add_picture(conn, row["id"], sha256, kept, name, row["seen_at"])


def _row(file: Lying, sha256: str, day: date, imports: list[dict[str, Any]]) -> FileRow:
    names = {"in": "count_in", "imported": "count_imported", "unchanged": "count_unchanged", "set_aside": "count_quarantined", "skipped": "count_skipped"}  # fmt: skip
    counts = {n: int(sum(i[c] for i in imports)) for n, c in names.items()}
    said = f"{file.name}: {counts['in']} in, {counts['imported']} new or changed, {counts['unchanged']} as before"
    said += f", {counts['skipped']} left out by the profile" if counts["skipped"] else ""
    said += f", {counts['set_aside']} set aside (rivergis quarantine list)" if counts["set_aside"] else ""
    state = "partly" if counts["set_aside"] else "taken"
    ids = [i["id"] for i in imports]
    return FileRow(
        file.name, sha256, file.stamp, file.size_bytes, state, f"{said}; stands for {day}.", day, ids, counts
    )
