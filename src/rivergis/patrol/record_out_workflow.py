"""Our patrols as records of a platform (导出巡河记录): tracks and entries that count, each with its number here."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from rivergis.patrol import entry_store
from rivergis.patrol.records import Profile, Record


def exported(conn: Connection, profile: Profile, first: date, last: date) -> list[Record]:
    """Our patrols of the civil days ``first`` to ``last`` as records of a platform (导出巡河记录), in order of their start.

    Outings with a track (their scoring gives minutes and metres), and entries that count; an entry merged into a track stands in
    it. What came from this platform itself is not sent back. The number of a record is its id here.
    """
    out = _of_tracks(conn, first, last) + _of_entries(conn, profile, first, last)
    return sorted(out, key=lambda r: (r.day, r.started_at.timestamp() if r.started_at else 0.0, r.external_id))


def _of_tracks(conn: Connection, first: date, last: date) -> list[Record]:
    rows = entry_store.patrols(conn, first, last)
    rivers = dict(iter(entry_store.rivers_of(conn, list(rows["id"])).groupby("track_id")))
    return [_on_rivers(_record_of(row), rivers.get(row["id"])) for row in rows.to_dict("records")]


def _of_entries(conn: Connection, profile: Profile, first: date, last: date) -> list[Record]:
    rows = entry_store.entries(conn, first, last)
    rows = rows[(rows["state"] == "counted") & (rows["profile"] != profile.name) & rows["chief_id"].notna()]
    parts = dict(iter(entry_store.stretches(conn, list(rows["id"])).groupby("entry_id")))
    told = rows.assign(metres=rows["metres_said"]).to_dict("records")
    return [_on_rivers(_record_of(row), parts.get(row["id"])) for row in told]


def _on_rivers(record: Record, own: pd.DataFrame | None) -> Record:
    """A record with the rivers of its rows, each once."""
    if own is None:
        return record
    rivers = own.drop_duplicates("river_code")
    return replace(record, river="、".join(rivers["river"]), river_code="、".join(rivers["river_code"]))


def _record_of(row: dict[str, Any]) -> Record:
    """A patrol as a record, to the second and the metre."""
    known: dict[str, Any] = {k: None if v is None or pd.isna(v) else v for k, v in row.items()}
    started, ended = (_second(known[k]) for k in ("started_at", "ended_at"))
    minutes, metres, problems = known["minutes"], known["metres"], known["problems"]
    return Record(
        day=known["day"],
        started_at=started,
        ended_at=ended,
        seconds=None if minutes is None else float(round(minutes * 60)),
        metres=None if metres is None else float(round(metres)),
        problems=None if problems is None else int(problems),
        external_id=str(known["id"]),
        note=known.get("note") or "",
        **{k: known[k] or "" for k in ("chief", "chief_code", "title", "unit", "unit_code")},
    )


def _second(at: Any) -> datetime | None:
    return None if at is None else pd.Timestamp(at).round("s").to_pydatetime()
