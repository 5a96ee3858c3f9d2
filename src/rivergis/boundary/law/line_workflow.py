"""One stretch of line of a draft at a time (界线逐条编辑), as clients of services edit it: made, changed, taken out.

Every save goes through ``draft_workflow.save``, with its lock and its merge. An edit says the edition it was made on; what is not
said of the place of a new or redrawn stretch (reach, bank, chainage) is measured on the register of reaches.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection

from rivergis.boundary.law import draft_store, draft_workflow
from rivergis.boundary.law import rows as draft_rows
from rivergis.boundary.law.edit import Edit
from rivergis.db import places
from rivergis.db.connect import Database
from rivergis.errors import Conflict, InputError, NotFound, NotPermitted, Outdated

TOLD = ("note", "flood_level_m", "tolerance_m")
"""What a stretch says in its attributes."""
_ROUNDED_DEG = 2e-9  # 0.2 mm: services give out nine decimals
_PLACE = ("river_code", "reach_code", "bank", "from_m", "to_m")


@dataclass(frozen=True)
class Made:
    """The edition of a stretch that an edit was made on, and the revision of the draft that its author knew, if said.

    ``own_counts``: later editions by the same person are part of the same work (a client that sends one change in several pieces).
    """

    edition: int
    revision: int | None = None
    own_counts: bool = False


@dataclass(frozen=True)
class SavedLine:
    """A stretch as a save left it."""

    segment_id: uuid.UUID
    draft: str
    edition: int
    draft_revision: int
    merged: bool


def add(
    db: Database, said: Mapping[str, Any], line: shapely.LineString, actor: str, *, area: str = "", revision: int | None = None
) -> SavedLine:  # fmt: skip
    """Draw a stretch (EPSG:4490) into the draft it names (``draft_code``), on the revision that its author knew, if said.

    Raises ``NotFound`` for the draft, ``NotPermitted`` outside of ``area`` (adcode prefix), and as ``draft_workflow.save`` does.
    """
    line = draft_rows.one_line(line, 1)
    with db.read() as conn:
        draft = draft_workflow.get(conn, str(said["draft_code"]))
        _in_area(conn, draft, [line], area)
        fields = {k: v for k, v in said.items() if k in (*_PLACE, "code", "drawn_by") and v is not None}
        fields |= _measured_new(conn, draft, fields, line)
    fields["drawn_by"] = _by_hand(said.get("drawn_by"))
    fields["attributes"] = {k: said[k] for k in TOLD if said.get(k) is not None}
    segment = uuid.uuid4()
    base = draft["revision"] if revision is None else revision
    return _saved(db, draft["code"], base, Edit("put", segment, fields, line), actor, said.get("change_reason"))


def change(
    db: Database,
    segment_id: uuid.UUID,
    made: Sequence[Made],
    said: Mapping[str, Any],
    line: shapely.LineString | None,
    actor: str,
    *,
    area: str = "",
) -> SavedLine:
    """Change what is said of a stretch, and its shape where there is a ``line`` (EPSG:4490).

    Raises ``Outdated`` with both shapes where somebody else was first and the edits touch, else as ``add`` does.
    """
    with db.read() as conn:
        held = _held(conn, segment_id)
        if said.get("draft_code") not in (None, held["draft"]):
            raise InputError("A stretch does not change its draft: take it out here and draw it there.")
        line = None if line is None else _settled(draft_rows.one_line(line, 1), held["geom"])
        _in_area(conn, held, [held["geom"], *([] if line is None else [line])], area)
        base = _base(conn, held, made, actor)
        fields = _changed(conn, held, said, line)
    return _saved(db, held["draft"], base, Edit("put", segment_id, fields, line), actor, said.get("change_reason"))


def remove(db: Database, segment_id: uuid.UUID, made: Sequence[Made], actor: str, *, area: str = "") -> SavedLine:
    """Take a stretch out of its draft; its history stays. Raises as ``change`` does."""
    with db.read() as conn:
        held = _held(conn, segment_id)
        _in_area(conn, held, [held["geom"]], area)
        base = _base(conn, held, made, actor)
    return _saved(db, held["draft"], base, Edit("remove", segment_id), actor, None)


def _settled(line: shapely.LineString, held: shapely.LineString) -> shapely.LineString:
    """A line as it was, or with its ends as they were, where a service only rounded them on the way out."""
    if line.equals_exact(held, _ROUNDED_DEG):
        return held
    xy, was = shapely.get_coordinates(line), shapely.get_coordinates(held)
    for end in (0, -1):
        if np.abs(xy[end] - was[end]).max() <= _ROUNDED_DEG:
            xy[end] = was[end]
    return shapely.LineString(xy)


def _held(conn: Connection, segment_id: uuid.UUID) -> dict[str, Any]:
    found = draft_store.line(conn, segment_id)
    if found is None:
        raise NotFound(f"There is no line {segment_id} in any draft.")
    return found


def _in_area(conn: Connection, draft: Mapping[str, Any], shapes: Sequence[shapely.Geometry], area: str) -> None:
    """``NotPermitted`` where the draft is that of another area, or a shape lies in one."""
    own = places.bare(draft["adcode"])
    if not (own.startswith(area) or area.startswith(own)):
        raise NotPermitted(
            f"The draft {draft.get('draft') or draft['code']} is one of {draft['adcode']}; you may write in {area} only."
        )
    for shape in shapes:
        places.require_within(conn, shape, area)


def _base(conn: Connection, held: Mapping[str, Any], made: Sequence[Made], actor: str) -> int:
    """The revision of the draft that an edit began with, by the edition it was made on."""
    now, editors = held["edition"], list(held["editors"])
    known = next((m for m in made if m.edition == now), None)
    if known is not None and (known.revision or 0) <= held["draft_revision"]:
        return held["draft_revision"] if known.revision is None else max(known.revision, held["revision"])
    first = made[0]
    if first.own_counts and 0 < first.edition < now and set(editors[first.edition :]) == {actor}:
        return int(held["draft_revision"])
    then = draft_store.revision_of_edition(conn, held["segment_id"], first.edition)
    if then is None:
        raise Outdated(
            f"The line has no edition {first.edition}; its last one is {now}: read it again, then edit.", edition=now
        )
    return then


def _changed(
    conn: Connection, held: Mapping[str, Any], said: Mapping[str, Any], line: shapely.LineString | None
) -> dict[str, Any]:
    """The fields that an edit changes; moved ends are measured anew where their chainage was not typed."""
    fields = {k: said[k] for k in (*_PLACE, "code", "drawn_by") if k in said and said[k] != held[k]}
    if fields.get("bank", "left") is None or fields.get("river_code", "") is None:
        raise InputError("A stretch keeps its river (river_code) and its bank.")
    if "code" in fields:
        fields["code"] = fields["code"] or ""
    redrawn = None if line is None or line.equals_exact(held["geom"], 0.0) else line
    if "drawn_by" in fields or (redrawn is not None and held["drawn_by"] == "announced"):
        fields["drawn_by"] = _by_hand(fields.get("drawn_by", held["drawn_by"]))
    if redrawn is not None and not {"from_m", "to_m"} & set(fields):
        fields |= _measured_ends(conn, {**held, **fields}, redrawn)
    told = {k: said[k] for k in TOLD if k in said and said[k] != held["attributes"].get(k)}
    if told:
        kept = {k: v for k, v in held["attributes"].items() if k not in told}
        fields["attributes"] = kept | {k: v for k, v in told.items() if v is not None}
    if set(fields) & set(_PLACE):
        fields["hand_edited"] = True
    return fields


def _by_hand(drawn_by: Any) -> str:
    """How a stretch was drawn, once a person has drawn it: it is no announced line any more."""
    return "hand" if drawn_by in (None, "announced") else str(drawn_by)


def _measured_new(
    conn: Connection, draft: Mapping[str, Any], fields: Mapping[str, Any], line: shapely.LineString
) -> dict[str, Any]:
    """Reach, bank and chainage of a new stretch, as far as they are not said."""
    found = draft_store.on_river(conn, _river(conn, draft, fields["river_code"]), fields.get("reach_code"), line)
    if found is None:
        if fields.get("bank") is None:
            raise InputError(
                f"No reach of the river {fields['river_code']} is known to measure on: say the bank, left or right looking downstream."
            )
        return {}
    reach, bank, start_m, end_m = found
    measured = {"reach_code": reach, "bank": bank, "from_m": min(start_m, end_m), "to_m": max(start_m, end_m)}
    return {k: v for k, v in measured.items() if fields.get(k) is None}


def _river(conn: Connection, draft: Mapping[str, Any], code: str) -> uuid.UUID:
    known = draft_store.rivers(conn, [code], draft["based_on"], draft["based_known_at"])
    if known.empty:
        raise NotFound(f"The river {code} is not known: import it first ('rivergis river list').")
    return uuid.UUID(str(known["id"].iloc[0]))


def _measured_ends(conn: Connection, fields: Mapping[str, Any], line: shapely.LineString) -> dict[str, Any]:
    """Chainage of the ends of a redrawn stretch that were moved; unknown where no reach is known to measure on."""
    was, is_ = (shapely.get_coordinates(g)[[0, -1]] for g in (fields["geom"], line))
    first, last = (not np.array_equal(a, b) for a, b in zip(was, is_, strict=True))
    if not (first or last):
        return {}
    river = _river(conn, fields, fields["river_code"])
    found = draft_store.on_river(conn, river, fields["reach_code"], line)
    start_m, end_m = (None, None) if found is None else found[2:]
    upstream = start_m is not None and end_m is not None and start_m > end_m
    ends = {
        "from_m": (last, end_m) if upstream else (first, start_m),
        "to_m": (first, start_m) if upstream else (last, end_m),
    }
    return {name: at_m for name, (moved, at_m) in ends.items() if moved}


def _saved(db: Database, draft: str, base: int, edit: Edit, actor: str, reason: str | None) -> SavedLine:
    assert edit.segment_id is not None
    try:
        saved = draft_workflow.save(db, draft, base, [edit], actor, reason=(reason or "").strip(), tool="api")
    except Conflict as error:
        if "segments" not in error.details:
            raise
        with db.read() as conn:
            now = draft_store.edition(conn, edit.segment_id) or None
        raise Outdated(error.sentence, edition=now, **error.details) from error
    with db.read() as conn:
        # others may have saved since: the edition is that of this save, so that the next edit finds theirs
        edition = draft_store.edition(conn, edit.segment_id, saved.revision)
    return SavedLine(edit.segment_id, saved.code, edition, saved.revision, saved.merged)
