"""Late tracks and earlier entries (补传合并): one patrol is counted once, and what is not certain is put to a person."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from rivergis import words
from rivergis.db.connect import Database
from rivergis.errors import InputError, NotFound, UsageError
from rivergis.patrol import entries, entry_store
from rivergis.patrol.entries import Pair, Said, Stretch
from rivergis.rules import RuleView


@dataclass(frozen=True)
class Merging:
    """Entries merged into a track, and pairs that a person has to decide; each with entry, kind, day, chief, track and why."""

    merged: list[dict[str, Any]] = field(default_factory=list)
    proposed: list[dict[str, Any]] = field(default_factory=list)


def merge_late(conn: Connection, track_id: uuid.UUID, view: RuleView) -> Merging:
    """Merge the entries that are the same patrol as a track just scored (补传轨迹与纸质记录合并), in the caller's transaction.

    Call it after the scoring of the outing's head, or of any of its parts; a second call changes nothing. Only what
    ``entries.pair`` is certain of is merged, with an event that says why; the rest is returned as proposed.
    """
    head = entry_store.head_of(conn, track_id)
    tracks = entry_store.track(conn, head) if head is not None else pd.DataFrame()
    chiefs = {c for row in tracks.itertuples() for c in _chiefs(row)}
    return merge(conn, ((c, row.day) for row in tracks.itertuples() for c in chiefs), view)


def merge(conn: Connection, chief_days: Iterable[tuple[uuid.UUID | None, date]], view: RuleView) -> Merging:
    """The same for whole days of chiefs: after entries came in whose track was there before."""
    entry_store.one_at_a_time(conn)
    done = Merging()
    by_day: dict[date, set[uuid.UUID]] = {}
    for chief, day in chief_days:
        if chief is not None and not pd.isna(chief):
            by_day.setdefault(day, set()).add(chief)
    for day, chiefs in sorted(by_day.items()):
        _merge_day(conn, sorted(chiefs), day, view, done)
    return done


def proposals(conn: Connection, first: date, last: date, view: RuleView) -> list[dict[str, Any]]:
    """Pairs of the civil days ``first`` to ``last`` that are not merged: those a person has to decide, with their ``doubt``.

    A pair without doubt is merged at the next scoring of its track.
    """
    counted = entry_store.entries(conn, first, last)
    counted = counted[counted["chief_id"].notna()]
    out: list[dict[str, Any]] = []
    for day, rows in counted.groupby("day"):
        pairs, known = _pairs(conn, sorted(set(rows["chief_id"])), day, view)
        out += [_told(p, known) for p in pairs]
    return out


def twins(conn: Connection, first: date, last: date, view: RuleView) -> list[dict[str, Any]]:
    """Two entries that may be one patrol told twice (纸质与平台各记一次): entry, other, kinds, day, chief; a person withdraws one."""
    rows = entry_store.entries(conn, first, last)
    rows = rows[(rows["state"] == "counted") & rows["chief_id"].notna()]
    several = rows[rows.duplicated(["chief_id", "day"], keep=False)]
    said = _said_entries(conn, several)
    known = {row.id: row for row in several.itertuples()}
    by_day: dict[Any, list[Said]] = {}
    for s in said:
        by_day.setdefault((s.chief_ids, s.day), []).append(s)
    slack, share = view.number("patrol.entry.time_slack"), view.number("patrol.entry.min_overlap")
    pairs = [p for own in by_day.values() for p in entries.twins(own, slack_min=slack, min_share=share)]
    return [
        {
            "entry_id": str(a),
            "other_id": str(b),
            "kinds": [known[a].kind, known[b].kind],
            "day": str(known[a].day),
            "chief": known[a].chief,
        }
        for a, b in pairs
    ]


def _merge_day(conn: Connection, chiefs: list[uuid.UUID], day: date, view: RuleView, done: Merging) -> None:
    pairs, known = _pairs(conn, chiefs, day, view)
    for p in pairs:
        told = _told(p, known)
        if p.doubt is None:
            entry_store.add_event(conn, p.entry_id, "merged", told["why"], p.track_id)
            done.merged.append(told)
        else:
            done.proposed.append(told)


def _pairs(
    conn: Connection, chiefs: list[uuid.UUID], day: date, view: RuleView
) -> tuple[list[Pair], dict[uuid.UUID, Any]]:
    tracks = entry_store.tracks_with(conn, chiefs, [day])
    if tracks.empty:
        return [], {}
    rows = entry_store.entries(conn, day, day)
    rows = rows[rows["chief_id"].isin(chiefs) & (rows["state"] != "withdrawn")]
    if rows.empty:
        return [], {}
    pairs = entries.pair(
        _said_entries(conn, rows),
        _said_tracks(conn, tracks),
        slack_min=view.number("patrol.entry.time_slack"),
        min_share=view.number("patrol.entry.min_overlap"),
    )
    return pairs, {row.id: row for row in rows.itertuples()}


def _said_entries(conn: Connection, rows: pd.DataFrame) -> list[Said]:
    parts = dict(iter(entry_store.stretches(conn, list(rows["id"])).groupby("entry_id")))
    return [
        Said(
            row.id,
            frozenset([row.chief_id]),
            row.day,
            row.kind,
            _moment(row.started_at),
            _moment(row.ended_at),
            _stretches(parts.get(row.id)),
            merged_into=row.merged_into,
            kept_apart=bool(row.kept_apart),
        )
        for row in rows.itertuples()
    ]


def _said_tracks(conn: Connection, tracks: pd.DataFrame) -> list[Said]:
    seen = dict(iter(entry_store.seen(conn, list(tracks["id"])).groupby("track_id")))
    return [
        Said(
            row.id,
            frozenset(_chiefs(row)),
            row.day,
            "track",
            _moment(row.started_at),
            _moment(row.ended_at),
            _stretches(seen.get(row.id)),
        )
        for row in tracks.itertuples()
    ]


def _chiefs(track: Any) -> list[uuid.UUID]:
    return [c for c in (track.chief_id, *track.party) if c is not None]


def _stretches(rows: pd.DataFrame | None) -> tuple[Stretch, ...]:
    if rows is None:
        return ()
    whole = rows[["river_id", "from_m", "to_m"]].astype(object)
    whole = whole.where(whole.notna(), None)
    return tuple(Stretch(r.river_id, r.from_m, r.to_m) for r in whole.itertuples())


def _moment(value: Any) -> Any:
    return None if pd.isna(value) else pd.Timestamp(value).to_pydatetime()


def _told(p: Pair, known: dict[uuid.UUID, Any]) -> dict[str, Any]:
    row = known[p.entry_id]
    said = [words.both("entry_why.same_day")]
    if p.overlap_min is not None:
        said.append(words.both("entry_why.time"))
    if p.overlap_m is not None:
        said.append(words.both("entry_why.place", metres=round(p.overlap_m)))
    if p.doubt is not None:
        said.append(words.both(f"entry_doubt.{p.doubt}"))
    return {
        "entry_id": str(p.entry_id),
        "kind": row.kind,
        "day": str(row.day),
        "chief": row.chief,
        "track_id": str(p.track_id),
        "doubt": p.doubt,
        "why": "; ".join(said),
    }


def entry_of(conn: Connection, said: str) -> Any:
    """The entry that an id, or the unambiguous beginning of one (at least 6 characters), means; ``NotFound``, ``UsageError``."""
    if len(said) < 6:
        raise UsageError(f"{said!r} is too short: give at least 6 characters of the entry's id.")
    ids = entry_store.starting(conn, said)
    if not ids:
        raise NotFound(f"There is no entry {said}: 'rivergis patrol entry list' shows them.")
    if len(ids) > 1:
        raise UsageError(f"Several entries begin with {said}: give more of the id.")
    return next(entry_store.by_id(conn, ids).itertuples())


def withdraw(db: Database, entry: str, reason: str, *, actor: str) -> dict[str, Any]:
    """Take an entry back (撤回): it stays visible and counts no more. ``InputError`` if it is withdrawn already."""
    with db.write(actor) as conn:
        row = entry_of(conn, entry)
        if row.state == "withdrawn":
            raise InputError(f"The entry {str(row.id)[:8]} is withdrawn already: nothing is left to do.")
        entry_store.add_event(conn, row.id, "withdrawn", _reason(reason))
    return {"entry_id": str(row.id), "state": "withdrawn"}


def restore(db: Database, entry: str, reason: str, *, actor: str) -> dict[str, Any]:
    """Let a withdrawn or merged entry count again (恢复); from then on only people merge it."""
    with db.write(actor) as conn:
        row = entry_of(conn, entry)
        if row.state == "counted":
            raise InputError(f"The entry {str(row.id)[:8]} counts already: nothing is left to do.")
        entry_store.add_event(conn, row.id, "restored", _reason(reason))
    return {"entry_id": str(row.id), "state": "counted"}


def merge_by_hand(db: Database, entry: str, track_id: uuid.UUID, reason: str, *, actor: str) -> dict[str, Any]:
    """Say that an entry and a track are one patrol (人工合并): the track counts, the entry stays visible.

    ``NotFound`` for an unknown track; ``InputError`` where the entry is withdrawn or merged, or of another chief or day.
    """
    with db.write(actor) as conn:
        row = entry_of(conn, entry)
        head = entry_store.head_of(conn, track_id)
        if head is None:
            raise NotFound(f"There is no track {track_id}: give the id that the upload or the patrol page shows.")
        if row.state != "counted":
            raise InputError(f"The entry {str(row.id)[:8]} is {row.state}: restore it first.")
        track = next(entry_store.track(conn, head).itertuples(), None)
        if track is None or track.day != row.day or row.chief_id not in _chiefs(track):
            raise InputError(
                f"The entry {str(row.id)[:8]} and the track {str(head)[:8]} are of different chiefs or days: they are not one patrol."
            )
        entry_store.add_event(conn, row.id, "merged", _reason(reason), head)
    return {"entry_id": str(row.id), "state": "merged", "track_id": str(head)}


def _reason(text: str) -> str:
    if not text.strip():
        raise UsageError("Say why in a few words: the reason stays with the entry.")
    return text.strip()
