"""The only SQL of feeds: as registered, as they stand on a day, and what became of the files of their folders."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from rivergis.db import versions
from rivergis.encroachment.feeds import FIELDS, Feed
from rivergis.errors import NotFound

NAMESPACE = "local"
_COLUMNS = ", ".join(("code", *FIELDS))


@dataclass(frozen=True)
class FileRow:
    """What is recorded of a file in the folder of a feed; see ``data.feed_file``."""

    file_name: str
    file_sha256: str
    stamp: str
    size_bytes: int
    state: str
    sentence: str
    delivered_on: date | None = None
    import_ids: Sequence[uuid.UUID] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


def save(conn: Connection, feed: Feed) -> bool:
    """Register a feed, or a new version of it; False where nothing is new."""
    whole = ("cadence_days", "late_after_days", "dead_after_days")
    frame = pd.DataFrame([{"code": feed.code, **{f: getattr(feed, f) for f in FIELDS}}])
    frame = frame.astype(dict.fromkeys(whole, "Int64") | {f: object for f in FIELDS if f not in whole})
    return bool(versions.save(conn, "feed", frame, namespace=NAMESPACE, import_id=None).imported)


def feeds(conn: Connection, on: date, known_at: datetime) -> list[Feed]:
    """Feeds in force on a civil day, as known at a moment, by code."""
    rows = conn.execute(
        text(f"SELECT {_COLUMNS} FROM app.feed_as_of(:on, :known) WHERE until IS NULL OR until >= :on ORDER BY code"),
        {"on": on, "known": known_at},
    )
    return [Feed(**r._mapping) for r in rows]


def feed(conn: Connection, code: str) -> Feed:
    """The feed of that code as it is registered now; ``NotFound`` names those there are."""
    row = conn.execute(
        text(
            f"SELECT {_COLUMNS} FROM data.feed WHERE code = :c AND superseded_at IS NULL ORDER BY version DESC LIMIT 1"
        ),
        {"c": code},
    ).first()
    if row is None:
        codes = conn.execute(text("SELECT DISTINCT code FROM data.feed ORDER BY code")).scalars()
        raise NotFound(
            f"No feed {code!r} is registered; there are {', '.join(codes) or 'none'}: rivergis feed add {code[:64]} --kind KIND."
        )
    return Feed(**row._mapping)


def registered(conn: Connection, code: str) -> bool:
    """Whether a feed of that code was ever registered."""
    return bool(conn.execute(text("SELECT EXISTS (SELECT FROM data.feed WHERE code = :c)"), {"c": code}).scalar())


def states(conn: Connection, on: date, known_at: datetime) -> list[dict[str, Any]]:
    """Every feed as it stands on a civil day, as known at a moment; columns as ``app.feed_state_as_of``."""
    rows = conn.execute(text("SELECT * FROM app.feed_state_as_of(:on, :known)"), {"on": on, "known": known_at})
    return [dict(r._mapping) for r in rows]


def history(conn: Connection, code: str) -> list[dict[str, Any]]:
    """All versions of a feed, the newest first: when it was changed by whom."""
    rows = conn.execute(
        text(f"""SELECT {_COLUMNS}, version, valid::text AS valid, recorded_at, superseded_at, actor FROM data.feed
        WHERE code = :c ORDER BY version DESC"""),
        {"c": code},
    )
    return [dict(r._mapping) for r in rows]


def files(conn: Connection, code: str, most: int) -> list[dict[str, Any]]:
    """What became of the last files of a feed, the newest first."""
    rows = conn.execute(
        text("""SELECT file_name, state, sentence, delivered_on, size_bytes, counts, import_ids, actor, recorded_at
        FROM data.feed_file WHERE feed = :c ORDER BY id DESC LIMIT :n"""),
        {"c": code, "n": most},
    )
    return [dict(r._mapping) for r in rows]


def last_of_each(conn: Connection, code: str) -> dict[str, FileRow]:
    """File name -> the last that is recorded of it."""
    rows = conn.execute(
        text("""SELECT DISTINCT ON (file_name) file_name, file_sha256, stamp, size_bytes, state, sentence, delivered_on
        FROM data.feed_file WHERE feed = :c ORDER BY file_name, id DESC"""),
        {"c": code},
    )
    return {r.file_name: FileRow(**r._mapping) for r in rows}


def contents(conn: Connection, code: str) -> set[tuple[str, date | None]]:
    """Contents that were taken in, each with the civil day it stood for."""
    rows = conn.execute(
        text(
            "SELECT DISTINCT file_sha256, delivered_on FROM data.feed_file WHERE feed = :c AND state IN ('taken', 'partly', 'known')"
        ),
        {"c": code},
    )
    return {(r.file_sha256, r.delivered_on) for r in rows}


def imports(conn: Connection, sha256: str, namespace: str, delivered_on: date, profile: str) -> list[dict[str, Any]]:
    """Imports of a content by a profile (pictures have none) as a delivery of a day: id, count_in, count_imported, count_unchanged, count_quarantined, count_skipped."""
    rows = conn.execute(
        text("""SELECT id, count_in, count_imported, count_unchanged, count_quarantined, count_skipped FROM sys.import_record
        WHERE file_sha256 = :h AND profile IN (:p, '') AND options ->> 'namespace' = :ns AND coalesce(options ->> 'delivered_on', options ->> 'taken_on') = :on
        ORDER BY recorded_at, id"""),
        {"h": sha256, "ns": namespace, "on": str(delivered_on), "p": profile},
    )
    return [dict(r._mapping) for r in rows]


def pictures_named(conn: Connection, code: str, since: datetime) -> list[dict[str, Any]]:
    """Candidates that a feed delivered since a moment and that name a picture nobody has kept yet: id, picture, seen_at, file_name.

    ``file_name``: the file they came in with, inside the folder of the feed.
    """
    rows = conn.execute(
        text("""SELECT DISTINCT ON (c.id) c.id, c.evidence ->> 'picture' AS picture, c.seen_at, f.file_name
        FROM data.feed_file f JOIN data.delivery d ON d.import_id = ANY(f.import_ids) JOIN data.delivery_item i ON i.delivery_id = d.id
        JOIN data.candidate c ON c.id = i.candidate_id AND c.version = i.candidate_version
        WHERE f.feed = :c AND f.recorded_at > :since AND c.evidence ? 'picture'
          AND NOT EXISTS (SELECT FROM data.feed_picture p WHERE p.candidate_id = c.id) ORDER BY c.id, f.id"""),
        {"c": code, "since": since},
    )
    return [dict(r._mapping) for r in rows]


def add_picture(
    conn: Connection, candidate: uuid.UUID, sha256: str, file_path: str, file_name: str, taken_at: datetime | None
) -> None:
    """Keep with a candidate the picture it names; twice is nothing."""
    conn.execute(
        text("""INSERT INTO data.feed_picture (candidate_id, file_sha256, file_path, file_name, taken_at)
        VALUES (:c, :h, :path, :name, :at) ON CONFLICT DO NOTHING"""),
        {"c": candidate, "h": sha256, "path": file_path, "name": file_name, "at": taken_at},
    )


def record(conn: Connection, code: str, row: FileRow) -> None:
    """Record what became of a file of a feed."""
    conn.execute(
        text("""INSERT INTO data.feed_file (feed_id, feed, file_name, file_sha256, stamp, size_bytes, state, sentence, delivered_on, import_ids, counts)
        VALUES (:id, :feed, :file, :h, :stamp, :size, :state, :said, :on, CAST(:imports AS uuid[]), CAST(:counts AS jsonb))"""),
        {
            "id": versions.identity("feed", NAMESPACE, code),
            "feed": code,
            "file": row.file_name,
            "h": row.file_sha256,
            "stamp": row.stamp,
            "size": row.size_bytes,
            "state": row.state,
            "said": row.sentence,
            "on": row.delivered_on,
            "imports": [str(i) for i in row.import_ids],
            "counts": json.dumps(dict(row.counts)),
        },
    )
