"""What the drawing page and programs ask of a draft of boundary lines: features out, edits in, places, moves, defects, the preview."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from fastapi import Request
from sqlalchemy import Connection

from rivergis import geometry, lifecycle, rules, words
from rivergis.boundary.law import announce_workflow as law_workflow
from rivergis.boundary.law import draft_store, draft_workflow
from rivergis.boundary.law import move_workflow as draft_move_workflow
from rivergis.boundary.law import reduction_workflow as redraw_workflow
from rivergis.boundary.law.announce_workflow import Announcement
from rivergis.boundary.law.edit import Edit
from rivergis.boundary.law.reduction_workflow import Limits
from rivergis.boundary.stake import placing
from rivergis.db.access import Actor
from rivergis.db.connect import now_of
from rivergis.errors import InputError, NotPermitted, UsageError
from rivergis.maps import boundary_ground, features
from rivergis.river import store as river_store
from rivergis.rules import RuleView
from rivergis.web import page
from rivergis.web.auth import database
from rivergis.web.case_sent import Sent
from rivergis.web.patrol_upload import book_of

MOST_EDITS = 5_000
MOST_CORNERS = 200_000
FIELDS = (
    "code",
    "river_code",
    "reach_code",
    "bank",
    "from_m",
    "to_m",
    "basis",
    "drawn_by",
    "hand_edited",
    "attributes",
)
"""What a segment says, as it goes out and comes in."""
BASES = ("draft", "computed", "surrogate", "announced")


def rules_of(request: Request, draft: Mapping[str, Any]) -> RuleView:
    """The rules of the place of a draft on its day."""
    return book_of(request).at(rules.path_of(draft["adcode"]), draft["based_on"])


def limits_of(request: Request, draft: Mapping[str, Any]) -> Limits:
    """How near ends meet, and up to which width a change is resurvey noise."""
    return Limits.of(rules_of(request, draft))


def end_of(day: date | None) -> datetime | None:
    """The end of a civil day: what was known then. The last day there is has none, and nothing comes after it."""
    if day is None or day == date.max:
        return None
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), page.SHANGHAI)


# ---- out -----------------------------------------------------------------------------------------------------------------


def rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON and templates take them: nothing for what is missing."""
    plain = frame.astype(object)
    return [{str(k): v for k, v in row.items()} for row in plain.where(plain.notna(), None).to_dict("records")]


def collection(draft: Mapping[str, Any], frame: gpd.GeoDataFrame, revision: int) -> str:
    """Segments as GeoJSON text (longitude, latitude, EPSG:4490), each with the revision that wrote it."""
    head = {
        "type": "FeatureCollection", "draft": draft["code"], "revision": revision, "state": draft["state"],
        "stamp": words.both("boundary_desk.stamp"),
    }  # fmt: skip
    # shapes are put in as text: a county has more corners than is worth taking apart and together again
    features = ",".join(
        f'{{"type":"Feature","id":"{i}","properties":{json.dumps(s, ensure_ascii=False, default=float)},"geometry":{g}}}'
        for i, s, g in zip(
            frame["segment_id"],
            rows(pd.DataFrame(frame[[*FIELDS, "revision"]])),
            shapely.to_geojson(frame.geometry.to_numpy()),
            strict=True,
        )
    )
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "features": [{features}]}}'


def history(conn: Connection, draft: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Saves, the last first, and moves with their words."""
    life = lifecycle.load()["boundary_draft"]
    moves = [
        {
            **{k: e[k] for k in ("seq", "move", "to_state", "revision", "reason", "attachment_name", "attachment_sha256", "actor", "recorded_at")},
            "announcement": e["detail"].get("announcement"), "zh": life.moves[e["move"]].zh, "en": life.moves[e["move"]].en,
        }
        for e in draft_store.events(conn, draft_id=draft["id"])
    ]  # fmt: skip
    return {"changes": rows(draft_store.changes(conn, draft["id"]))[::-1], "events": moves}


def offers(draft: Mapping[str, Any], actor: Actor, past: Sequence[Mapping[str, Any]]) -> list[lifecycle.Move]:
    """Moves that this person may take now; who drew or submitted it does not review it."""
    life = lifecycle.load()["boundary_draft"]
    mine = {e["move"] for e in past if e["actor"] == actor.name}
    return [
        m
        for m in life.moves.values()
        if draft["state"] in m.from_states and m.capability in actor.capabilities and not mine & set(m.other_than)
    ]


def may_draw(draft: Mapping[str, Any], actor: Actor) -> bool:
    return draft["state"] == lifecycle.load()["boundary_draft"].start and "draft_boundary" in actor.capabilities


# ---- ground --------------------------------------------------------------------------------------------------------------


def ground(conn: Connection, draft: Mapping[str, Any], river: str | None) -> dict[str, Any]:
    """What the draft is drawn on: round its own lines, else round a river by code, else everything there is."""
    at = features.When(draft["based_on"], now_of(conn))
    box = boundary_ground.around([draft_store.segments(conn, draft["id"])])
    if box is None and river:
        box = features.river(conn, river, at).scope.box
    box = box or boundary_ground.around([river_store.reaches(conn, at.on, at.known_at)]) or boundary_ground.NOWHERE
    return boundary_ground.ground(conn, at, box)


def rivers_of(conn: Connection, draft: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Rivers that a line can belong to, those of the draft first."""
    known = river_store.rivers(conn, draft["based_on"], now_of(conn))
    own = set(draft_store.segments(conn, draft["id"])["river_code"])
    order = sorted(zip(known["code"], known["name"], strict=True), key=lambda r: (r[0] not in own, r[0]))
    return [(str(code), str(name)) for code, name in order]


def placed(conn: Connection, draft: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """River, reach, bank and chainage of a drawn line; of the rivers of the draft, where it has any and none is named."""
    line = line_of(said.get("geometry"), "geometry")
    _plain({k: said.get(k) for k in ("river_code", "reach_code")}, "The place")
    river, reach = (said.get(k) or None for k in ("river_code", "reach_code"))
    reaches = river_store.reaches(conn, draft["based_on"], now_of(conn))
    own = reaches[reaches["river_code"].isin(set(draft_store.segments(conn, draft["id"])["river_code"]))]
    return placing.place(line, own if len(own) and not river else reaches, river, reach).as_dict()


# ---- edits ---------------------------------------------------------------------------------------------------------------


def edits_of(said: Any) -> list[Edit]:
    """Edits of a request, one a segment; ``InputError`` names the first that cannot be read."""
    if not isinstance(said, list) or len(said) > MOST_EDITS:
        raise InputError(f"edits must be a list of at most {MOST_EDITS} edits.")
    edits = [_edit(one, f"edits[{n}]") for n, one in enumerate(said)]
    seen: set[uuid.UUID] = set()
    for edit in edits:
        if edit.segment_id in seen:
            raise InputError(f"The segment {edit.segment_id} is edited twice in one save: say once what it shall be.")
        seen |= {edit.segment_id} if edit.segment_id else set()
    return edits


def _edit(said: Any, where: str) -> Edit:
    if not isinstance(said, dict) or said.get("op") not in ("put", "remove"):
        raise InputError(f"{where} must be an object with op put or remove, and segment_id, fields and geometry.")
    fields = said.get("fields") or {}
    if isinstance(fields, dict) and not fields.get("river_code", True):
        raise InputError(f"{where}: a segment names its river by code (river_code).")
    strange = sorted(set(fields) - set(FIELDS)) if isinstance(fields, dict) else ["fields"]
    if strange:
        raise InputError(f"{where} has no field {str(strange[0])[:40]!r}: a segment has {', '.join(FIELDS)}.")
    _plain(fields, where)
    line = None if said.get("geometry") is None else line_of(said["geometry"], where)
    return Edit(said["op"], _id(said.get("segment_id"), where), fields, line)


def _plain(fields: Mapping[str, Any], where: str) -> None:
    """Words are text, chainages are numbers; what the rules of the house allow is asked where it is saved."""
    for name in ("code", "river_code", "reach_code", "bank", "basis", "drawn_by"):
        value = fields.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > 200 or "\x00" in value):
            raise InputError(f"{where}: {name} must be a text of at most 200 characters.")
    for name in ("from_m", "to_m"):
        value = fields.get(name)
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e8
        ):
            raise InputError(f"{where}: {name} must be metres along the river, a number.")
    if fields.get("basis", "draft") not in BASES:
        raise InputError(f"{where}: basis is one of {', '.join(BASES)}.")
    begin, end = fields.get("from_m"), fields.get("to_m")
    if begin is not None and end is not None and begin > end:
        raise InputError(f"{where}: a stretch begins upstream: from_m {begin} lies beyond to_m {end}.")
    if not isinstance(fields.get("hand_edited", True), bool):
        raise InputError(f"{where}: hand_edited is true or false.")
    if not isinstance(fields.get("attributes", {}), dict) or not _is_json(fields.get("attributes")):
        raise InputError(f"{where}: attributes must be an object of what JSON can hold.")


def _is_json(value: Any) -> bool:
    """Whether a database takes it: JSON knows no number that is none."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def _id(value: Any, where: str) -> uuid.UUID | None:
    if value is None:
        return None
    try:
        return uuid.UUID(str(value))
    except ValueError as error:
        raise InputError(f"{where}: segment_id {str(value)[:40]!r} is no id of a segment.") from error


def line_of(said: Any, where: str) -> shapely.LineString:
    """A GeoJSON LineString in degrees; ``InputError`` where it is none."""
    try:
        line = shapely.from_geojson(json.dumps(said))
    except (shapely.GEOSException, TypeError, ValueError) as error:
        raise InputError(f"{where}: the geometry is no GeoJSON LineString.") from error
    if not isinstance(line, shapely.LineString) or line.is_empty or len(line.coords) > MOST_CORNERS:
        raise InputError(f"{where}: the geometry must be one LineString with two to {MOST_CORNERS} corners.")
    west, south, east, north = line.bounds
    if not geometry.finite(line) or west < -180 or east > 180 or south < -90 or north > 90 or line.length == 0:
        raise InputError(
            f"{where}: the line must have two different corners in degrees (longitude, latitude; EPSG:4490)."
        )
    return shapely.force_2d(line)


# ---- moves ---------------------------------------------------------------------------------------------------------------


def take(request: Request, actor: Actor, code: str, said: Sent) -> dict[str, Any]:
    """Take the move that is said, on the revision its sender saw.

    ``said``: move, revision, reason; submit: reason-1, reason-2 ... for each reduction; review: countersign; announce: government,
    document_no, publisher, announced_on, in_force_from, and the file. Raises ``NotNow`` (409), ``InputError`` (422) and ``NotPermitted``.
    """
    db = database(request)
    with db.read() as conn:
        draft = draft_workflow.get(conn, code)
    move = _named(said.text("move"), actor)
    reason = said.text("reason")
    if reason is None:
        raise InputError(words.both("boundary_desk.say_why"))
    try:
        return _take(request, actor, draft, move, reason, said)
    except UsageError as error:
        raise InputError(error.sentence, **error.details) from error


def _named(name: str | None, actor: Actor) -> lifecycle.Move:
    life = lifecycle.load()["boundary_draft"]
    if name not in life.moves:
        raise InputError(f"There is no move {str(name)[:40]!r}; the moves are {', '.join(life.moves)}.")
    move = life.moves[name]
    if move.capability not in actor.capabilities:
        needed = words.both(f"capability.{move.capability}")
        raise NotPermitted(words.both("sentence.lacks", name=actor.name, capability=needed))
    return move


def _take(
    request: Request, actor: Actor, draft: Mapping[str, Any], move: lifecycle.Move, reason: str, said: Sent
) -> dict[str, Any]:
    db, limits, revision = database(request), limits_of(request, draft), said.whole("revision")
    if move.name == "announce":
        made = law_workflow.announce(
            db, draft["code"], _announcement(said), actor.name, reason=reason,
            store_dir=request.app.state.settings.store_dir, limits=limits,
            revision=revision,
        )  # fmt: skip
        return {"draft": made.draft, "state": move.to_state, "versions": made.delimitations, "replaces": made.replaces,
                "in_force_from": made.in_force_from.isoformat(), "reductions": [r.as_dict() for r in made.reductions]}  # fmt: skip
    moved = draft_move_workflow.move(
        db, draft["code"], move.name, actor.name, reason=reason, reasons=_reasons(said),
        countersign=said.text("countersign") or "", limits=limits,
            revision=revision,
    )  # fmt: skip
    return {"draft": moved.code, "state": moved.state, "revision": moved.revision,
            "reductions": [r.as_dict() for r in moved.reductions], "table_sha256": moved.table_sha256}  # fmt: skip


def _reasons(said: Sent) -> dict[str, str]:
    """Reasons by the number of the reduction: fields of a form, or an object of a program."""
    own = said.words.get("reasons")
    given = own if isinstance(own, dict) else {}
    typed = {k.removeprefix("reason-"): v for k, v in said.words.items() if k.startswith("reason-")}
    return {str(k): str(v).strip() for k, v in {**given, **typed}.items() if str(v).strip()}


def _announcement(said: Sent) -> Announcement:
    if said.attachment is None:
        raise InputError(words.both("boundary_desk.no_file"))
    announced = _day(said, "announced_on")
    return Announcement(
        government=_filled(said, "government"),
        document_no=_filled(said, "document_no"),
        publisher=_filled(said, "publisher"),
        announced_on=announced,
        in_force_from=_day(said, "in_force_from") if said.text("in_force_from") else announced,
        file=said.attachment,
    )


def _filled(said: Sent, name: str) -> str:
    value = said.text(name)
    if value is None:
        raise InputError(words.both("boundary_desk.fill_in", what=words.both(f"boundary_desk.{name}")))
    return value


def _day(said: Sent, name: str) -> date:
    try:
        return date.fromisoformat(_filled(said, name))
    except ValueError as error:
        what = words.both(f"boundary_desk.{name}")
        raise InputError(words.both("boundary_desk.no_day", what=what)) from error


def reductions(request: Request, conn: Connection, draft: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every reduction that the saved lines would be asked a reason for, by its number; ``InputError`` where they do not close."""
    try:
        found = redraw_workflow.reduced(conn, draft, limits_of(request, draft))
    except UsageError as error:
        raise InputError(error.sentence) from error
    return [{"number": n, "key": reduction_key(r.as_dict()), **r.as_dict()} for n, r in enumerate(found, 1)]


def reduction_key(said: Mapping[str, Any]) -> str:
    """What a reduction is known by while lines are still being drawn: river, bank and stretch to ten metres."""
    stretch = (round(said[k], -1) if said.get(k) is not None else "" for k in ("from_m", "to_m"))
    return "/".join(
        str(p) for p in (said.get("river_code") or said.get("river") or "", said.get("bank") or "", *stretch)
    )
