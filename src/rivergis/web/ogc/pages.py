"""The OGC API for people: its documents as pages to read, every value escaped by the template."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rivergis import words
from rivergis.db.access import Actor
from rivergis.maps import features as shown_features
from rivergis.maps.collections import Collection
from rivergis.maps.ogc import sketch as ogc_sketch
from rivergis.maps.ogc.ask import Wanted
from rivergis.web import page

_WORDS = {
    ("finding", "class_code"): "class",
    ("finding", "state"): "state.finding",
    ("boundary_draft_line", "state"): "state.boundary_draft",
}
CELL = 200
"""Characters of a value in a table."""


def features(
    actor: Actor, shown: Collection, wanted: Wanted, found: Sequence[dict[str, Any]], *, total: int | None,
    ident: str | None, path: str, links: Sequence[Mapping[str, str]], files: Mapping[str, str],
) -> str:  # fmt: skip
    """A page of features, or one of them (``ident``)."""
    rows = [
        {
            "id": f["id"],
            "kind": (f["geometry"] or {}).get("type", "—"),
            "cells": [_cell(shown.id, c.name, f["properties"][c.name]) for c in wanted.fields],
        }
        for f in found
    ]
    named = {link["rel"]: link["href"] for link in links}
    return _render(
        "ogc_items.html", actor, path, shown=shown, wanted=wanted, rows=rows, total=total, ident=ident, links=named,
        files=files if "export" in actor.capabilities else {},
        sketch=ogc_sketch.sketch(found, wanted.place.north_first, wanted.place.degrees),
        geometry=json.dumps(found[0]["geometry"])[:20_000] if ident and found else None,
    )  # fmt: skip


def _cell(noun: str, column: str, value: Any) -> str:
    """A value as people read it: codes in words."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    if isinstance(value, (dict, list)):
        text = json.dumps(value, ensure_ascii=False)
    elif (noun, column) in _WORDS:
        text = words.both(f"{_WORDS[noun, column]}.{value}")
    else:
        text = str(shown_features.said(noun, column, value))
    return text if len(text) <= CELL else text[:CELL] + " …"


def document(actor: Actor, template: str, path: str, **values: Any) -> str:
    """A document of the API as a page."""
    return _render(template, actor, path, **values)


def _render(template: str, actor: Actor, path: str, **values: Any) -> str:
    # a visitor of the public part has no name and no menu
    return page.environment().get_template(template).render(actor=None if actor.public else actor, path=path, **values)
