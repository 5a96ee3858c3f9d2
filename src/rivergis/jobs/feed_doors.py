"""One file of a feed taken in by the door for what it is: picture, batch of patches, or table, drawing and list of events."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from rivergis.db.connect import Database
from rivergis.encroachment import feed_store, inbox_files
from rivergis.encroachment.feed_store import FileRow
from rivergis.encroachment.feeds import Feed, part_in_name
from rivergis.encroachment.inbox_files import SHANGHAI, Lying
from rivergis.errors import InputError
from rivergis.intake import profile as profiles
from rivergis.intake import sources
from rivergis.intake.limits import Limits
from rivergis.jobs import patch_import, receive
from rivergis.rules import RuleView

# a picture may come after the alert that names it
PICTURES_WAITED_FOR = timedelta(days=7)
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Desk:
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


def day_of(desk: Desk, feed: Feed, file: Lying) -> date:
    """The civil day a file stands for: that of its name, else the day on which it was written."""
    written = min(file.modified_at, desk.now).astimezone(SHANGHAI).date()
    return file.day(feed.date_pattern) or written


def taken(desk: Desk, feed: Feed, file: Lying, sha256: str) -> FileRow:
    """Take a file in by the door for what it is; raises what that door raises."""
    day = day_of(desk, feed, file)
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
        namespace = f"patch:{_batch(file)}"
        _patches(desk, feed, file, day)
    else:
        content = _layer(desk, feed, file, day, sha256)
    with desk.db.read() as conn:
        imports = feed_store.imports(conn, content, namespace, day, feed.profile)
    return _row(file, sha256, day, imports)


def _image(desk: Desk, feed: Feed, file: Lying, day: date) -> None:
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


def _options(feed: Feed, file: Lying, day: date) -> receive.Options:
    part = part_in_name(file.name, feed.date_pattern) if feed.parts else ""
    return receive.Options(
        crs=feed.crs, datum=feed.datum, encoding=feed.encoding, namespace=feed.namespace, feed=f"{feed.code}:{part}" if part else feed.code,
        delivered_on=day, complete=feed.complete,
    )  # fmt: skip


def _batch(file: Lying) -> str:
    """A batch is called as its file, with the folders it lies in: two batches may both come as 图斑.shp."""
    return PurePosixPath(file.name).with_suffix("").as_posix()


def _patches(desk: Desk, feed: Feed, file: Lying, day: date) -> None:
    """A corrected batch under the same name is its next version."""
    patch_import.import_batch(
        desk.db,
        file.path,
        _batch(file),
        actor=desk.actor,
        profile=profiles.load(feed.profile, desk.rules_dir),
        options=_options(feed, file, day),
        store_dir=desk.store_dir,
        source_layer=feed.source_layer,
        limits=desk.limits,
        progress=desk.progress,
    )


def _layer(desk: Desk, feed: Feed, file: Lying, day: date, sha256: str) -> str:
    """A table, drawing or list of events as a delivery of the feed; returns the content hash its imports have."""
    with tempfile.TemporaryDirectory() as folder:
        path, events = file.path, inbox_files.events(file.path, desk.limits)
        if events is not None:
            if not events:
                return sha256  # nothing happened: that, too, is told, and the feed is alive
            for picture in inbox_files.pictures_out(events, Path(folder)):
                sources.keep(picture, desk.store_dir / "evidence" / picture.name, sha256=picture.stem)
            path = Path(folder) / f"{file.path.name}.csv"
            inbox_files.write_table(events, path)
        receive.import_file(
            desk.db,
            feed.layer,
            path,
            actor=desk.actor,
            profile=profiles.load(feed.profile, desk.rules_dir),
            options=_options(feed, file, day),
            source_layer=feed.source_layer,
            others=profiles.load_all(desk.rules_dir),
            limits=desk.limits,
            large_scale_km2=desk.view.number("publish.max_contiguous_large_scale"),
            most_aside=desk.view.number("feed.most_aside") if feed.complete else 1.0,
            progress=desk.progress,
        )
        return sources.sha256(path)


def keep_pictures(desk: Desk, feed: Feed) -> None:
    """Pictures that alerts of the last days name and that lie in the folder by now go into the store, each for itself."""
    with desk.db.read() as conn:
        named = feed_store.pictures_named(conn, feed.code, desk.now - PICTURES_WAITED_FOR)
    folder = Path(str(feed.folder))
    for row in named:
        inside = inbox_files.EMBEDDED_NAME.fullmatch(row["picture"])  # it went into the store with its alert
        kept = f"evidence/{inside[1]}" if inside else None
        name = row["file_name"]
        path = None if inside else inbox_files.picture_beside(folder, name, row["picture"], desk.limits)
        if path is not None:
            sha256 = sources.sha256(path)
            kept, name = f"evidence/{sha256}{path.suffix.lower()}", path.relative_to(folder.resolve()).as_posix()
            sources.keep(path, desk.store_dir / kept, sha256=sha256)
        if kept is None or not (desk.store_dir / kept).is_file():
            continue
        with desk.db.write(desk.actor) as conn:
            feed_store.add_picture(conn, row["id"], Path(kept).stem, kept, name, row["seen_at"])


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
