"""Pages: templates of ``gis/pages`` with every value escaped, and what a browser may do with them."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from rivergis import words
from rivergis.maps import assets
from rivergis.maps.atlas import content_security_policy
from rivergis.reports import morning
from rivergis.settings import gis_dir

SHANGHAI = ZoneInfo("Asia/Shanghai")
ASSETS = "/assets"
# our own pages run no script and load nothing from elsewhere; style attributes place the bars of the patrol strips
POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

# the worker of the maps asks this service for tiles, and does nothing else
WORKER_POLICY = "default-src 'none'; connect-src 'self'"


def beijing(value: datetime | None) -> str:
    """A moment as people read it: Beijing time to the minute."""
    return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if value is not None else "—"


@lru_cache(maxsize=1)
def stylesheet() -> tuple[str, str]:
    """The one style sheet of pages and reports, and its hash."""
    sheet = (gis_dir() / "pages" / "style.css").read_text(encoding="utf-8")
    return sheet, hashlib.sha256(sheet.encode()).hexdigest()[:12]


def style_address() -> str:
    """Address of the style sheet, with its hash."""
    return f"{ASSETS}/style.css?v={stylesheet()[1]}"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates of the reports, with what pages need beside it."""
    env = morning.environment()
    env.globals.update(
        pair=words.pair,
        choice=words.choice,
        css=style_address(),
        icon=assets.url(assets.ICON, ASSETS),
    )
    env.filters["beijing"] = beijing
    return env


def text(request: Request, template: str, **values: Any) -> str:
    """A page for whoever asks; ``request.state.actor`` is who that is, if anybody."""
    actor = getattr(request.state, "actor", None)
    return environment().get_template(template).render(actor=actor, path=request.url.path, **values)


def render(request: Request, template: str, status_code: int = 200, **values: Any) -> HTMLResponse:
    """The page as an answer."""
    return HTMLResponse(text(request, template, **values), status_code)


def scripted(html: str, *more: str) -> HTMLResponse:
    """A page with scripts of its own, such as a Folium map: they are named by hash, and ``more`` policy is added."""
    policy = "; ".join((content_security_policy(html), "frame-ancestors 'none'", *more))
    return HTMLResponse(html, headers={"Content-Security-Policy": policy})


def scripted_form(html: str, status_code: int = 200) -> HTMLResponse:
    """A page with a script of its own and a form that it sends to us."""
    policy = content_security_policy(html).replace("form-action 'none'", "form-action 'self'")
    return HTMLResponse(html, status_code, headers={"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"})


def drawing(html: str, status_code: int = 200) -> HTMLResponse:
    """A page whose script asks our own API, with forms that it sends to us."""
    answer = scripted_form(html, status_code)
    answer.headers["Content-Security-Policy"] += "; connect-src 'self'"
    return answer


def wants_page(request: Request) -> bool:
    """A person with a browser rather than a program."""
    return "text/html" in request.headers.get("accept", "")
