"""The one door for moves over HTTP, from pages and programs alike: who may, what was seen last, and what is said."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import Request

from rivergis import lifecycle, words
from rivergis.db.access import Actor
from rivergis.encroachment import case_store, life_workflow
from rivergis.encroachment.life_workflow import Evidence, Step
from rivergis.errors import InputError, NotFound, NotNow, NotPermitted, UsageError
from rivergis.web import case_sent, scope
from rivergis.web.auth import database
from rivergis.web.case_sent import Sent
from rivergis.web.patrol_upload import of_the_sender


def take(request: Request, actor: Actor, finding_id: str, said: Sent, *, must_say_seen: bool = False) -> Step:
    """Take the move that is said, if the case still stands as its sender saw it.

    ``said``: move, reason, last_event (number of the last event seen, 0 = none), and the detail of the move; ``must_say_seen``: a form
    that does not carry it is none of ours. Raises ``NotFound`` (404), ``NotPermitted`` (403), ``NotNow`` (409), ``InputError`` (422).
    """
    move = said.text("move") or ""
    life = lifecycle.load()["finding"]
    if move not in life.moves:
        raise InputError(f"There is no move {move[:40]!r}; the moves are {', '.join(life.moves)}.")
    capability = life.moves[move].capability
    if capability not in actor.capabilities:
        raise NotPermitted(
            words.both("sentence.lacks", name=actor.name, capability=words.both(f"capability.{capability}"))
        )
    try:
        seen = said.whole("last_event")
        if seen is None and must_say_seen:
            raise InputError(words.both("desk.not_seen"))
        detail, proof = case_sent.detail(said), evidence(said)
        return _take(request, actor, uuid.UUID(finding_id), move, seen, said, detail, proof)
    except (UsageError, InputError) as error:
        raise _of_what_was_said(error) from error


def _take(
    request: Request,
    actor: Actor,
    case_id: uuid.UUID,
    move: str,
    seen: int | None,
    said: Sent,
    detail: dict[str, Any],
    proof: list[Evidence],
) -> Step:
    life = lifecycle.load()["finding"]
    scope.own_case(request, str(case_id))
    into = said.text("into") or said.text("into_near")
    if into is not None:
        detail["into"] = str(scope.own_case(request, into))
    with database(request).write(actor.name) as conn:
        # both at once and in one order, so that two merges the other way round do not wait for each other
        case_store.lock(conn, case_id, detail.get("into"))
        past = case_store.events(conn, case_id)
        last, state = (past[-1]["seq"], past[-1]["to_state"]) if past else (0, life.start)
        if seen is not None and seen != last:
            raise NotNow(words.both("desk.stale"), seen=seen, last_event=last, state=state)
        if state not in life.moves[move].from_states:
            raise NotNow(_not_from(life, state, move), seen=seen, last_event=last, state=state)
        return life_workflow.step(
            conn,
            case_id,
            move,
            actor.name,
            reason=said.text("reason"),
            attachment=said.attachment,
            store_dir=request.app.state.settings.store_dir,
            detail=detail,
            evidence=proof,
        )


def _not_from(life: lifecycle.Lifecycle, state: str, move: str) -> str:
    allowed = "、".join(words.both(f"move.{m}") for m in life.allowed(state)) or "—"
    return words.both(
        "desk.not_from",
        state=words.both(f"state.finding.{state}"),
        move=words.both(f"move.{move}"),
        allowed=allowed,
    )


def evidence(said: Sent) -> list[Evidence]:
    """Pictures of a form: place and time typed beside them are said of all of them."""
    lon, lat = said.degrees("lon"), said.degrees("lat")
    datum = said.text("datum") or "wgs84"
    if (lon is None) != (lat is None):
        raise InputError(words.both("desk.half_place"))
    at = case_sent.moment(said.text("at"))
    return [Evidence(path, lon, lat, at, datum) for path in said.evidence]


def _of_what_was_said(error: UsageError | InputError) -> InputError:
    """A refusal of what was sent, without places of ours; what is not there stays 404."""
    if isinstance(error, NotFound):
        return error
    return of_the_sender(error if isinstance(error, InputError) else InputError(error.sentence, **error.details))
