"""Who asks: one dependency, ``require``, that every route uses but health, sign-in and the front-end files.

A browser has a session cookie, a program a key (``Authorization: Bearer KEY``); both end in an ``Actor``.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.security import HTTPBearer

from rivergis import words
from rivergis.db import access, system
from rivergis.db.access import Actor
from rivergis.db.connect import Database
from rivergis.errors import NotPermitted, NotSignedIn
from rivergis.web import page
from rivergis.web.policy import Policy

COOKIE = "rivergis_session"
SAFE = ("GET", "HEAD", "OPTIONS")
PUBLIC = Actor("public", words.both("page.public_visitor"), frozenset(), public=True)
"""Whoever comes without signing in while the public part is shown (``RIVERGIS_PUBLIC``): may see what says so itself."""

router = APIRouter(include_in_schema=False)
# only names the scheme in the API documentation; the key itself is read in actor_of
_bearer = HTTPBearer(auto_error=False, description="rivergis user key NAME --name PURPOSE")


def database(request: Request) -> Database:
    """The database, read as whoever asks may: an account of one area sees nothing of others, whatever a route forgets."""
    db: Database = request.app.state.db
    actor: Actor | None = getattr(request.state, "actor", None)
    return db.within(actor.area) if actor is not None else db


@lru_cache(maxsize=32)
def require(capability: str | None = None) -> Callable[..., Actor]:
    """The dependency of a route: who asks, signed in and with the capability.

    Raises ``NotSignedIn`` or ``NotPermitted``, each with one sentence.
    """

    def guard(request: Request, _: Annotated[object, Depends(_bearer)]) -> Actor:
        actor = asking(request)
        if actor is None or actor.public:
            raise NotSignedIn(words.both("sentence.sign_in_first"))
        _not_too_often(request, actor, capability)
        if capability is not None and capability not in actor.capabilities:
            needed = words.both(f"capability.{capability}")
            raise NotPermitted(words.both("sentence.lacks", name=actor.name, capability=needed))
        return actor

    return guard


def visitor(request: Request) -> Actor:
    """The dependency of a route of the public part: who is signed in, or, while that part is shown, anybody."""
    actor = asking(request)
    if actor is None:
        raise NotSignedIn(words.both("sentence.sign_in_first"))
    who = address_of(request) if actor.public else actor.name
    request.app.state.limits.check(who, "public" if actor.public else "request")
    return actor


def asking(request: Request) -> Actor | None:
    """Who asks, looked up once a request; nobody where nobody signed in."""
    if not hasattr(request.state, "actor"):
        token = (request.headers.get("authorization", ""), request.cookies.get(COOKIE, ""))
        request.state.actor = who(request.app.state, token)
    actor: Actor | None = request.state.actor
    return actor


def address_of(request: Request) -> str:
    """Network address of the client, as a trusted proxy in front of the service tells it."""
    return request.client.host if request.client else ""


def _not_too_often(request: Request, actor: Actor, capability: str | None) -> None:
    kind = "request" if request.method in SAFE else "write"
    request.app.state.limits.check(actor.name, "export" if capability == "export" else kind)


def saw_patrols(request: Request, actor: Actor, what: str) -> None:
    """Record in the audit that somebody saw people with their patrols (a list, a report), as every look at them is."""
    with database(request).write(actor.name) as conn:
        system.audit(conn, actor.name, "view", f"patrols:{what}")


def actor_of(headers: Mapping[str, str], cookies: Mapping[str, str], conn: Any) -> Actor | None:
    """Who a key or a session belongs to. A key that is named must be good: no falling back to a cookie.

    ``headers``: names in lower case, or a mapping that does not mind.
    """
    scheme, _, said = headers.get("authorization", "").partition(" ")
    if scheme:
        return _of_key(scheme.lower(), said.strip(), conn)
    token = cookies.get(COOKIE)
    return access.of_session(conn, token) if token else None


def _of_key(scheme: str, said: str, conn: Any) -> Actor | None:
    """Who a key belongs to: ``Bearer KEY``, or ``Basic`` of user name and KEY for programs that know nothing else.

    QGIS 3.22, ArcMap and SuperMap can only send a name with a password: the key stands in the place of the password, and a
    sign-in password is never taken there.
    """
    if scheme == "bearer":
        return access.of_key(conn, said)
    if scheme != "basic":
        return None
    try:
        name, _, key = base64.b64decode(said, validate=True).decode().partition(":")
    except ValueError:
        return None
    found = access.of_key(conn, key)
    return found if found is not None and found.name == name else None


def challenge(headers: Mapping[str, str]) -> str:
    """What a 401 asks for: programs are offered Basic, too; a browser would put a window of its own before our page."""
    return "Bearer" if "sec-fetch-mode" in headers else 'Basic realm="rivergis", charset="UTF-8", Bearer'


def who(state: Any, token: tuple[str, str]) -> Actor | None:
    """Who asks a service (its ``app.state``): ``token`` is the header ``Authorization`` and the session cookie, each or ''.

    To be remembered for a minute at most: sessions end when they are not used, and keys on their day.
    """
    scheme, session = token
    found = None
    if scheme or session:
        with state.db.read() as conn:
            found = actor_of({"authorization": scheme} if scheme else {}, {COOKIE: session}, conn)
    # a key that is named must be good; a session that has ended leaves a visitor
    return PUBLIC if found is None and not scheme and state.settings.public else found


async def check_origin(request: Request) -> None:
    """Refuse what another site makes a signed-in browser send (CSRF): ``NotPermitted``.

    A request that changes something must come from our own pages; one without a cookie carries nobody's rights.
    """
    if request.method in SAFE or (COOKIE not in request.cookies and "origin" not in request.headers):
        return
    origin = request.headers.get("origin")
    if origin is not None:
        same = urlsplit(origin).netloc == request.headers.get("host")
    else:
        same = request.headers.get("sec-fetch-site") == "same-origin" or "authorization" in request.headers
    if not same:
        raise NotPermitted(words.both("sentence.origin"))


def local_path(target: str | None) -> str:
    """Where to go after signing in: a page of ours, never another site."""
    if not target or not target.startswith("/") or target[1:2] in ("/", "\\") or "\n" in target or "\r" in target:
        return "/"
    parts = urlsplit(target)
    return "/" if parts.scheme or parts.netloc else target


@router.get("/sign-in")
def sign_in_page(request: Request, next: str = "/") -> Response:
    """The form."""
    return page.render(request, "sign_in.html", next=local_path(next), problem=None)


@router.post("/sign-in")
def sign_in(
    request: Request,
    name: Annotated[str, Form(max_length=64)],
    password: Annotated[str, Form(max_length=1024)],
    next: Annotated[str, Form(max_length=2048)] = "/",
) -> Response:
    """A session for a right password; otherwise the form again with one sentence."""
    request.app.state.limits.check(address_of(request), "sign_in")
    policy: Policy = request.app.state.policy
    try:
        token = access.sign_in(request.app.state.db, name, password, policy.sessions, client_of(request))
    except NotSignedIn as error:
        if not page.wants_page(request):
            raise
        return page.render(request, "sign_in.html", error.http_status, next=local_path(next), problem=error.sentence)
    # what the browser came with ends: a token that somebody else put there opens nothing (session fixation)
    if COOKIE in request.cookies:
        access.sign_out(request.app.state.db, request.cookies[COOKIE])
    response = RedirectResponse(local_path(next), 303)
    give_cookie(request, response, token)
    return response


def client_of(request: Request) -> access.Client:
    """Where a sign-in comes from."""
    return access.Client(address_of(request), request.headers.get("user-agent", ""))


def give_cookie(request: Request, response: Response, token: str) -> None:
    """The session into the browser: no script reads it, no other site sends it along with a form, https keeps to https."""
    policy: Policy = request.app.state.policy
    response.set_cookie(
        COOKIE,
        token,
        max_age=policy.sessions.life_h * 3600,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


@router.post("/sign-out")
def sign_out(request: Request, _: Annotated[Actor, Depends(require())]) -> Response:
    """The session ends here and in the database."""
    token = request.cookies.get(COOKIE)
    if token:
        access.sign_out(database(request), token)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(COOKIE)
    return response
