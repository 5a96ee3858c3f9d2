"""What a write of the OGC API means for each collection: which workflow takes it, and with which words."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import shapely
from fastapi import Request

from rivergis import rules
from rivergis.boundary.law import draft_store, line_workflow
from rivergis.db import places
from rivergis.db.access import Actor
from rivergis.db.connect import now_of
from rivergis.encroachment import hand_store, hand_workflow, report_workflow
from rivergis.errors import InputError, NotFound, UsageError
from rivergis.maps.ogc import written
from rivergis.river import store as river_store
from rivergis.web.auth import database
from rivergis.web.ogc import sent as ogc_sent
from rivergis.web.patrol_upload import book_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
LINE, CANDIDATE = "boundary_draft_line", "candidate"
_EMPTY: dict[str, dict[str, Any]] = {
    # what a whole feature that does not say it has not; the place of a line is measured instead
    LINE: {"code": "", "flood_level_m": None, "tolerance_m": None, "note": None},
    CANDIDATE: dict.fromkeys(("name", "accuracy_m", "seen_at", "evidence", "valid_from", "valid_to")),
}
Said = Mapping[str, Any]


@dataclass(frozen=True)
class Done:
    """What came of a write: the item, its ETag now, and what else is worth saying; ``known``: it stood already."""

    id: str
    tag: str
    told: dict[str, Any] = field(default_factory=dict)
    known: bool = False


def create(request: Request, actor: Actor, name: str, key: uuid.UUID | None, said: Said) -> Done:
    """A new line, candidate or report."""
    sent = ogc_sent.feature(request, said)
    shape = _there(sent.shape)
    fields = written.checked(name, sent.properties, new=True)
    if name == LINE:
        revision = sent.properties.get("draft_revision")
        known = revision if isinstance(revision, int) and not isinstance(revision, bool) else None
        return _line(
            line_workflow.add(database(request), fields, _linear(shape), actor.name, area=actor.area, revision=known)
        )
    if name == CANDIDATE:
        return _candidate(hand_workflow.record(database(request), fields, shape, actor.name, area=actor.area))
    return _report(request, actor, fields, shape)


def replace(request: Request, actor: Actor, name: str, key: uuid.UUID, said: Said) -> Done:
    """A line or candidate as the whole feature says it."""
    sent = ogc_sent.feature(request, said)
    fields = _EMPTY[name] | written.checked(name, sent.properties)
    return _changed(request, actor, name, key, sent.properties, fields, _there(sent.shape))


def update(request: Request, actor: Actor, name: str, key: uuid.UUID, said: Said) -> Done:
    """A line or candidate with what the patch says of it."""
    sent = ogc_sent.feature(request, said, _held(request, name, key))
    fields = written.checked(name, sent.properties, whole=False)
    if "geometry" in said and sent.shape is None:
        raise InputError(f"{name} keeps a geometry: leave it out of the patch, or send another one.")
    return _changed(request, actor, name, key, sent.properties, fields, sent.shape)


def delete(request: Request, actor: Actor, name: str, key: uuid.UUID, said: Said) -> Done:
    """A line taken out of its draft, a candidate ended."""
    marks = written.marked(name, request.headers.get("if-match"), {})
    if name == LINE:
        return _line(line_workflow.remove(database(request), key, _line_marks(marks), actor.name, area=actor.area))
    return _candidate(hand_workflow.end(database(request), key, _candidate_marks(marks), actor.name, area=actor.area))


def _changed(
    request: Request,
    actor: Actor,
    name: str,
    key: uuid.UUID,
    sent: Said,
    fields: Said,
    shape: shapely.Geometry | None,
) -> Done:
    marks = written.marked(name, request.headers.get("if-match"), sent)
    db = database(request)
    if name == LINE:
        line = None if shape is None else _linear(shape)
        return _line(line_workflow.change(db, key, _line_marks(marks), fields, line, actor.name, area=actor.area))
    return _candidate(
        hand_workflow.replace(db, key, _candidate_marks(marks), fields, shape, actor.name, area=actor.area)
    )


def _held(request: Request, name: str, key: uuid.UUID) -> shapely.Geometry:
    """The shape that a patch changes."""
    with database(request).read() as conn:
        row = draft_store.line(conn, key) if name == LINE else hand_store.candidate(conn, key)
    if row is None:
        raise NotFound(f"There is no item {key} in {name}.")
    return row["geom"]


def _there(shape: shapely.Geometry | None) -> shapely.Geometry:
    if shape is None:
        raise InputError("The feature has no geometry: send it with its shape.")
    return shape


def _linear(shape: shapely.Geometry) -> shapely.Geometry:
    """A line, also where a desktop GIS calls it a MultiLineString of one part."""
    if shape.geom_type == "MultiLineString" and len(shape.geoms) == 1:
        return shape.geoms[0]
    if shape.geom_type != "LineString":
        raise InputError(f"A stretch of line is one LineString, not a {shape.geom_type}: split it first.")
    return shape


def _line_marks(marks: Sequence[written.Mark]) -> list[line_workflow.Made]:
    return [line_workflow.Made(m.edition, m.revision, m.said_in == "feature") for m in marks]


def _candidate_marks(marks: Sequence[written.Mark]) -> list[hand_workflow.Made]:
    return [hand_workflow.Made(m.edition, m.said_in == "feature") for m in marks]


def _line(saved: line_workflow.SavedLine) -> Done:
    told = {k: v for k, v in asdict(saved).items() if k != "segment_id"}
    return Done(str(saved.segment_id), written.tag(saved.edition, saved.draft_revision), told)


def _candidate(saved: hand_workflow.SavedCandidate) -> Done:
    told = {"code": saved.code, "version": saved.version}
    return Done(str(saved.id), written.tag(saved.version), told, saved.known)


def _report(request: Request, actor: Actor, fields: Said, shape: shapely.Geometry) -> Done:
    """A report from the place, as the command takes it; the same one again is known."""
    if shape.geom_type != "Point":
        raise InputError(f"A report is made of a place: send a Point, not a {shape.geom_type}.")
    db = database(request)
    today = datetime.now(SHANGHAI).date()
    with db.read() as conn:
        places.require_within(conn, shape, actor.area)
        home = river_store.home(conn, today, now_of(conn)) or rules.NATIONAL
    view = book_of(request).at(rules.path_of(home), today)
    kind = report_workflow.kinds(view)(str(fields["kind"]))
    if kind is None:
        raise InputError(
            f"kind = {str(fields['kind'])[:60]!r} is no kind of thing that is reported: building, quarry, dump, occupation, net_pen, "
            "unknown, nothing_found, or a word of the taxonomy."
        )
    said = report_workflow.Said(
        kind, shape.x, shape.y, _moment(fields.get("at")), _accuracy(fields.get("accuracy_m")), "cgcs2000", None, fields.get("note"),
        None if kind == fields["kind"] else str(fields["kind"]), "api",
    )  # fmt: skip
    try:
        (done,) = report_workflow.report(
            db, [said], actor=actor.name, store_dir=request.app.state.settings.store_dir, view=view
        )
    except UsageError as error:
        raise InputError(error.sentence) from error
    told = {"kind": done.kind, "candidate": done.candidate, "doubts": done.doubts}
    return Done(done.report, '"1"', told, done.known)


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise InputError(f"at = {value[:60]!r} is no moment: write it as 2026-05-20T08:30:00+08:00.") from error


def _accuracy(value: Any) -> float | None:
    if value is not None and not value >= 0:
        raise InputError(f"accuracy_m is the one-sigma error in metres, not {value:g}.")
    return None if value is None else float(value)
