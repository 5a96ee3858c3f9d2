"""The own account (我的账号): where one is signed in, keys, a new password; everybody sees and ends the own ones only."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from rivergis.db import access, people, system
from rivergis.db.access import Actor
from rivergis.errors import NotSignedIn, RivergisError
from rivergis.web import auth, page
from rivergis.web.auth import require

router = APIRouter(include_in_schema=False)
SignedIn = Annotated[Actor, Depends(require())]
Word = Annotated[str, Form(max_length=1024)]


@router.get("/account", response_class=HTMLResponse)
def account(request: Request, actor: SignedIn) -> HTMLResponse:
    """Sessions and keys of whoever asks, with what they may do and where."""
    return _page(request, actor)


def _page(request: Request, actor: Actor, refused: RivergisError | None = None) -> HTMLResponse:
    # sessions and keys are no rows of an area: what is shown is the own account only
    with request.app.state.db.read() as conn:
        sessions, keys = access.sessions(conn, actor.name), access.keys(conn, actor.name)
    here = actor.by[1] if actor.by else None
    return page.render(
        request, "account.html", refused.http_status if refused else 200, sessions=sessions, keys=keys, here=here,
        problem=refused.sentence if refused else None, able=sorted(actor.capabilities),
    )  # fmt: skip


@router.post("/account/sessions/{session}/end")
def end_session(request: Request, actor: SignedIn, session: uuid.UUID) -> Response:
    """End one of the own sessions."""
    with request.app.state.db.write(actor.name) as conn:
        access.end_session(conn, actor.name, str(session))
    return RedirectResponse("/account", 303)


@router.post("/account/keys/end")
def end_key(request: Request, actor: SignedIn, name: Annotated[str, Form(max_length=200)]) -> Response:
    """End the own keys of a name."""
    with request.app.state.db.write(actor.name) as conn:
        access.revoke_key(conn, actor.name, name)
    return RedirectResponse("/account", 303)


@router.post("/account/password")
def password(request: Request, actor: SignedIn, old: Word, new: Word) -> Response:
    """A new password for who knows the old one; every session ends, and this browser signs in anew."""
    db, policy = request.app.state.db, request.app.state.policy
    request.app.state.limits.check(auth.address_of(request), "sign_in")
    try:
        # the same door as signing in: wrong ones are counted, and after some the name waits
        access.sign_in(db, actor.name, old, policy.sessions)
        with db.write(actor.name) as conn:
            people.set_password(conn, actor.name, new)
            system.audit(conn, actor.name, "password", actor.name)
    except RivergisError as error:
        if error.http_status >= 500:
            raise
        return _page(request, actor, NotSignedIn(error.sentence) if error.http_status == 401 else error)
    token = access.sign_in(db, actor.name, new, policy.sessions, auth.client_of(request))
    response = RedirectResponse("/account", 303)
    auth.give_cookie(request, response, token)
    return response
