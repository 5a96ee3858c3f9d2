"""Map cards (地图卡片): one river or one lead on a page of a few kilobytes, a drawing and the facts, that opens on any phone. Register id G9.

No script, no tile, nothing fetched: the page can be handed on as a link or as one file. Without names of people and coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import shapely
from sqlalchemy import Connection

from rivergis import words
from rivergis.maps import case_map, features, leads, lists, palette, river_facts
from rivergis.maps.features import When
from rivergis.maps.night_picture import Dot, Pen, Picture
from rivergis.reports import morning
from rivergis.reports.sheet_below import km
from rivergis.river import store as river_store

GROUND = ("water_area", "boundary_line", "reach")
FINDING = "finding"


@dataclass(frozen=True)
class Card:
    """What a card says: title, the day it holds, facts (Chinese, English, value), the drawing as SVG, and the full page of it."""

    title: str
    on: date
    facts: list[tuple[str, str, Any]]
    svg: str
    href: str
    demo: bool
    draft: bool

    def html(self, *, served: bool, css: str = "") -> str:
        """The page; ``served``: linked from the service, else one file with its style inside."""
        page = morning.environment().get_template("card.html")
        return page.render(card=self, served=served, css=css)


def river(conn: Connection, code: str, on: date | None = None, namespace: str | None = None) -> Card:
    """The card of a river: length, lines, outfalls, leads that stand, and where they lie. ``NotFound`` for an unknown code."""
    at = features.when(conn, on)
    found = features.river(conn, code, at, namespace)
    head = river_facts.head(conn, found, at)
    lines = [x for x in river_facts.lines(conn, found, at) if x["standing"] == "in_force"]
    problems = river_facts.problems(conn, found, at)
    outfalls = river_facts.outfalls(conn, found, at)
    values = {
        "code": head["code"],
        "length_km": km(head["length_m"]),
        "lines": "、".join(dict.fromkeys(str(x["announce_doc_no"] or x["code"]) for x in lines))
        or words.both("sheet.none"),
        "outfalls": len(outfalls),
        "open_problems": len(problems),
        "warnings": "、".join(words.both(f"level.{x['level']}") for x in river_facts.warnings(conn, found, at)) or None,
    }
    facts = [(*words.pair(f"sheet.{k}"), v) for k, v in values.items() if v is not None]
    name = " ".join(p for p in (found.name, found.name_en) if p)
    svg = _river_picture(conn, found, at)
    demo, drafts = river_store.has_namespace(conn, "demo"), features.has_drafts(conn, at, found.scope)
    return Card(name, at.on, facts, svg, f"/maps/river/{head['code']}?namespace={head['namespace']}", demo, drafts)


def _river_picture(conn: Connection, found: features.River, at: When) -> str:
    if not found.scope.box:
        return ""
    frames = {noun: features.layer(conn, noun, at, found.scope) for noun in GROUND}
    styles = palette.load()
    frames = {n: f[f["river"] == found.name] if n != "water_area" else f for n, f in frames.items()}
    window = shapely.box(*found.scope.box)
    layers: list[tuple[Sequence[Any], Pen]] = [
        (list(shapely.intersection(f.geometry.values, window)), _pen(styles.of(n))) for n, f in frames.items()
    ]
    told = leads.standing(conn, at, scope=found.scope)
    spots = [(g.representative_point(), label) for g, label in zip(told.geometry, told["label"], strict=True)]
    colour = styles.of(FINDING).stroke[:7]
    return Picture(layers, [], [Dot(p.x, p.y, colour, 4.5, title=label) for p, label in spots]).svg()


def _pen(style: palette.Style) -> Pen:
    return Pen(style.stroke[:7], min(style.width, 2.0), style.fill[:7] or None, style.dash)


def lead(conn: Connection, finding_id: str) -> Card:
    """The card of a lead (线索): what, where along the river, why, and a drawing round it. ``NotFound`` for an unknown one."""
    at = features.when(conn)
    record = lists.lead(conn, finding_id, at)
    now = record["now"]
    wanted = {
        words.pair(f"page.{k}")
        for k in ("class", "status", "place", "village", "area", "position", "line_basis", "clause")
    }
    facts = [row for row in leads.lead_rows(now) if (row[0], row[1]) in wanted]
    facts.append((*words.pair("page.why"), record["why"][0]))
    title = f"{words.say('page.lead')} {words.say('class.' + str(now['class_code']))}"
    svg = case_map.draw(conn, str(record["finding"]["id"]), at)
    demo = river_store.has_namespace(conn, "demo")
    return Card(title, at.on, facts, svg, f"/findings/{record['finding']['id']}", demo, now["basis"] == "draft")
