"""Replay a verdict: score an outing again from the versions, rules and tracks that were in force when it was scored."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from rivergis.errors import NotFound
from rivergis.patrol import outing_store, outing_workflow, review_workflow, store, workflow
from rivergis.patrol.score import ENGINE
from rivergis.rules import book_of, path_of


@dataclass(frozen=True)
class Explained:
    """A verdict with what it rests on; ``same``: whether the replay gives it again, None where it cannot be replayed (``why``)."""

    track_id: str
    day: str
    engine: str
    scored_at: str
    rule_set: str
    inputs: dict[str, Any]
    figures: dict[str, Any]
    standard: list[dict[str, Any]]
    questions: list[dict[str, Any]] | None
    legs: int
    same: bool | None
    why: str | None = None
    differs: list[str] = field(default_factory=list)


def explain(conn: Connection, head: uuid.UUID, *, questions: bool) -> Explained:
    """Replay the current scoring of an outing in a read-only transaction; ``NotFound`` where it was never scored.

    ``questions``: whether who asks may see what is asked about it (the duty person, the chief concerned).
    """
    result = store.result(conn, head)
    if result is None:
        raise NotFound(f"The track {head} has no scoring yet: run 'rivergis patrol score-day' for its day.")
    legs = store.legs(conn, result["result_id"])
    same, why, differs = _replayed(conn, head, result, legs)
    return Explained(
        str(head),
        str(result["day"]),
        result["engine"],
        result["recorded_at"].isoformat(),
        result["rule_set"],
        result["figures"].get("read", {}),
        result["figures"],
        result["standard"],
        [review_workflow.as_dict(q) for q in review_workflow.of_track(conn, head)] if questions else None,
        len(legs),
        same,
        why,
        differs,
    )


def _replayed(
    conn: Connection, head: uuid.UUID, result: dict[str, Any], legs: pd.DataFrame
) -> tuple[bool | None, str | None, list[str]]:
    if result["purged"]:
        return None, "its fixes are past their retention period and were removed; legs and hash stay", []
    if result["engine"] != ENGINE:
        return None, f"it was scored by {result['engine']}; this version has {ENGINE}", []
    read = result["figures"].get("read")
    if read is None:
        return None, "it was scored before inputs were kept with the figures", []
    view = book_of(result["rules"]).at(path_of(read["jurisdiction"]), result["day"])
    base = outing_workflow.ground(conn, result["day"], result["recorded_at"], view)
    outing = outing_workflow.read_outing(conn, _as_it_was(conn, head, result, read), base, view)
    had = {p["sha256"] for p in read["parts"]}
    outing = replace(
        outing,
        parts=outing.parts[outing.parts["raw_sha256"].isin(had)].reset_index(drop=True),
        earlier=_in_the_same_datum(outing.earlier, read),
        others=_in_the_same_datum(outing.others, read),
        read=read,
    )
    gone = set(read["compared_with"]) - {str(i) for f in (outing.earlier, outing.others) for i in f["id"]}
    if gone:
        return (
            None,
            f"{len(gone)} of the tracks it was compared with were removed after their retention period",
            [],
        )
    again = workflow.score(conn, outing, base, view, result["rule_set"])
    differs = [] if outing.hash == result["input_hash"] else ["inputs"]
    pairs = (("figures", again.figures), ("standard", again.standard), ("review", again.review))
    differs += [name for name, now in pairs if _plain(now) != _plain(result[name])]
    differs += [] if _same_legs(again.legs, legs) else ["legs"]
    return not differs, None, differs


def _in_the_same_datum(tracks: pd.DataFrame, read: dict[str, Any]) -> pd.DataFrame:
    """Other tracks in the datum they were then thought to be in."""
    then = [read["compared_with"].get(str(i), d) for i, d in zip(tracks["id"], tracks["datum"], strict=True)]
    return tracks.assign(datum=pd.Series(then, index=tracks.index, dtype=object))


def _as_it_was(conn: Connection, head: uuid.UUID, result: dict[str, Any], read: dict[str, Any]) -> Any:
    """The outing with the chief it had; parts that came later do not count."""
    row = next(outing_store.outing(conn, head, result["recorded_at"], [p["id"] for p in read["parts"]]).itertuples())
    chief = uuid.UUID(read["chief_id"]) if read["chief_id"] else None
    return row._replace(chief_id=chief, unit_code=read["unit_code"])


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, sort_keys=True, default=str))


def _same_legs(now: pd.DataFrame, then: pd.DataFrame) -> bool:
    def rows(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
        known = frame.astype(object).where(frame.notna(), None)
        return [
            (str(r.reach_id), r.reach_version, r.bank, round(r.from_m, 6), round(r.to_m, 6), bool(r.seen), r.reason)
            for r in known.itertuples()
        ]

    return rows(now) == rows(then)
