"""Exchange with platforms (平台巡河记录互通): their records become entries, our patrols become their records."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection

from rivergis import __version__, words
from rivergis.db import aside, system
from rivergis.db.connect import Database, now_of
from rivergis.db.versions import IDENTITY_NAMESPACE
from rivergis.patrol import entry_store, entry_workflow, merge_workflow, record_files, records
from rivergis.patrol.entries import Stretch
from rivergis.patrol.record_files import RecordFile, Row
from rivergis.patrol.record_match import Register, Unmatched
from rivergis.patrol.records import Profile, Record
from rivergis.river import store as river_store
from rivergis.rules import RuleView

LAYER = "patrol_entry"
SHANGHAI = ZoneInfo("Asia/Shanghai")
_DIFFERENCE = ("started_at", "minutes", "metres_said")


@dataclass(frozen=True)
class Aside:
    """A row that waits: where it stands, why, and what it said."""

    sheet: str
    row: int
    code: str
    sentence: str
    said: dict[str, str]


@dataclass(frozen=True)
class RecordsImported:
    """What became of a file of records: in = imported + known + aside + skipped."""

    file: str
    profile: str
    count_in: int
    imported: int
    known: int
    aside: list[Aside]
    skipped: list[dict[str, Any]]
    """Rows that are no records (headings, totals, notes) or say the same again, each with its kind and text."""
    merged: list[dict[str, Any]] = field(default_factory=list)
    proposed: list[dict[str, Any]] = field(default_factory=list)
    unread: dict[str, list[str]] = field(default_factory=dict)
    without_heading: list[str] = field(default_factory=list)


class _Undo(Exception):
    """Leaves the transaction of a dry run without keeping it."""


@dataclass
class _Sorted:
    """Rows on their way into the database."""

    new: list[tuple[Row, str, Any, tuple[Stretch, ...]]] = field(default_factory=list)
    """Row, its number, chief and stretches."""
    again: set[str] = field(default_factory=set)
    """Numbers of which an earlier entry was withdrawn, so that the new figures are an entry of their own."""
    known: int = 0
    aside: list[tuple[Row, str, str]] = field(default_factory=list)


def import_records(
    db: Database,
    path: Path,
    profile: Profile,
    *,
    actor: str,
    view: RuleView,
    encoding: str | None = None,
    dry_run: bool = False,
    today: date | None = None,
) -> RecordsImported:
    """Take in a platform's records as entries of kind platform_record (导入平台巡河记录); one transaction.

    A record that came before, in this file or another, is known by its number or content and changes nothing; one that
    comes again with other figures is set aside. Rows whose chief or river cannot be told are set aside with a reason and kept
    in the quarantine; when the same file is imported again after what was missing came in, they are taken and resolved.
    """
    read = record_files.read(path, profile, encoding=encoding, max_kmh=view.number("patrol.cheat.max_speed"))
    done: RecordsImported | None = None
    try:
        with db.write(actor) as conn:
            system.one_import_at_a_time(conn)
            entry_store.one_at_a_time(conn)
            sorted_ = _sort(conn, read, profile, today or datetime.now(SHANGHAI).date())
            import_id = uuid.uuid4()
            ids = _record_new(conn, sorted_, read, profile, import_id)
            merging = merge_workflow.merge(
                conn, [(chief, r.record.day) for r, _, chief, _ in sorted_.new if r.record], view
            )
            done = _result(path, profile, read, sorted_, merging)
            _note_import(conn, import_id, read, done, sorted_, ids)
            if dry_run:
                raise _Undo
    except _Undo:
        pass
    assert done is not None
    return done


def _sort(conn: Connection, read: RecordFile, profile: Profile, today: date) -> _Sorted:
    """Each record as new, known, or set aside with a sentence."""
    register = lru_cache(maxsize=None)(lambda on: _register(conn, on, profile))
    out = _Sorted()
    out.aside = [(r, *_told(r.code or "", r.said)) for r in read.rows if r.kind == "aside"]
    rows = [(r, r.record, records.key_of(r.record, profile)) for r in read.rows if r.record is not None]
    before = _before(conn, profile, [key for _, _, key in rows])
    ours = entry_store.known_ids(conn, [u for _, _, key in rows if (u := _uuid(key)) is not None])
    held = _held(conn, [record.day for _, record, _ in rows])
    for row, record, key in rows:
        if record.day > today:
            out.aside.append((row, *_told("future", str(record.day))))
        elif _uuid(key) in ours:
            out.known += 1
        elif key in before and _known(out, row, record, before[key]):
            continue
        else:
            _match(out, row, record, key, register(record.day), held)
    return out


def _match(out: _Sorted, row: Row, record: Record, key: str, register: Register, held: set[tuple[Any, ...]]) -> None:
    try:
        chief, stretches = register.chief(record), register.stretches(record)
    except Unmatched as error:
        out.aside.append((row, *_told(error.code, error.said, error.choices)))
        return
    if record.started_at is None and not record.external_id and (chief, record.day) in held:
        out.aside.append((row, *_told("perhaps_known", f"{record.chief}, {record.day}")))
    elif _moment_of(chief, record.started_at, record.seconds) in held:
        out.known += 1
    else:
        out.new.append((row, key, chief, stretches))


def _held(conn: Connection, days: Sequence[date]) -> set[tuple[Any, ...]]:
    """Chief, start and duration to the second of what is here already, by track or by entry; chief and day where no start is.

    A platform without numbers gives our own patrols back without saying that they are ours.
    """
    if not days:
        return set()
    entries = entry_store.entries(conn, min(days), max(days))
    patrols = entry_store.patrols(conn, min(days), max(days))
    told = [*entries[entries["state"] != "withdrawn"].to_dict("records"), *patrols.to_dict("records")]
    moments = (_moment_of(r["chief_id"], _none(r["started_at"]), _seconds(r["minutes"])) for r in told)
    days_only = {(r["chief_id"], r["day"]) for r in told if pd.isna(r["started_at"])}
    return days_only | {m for m in moments if m is not None}


def _moment_of(chief: Any, started_at: Any, seconds: float | None) -> tuple[Any, int, int] | None:
    return None if started_at is None or seconds is None else (chief, round(started_at.timestamp()), round(seconds))


def _none(value: Any) -> Any:
    return None if pd.isna(value) else value


def _seconds(minutes: Any) -> float | None:
    return None if pd.isna(minutes) else float(minutes) * 60


def _known(out: _Sorted, row: Row, record: Record, entry: dict[str, Any]) -> bool:
    """A record whose number is known: the same figures are known, others wait until the entry before them is withdrawn."""
    values = _values(record)
    differ = [k for k in _DIFFERENCE if not _equal(values[k], entry[k])]
    if not differ:
        out.known += 1
        return True
    if entry["state"] == "withdrawn":
        out.again.add(entry["external_id"])
        return False
    said = f"{entry['external_id']}, {str(entry['id'])[:8]}"
    out.aside.append((row, *_told("differs", said, "、".join(words.both(f"entry_page.{_PAGE[k]}") for k in differ))))
    return True


_PAGE = {"started_at": "started", "minutes": "minutes", "metres_said": "metres"}


def _equal(one: Any, other: Any) -> bool:
    if one is None or other is None or pd.isna(other):
        return one is None and (other is None or pd.isna(other))
    if isinstance(one, datetime):
        return abs((pd.Timestamp(one) - pd.Timestamp(other)).total_seconds()) < 1
    return bool(abs(one - other) < 0.01)


def _before(conn: Connection, profile: Profile, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The entry that stands for each number: the newest that is not withdrawn, else the newest."""
    found = entry_store.of_profile(conn, profile.name, keys).to_dict("records")
    ranked = sorted(found, key=lambda r: (r["state"] != "withdrawn", r["recorded_at"]))
    return {r["external_id"]: r for r in ranked}


def _uuid(text: str) -> uuid.UUID | None:
    """A number that is an id of ours: a record that we gave out and that comes back."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _register(conn: Connection, on: date, profile: Profile) -> Register:
    return Register(
        entry_store.chiefs(conn, on),
        entry_store.unit_names(conn, on),
        river_store.rivers(conn, on, now_of(conn)),
        entry_store.reach_names(conn, on),
        profile.names,
    )


def _told(code: str, said: str, choices: str = "") -> tuple[str, str]:
    return code, words.both(f"record_aside.{code}", said=said, choices=choices)


def _values(record: Record) -> dict[str, Any]:
    return {
        "day": record.day,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "minutes": None if record.seconds is None else record.seconds / 60,
        "metres_said": record.metres,
        "problems": record.problems,
        "note": record.note or None,
    }


def _record_new(
    conn: Connection, sorted_: _Sorted, read: RecordFile, profile: Profile, import_id: uuid.UUID
) -> dict[int, uuid.UUID]:
    """Record the new entries; returns row position -> entry id."""
    rows, parts, ids = [], {}, {}
    for row, key, chief, stretches in sorted_.new:
        assert row.record is not None
        more = f"/{row.record.content()}" if key in sorted_.again else ""
        entry_id = uuid.uuid5(IDENTITY_NAMESPACE, f"entry/{profile.name}/{key}{more}")
        place = {"source_sha256": read.sha256, "source_row": _place(row), "external_id": key, "profile": profile.name}
        kind = {"id": entry_id, "kind": "platform_record", "chief_id": chief, "import_id": import_id}
        rows.append({**kind, **_values(row.record), **place})
        parts[entry_id], ids[id(row)] = stretches, entry_id
    entry_workflow.record(conn, pd.DataFrame(rows), parts)
    return ids


def _place(row: Row) -> str:
    return f"{row.sheet}!{row.number}"


def _result(
    path: Path, profile: Profile, read: RecordFile, sorted_: _Sorted, merging: merge_workflow.Merging
) -> RecordsImported:
    waiting = [Aside(r.sheet, r.number, code, sentence, r.cells) for r, code, sentence in sorted_.aside]
    skipped = [
        {"sheet": r.sheet, "row": r.number, "kind": r.kind, "said": r.said}
        for r in read.rows
        if r.record is None and r.kind != "aside"
    ]
    return RecordsImported(
        path.name, profile.name, len(read.rows), len(sorted_.new), sorted_.known,
        sorted(waiting, key=lambda a: (a.sheet, a.row)), skipped, merging.merged, merging.proposed, read.unread, read.without_heading,
    )  # fmt: skip


def _note_import(
    conn: Connection,
    import_id: uuid.UUID,
    read: RecordFile,
    done: RecordsImported,
    sorted_: _Sorted,
    ids: dict[int, uuid.UUID],
) -> None:
    """The record of the import, its quarantine, and what waited from an earlier import of the file and is resolved now."""
    earlier = system.last_attempt(conn, LAYER, read.sha256, "", done.profile, {})
    if earlier and not done.imported:
        return
    system.record_import(
        conn, import_id=import_id, layer=LAYER, file_name=done.file, file_sha256=read.sha256, source_layer="",
        profile=done.profile, options={"attempt": str(earlier["attempts"] + 1)} if earlier else {}, source_crs=None,
        count_in=done.count_in, count_imported=done.imported, count_unchanged=done.known, count_quarantined=len(done.aside),
        count_skipped=len(done.skipped), report={"skipped": done.skipped, "unread": done.unread, "rivergis": __version__},
    )  # fmt: skip
    open_ = {
        q["source_feature"]: q["id"]
        for q in aside.rows(conn, LAYER)
        if aside.import_of(conn, q["import_id"])["file_sha256"] == read.sha256
    }
    for row, _, _, _ in sorted_.new:
        if _place(row) in open_:
            aside.note(conn, open_[_place(row)], "resolved", import_id=import_id)
    system.quarantine(
        conn,
        import_id,
        LAYER,
        [
            {"source_feature": _place(r), "code": code, "sentence": sentence, "attributes": r.cells}
            for r, code, sentence in sorted_.aside
            if _place(r) not in open_
        ],
    )
