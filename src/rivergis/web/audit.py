"""For auditors (安全审计): the log of views, the audit of what was done, and what an auditor found; others reply to it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request

from rivergis.db import access_log, remarks
from rivergis.db.access import Actor
from rivergis.web.auth import database, require

router = APIRouter(prefix="/api/audit", tags=["audit"])
Auditor = Annotated[Actor, Depends(require("read_audit"))]
Finder = Annotated[Actor, Depends(require("write_audit_findings"))]
View = Annotated[Actor, Depends(require("view"))]
Said = Annotated[str, Body(embed=True, min_length=1, max_length=remarks.LONGEST)]
Moment = Annotated[datetime | None, Query(description="With a time zone; default: the last day")]


@router.get("/accesses")
def accesses(
    request: Request,
    _: Auditor,
    since: Moment = None,
    until: Moment = None,
    actor: Annotated[str | None, Query(max_length=64, description="Only this account")] = None,
    what: Annotated[str | None, Query(max_length=200, description="Part of the path or collection")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> list[dict[str, Any]]:
    """访问日志: who saw or took what, by minute, the latest first."""
    end = _aware(until) or datetime.now(UTC) + timedelta(minutes=1)
    with database(request).read() as conn:
        return access_log.asked(
            conn, _aware(since) or end - timedelta(days=1), end, actor=actor, what=what, limit=limit
        )


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


@router.get("/findings")
def findings(
    request: Request, _: View, open_only: Annotated[bool, Query(alias="open")] = False
) -> list[dict[str, Any]]:
    """审计发现: what auditors found, with replies."""
    with database(request).read() as conn:
        return remarks.listed(conn, open_only=open_only)


@router.post("/findings", status_code=201)
def find(
    request: Request,
    actor: Finder,
    about: Annotated[str, Body(description=", ".join(remarks.ABOUT))],
    said: Said,
    ref: Annotated[str, Body(max_length=200, description="Its number, code or id")] = "",
) -> dict[str, Any]:
    """Record what was found; nobody changes or removes it."""
    with database(request).write(actor.name) as conn:
        return {"id": str(remarks.find(conn, about, ref, said, actor.name, actor.area))}


@router.post("/findings/{remark}/replies", status_code=201)
def reply(request: Request, actor: View, remark: uuid.UUID, said: Said) -> dict[str, Any]:
    """Reply to what an auditor found."""
    with database(request).write(actor.name) as conn:
        remarks.reply(conn, remark, said, actor.name)
    return {"id": str(remark), "by": actor.name}


@router.post("/findings/{remark}/close", status_code=201)
def close(request: Request, actor: Finder, remark: uuid.UUID, said: Said) -> dict[str, Any]:
    """Close the matter; an auditor does."""
    with database(request).write(actor.name) as conn:
        remarks.reply(conn, remark, said, actor.name, closes=True)
    return {"id": str(remark), "closed_by": actor.name}
