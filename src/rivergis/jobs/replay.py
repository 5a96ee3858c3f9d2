"""Replay of recorded verdicts of every topic: the same night again, as known then, under the rules kept."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from rivergis import rules
from rivergis.boundary import workflow as boundary_workflow
from rivergis.db.connect import Database
from rivergis.encroachment import replay_store, replay_workflow, store
from rivergis.encroachment.replay_workflow import Replayed
from rivergis.errors import NotFound, RuleError
from rivergis.jobs import nightly
from rivergis.lead import Lead
from rivergis.outfall import workflow as outfall_workflow
from rivergis.river import store as river_store
from rivergis.river.register import Register
from rivergis.rules import RuleBook


def replay(db: Database, finding: str | None = None, night: date | None = None) -> list[Replayed]:
    """Replay the verdicts of a lead (its id or the start of it), of a night, or all; writes nothing.

    Raises ``NotFound`` where there is no such lead, or it has no verdict.
    """
    with db.read() as conn:
        lead = None if finding is None else store.record_of(conn, finding)["finding"]["id"]
        rows = replay_store.given(conn, lead, night)
        if not rows:
            of = " and ".join(f"{w}" for w in (finding and f"lead {finding}", night and f"night {night}") if w)
            raise NotFound(f"There is no verdict{' of ' + of if of else ''} to replay.")
        engine = nightly.engine_of(conn)
        return [r for same in _alike(rows) for r in _replayed(conn, same, engine)]


def _alike(rows: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Verdicts that rest on the same night, moment, rules and place."""

    def key(row: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(str(row[c]) for c in ("night", "known_at", "rule_set", "jurisdiction"))

    for _, same in groupby(sorted(rows, key=key), key):
        yield list(same)


def _kept(conn: Connection, rule_set: str) -> RuleBook | str:
    """The rules a verdict was given by, or the sentence why they are not there as they were."""
    try:
        book = rules.book_of(replay_store.rule_texts(conn, rule_set))
    except RuleError as error:
        return f"The rules {rule_set} that the database kept cannot be read by this version of the program: {error.sentence}"
    except NotFound as error:
        return error.sentence
    if book.version != rule_set:
        return f"The rules {rule_set} that the database kept are not the ones the verdict was given by: their content comes to {book.version}."
    return book


def _replayed(conn: Connection, rows: Sequence[Mapping[str, Any]], engine: dict[str, str]) -> list[Replayed]:
    night, known, place = rows[0]["night"], rows[0]["known_at"], rows[0]["jurisdiction"]
    if known is None or place is None:
        return [replay_workflow.compare(r, "", engine) for r in rows]
    kept = _kept(conn, rows[0]["rule_set"])
    if isinstance(kept, str):
        return [replay_workflow.compare(r, kept, engine) for r in rows]
    view = kept.at(rules.path_of(place), night)
    register = Register(
        river_store.axes(conn, night, known),
        river_store.units(conn, night, known),
        river_store.duties(conn, night, known),
    )
    mine = [r for r in rows if r["topic"] == "encroachment"]
    again: dict[uuid.UUID, Lead | str] = {}
    if mine:
        again |= dict(zip([r["id"] for r in mine], replay_workflow.again(conn, mine, view, register), strict=True))
    others = [r for r in rows if r["topic"] != "encroachment"]
    if others:
        told = [
            *outfall_workflow.leads(conn, view, register, night, known),
            *boundary_workflow.leads(conn, view, register, night, known),
        ]
        by_key = {(x.topic, x.key): x for x in told}
        again |= {r["id"]: by_key.get((r["topic"], r["key"]), "It would not be told.") for r in others}
    return [replay_workflow.compare(r, again[r["id"]], engine) for r in rows]
