"""Search on maps (搜索): rivers, names and codes of things, and chainages such as 云溪河 3+200.

Names are looked for in what is served (``cache.shape_<collection>``), within the area of whoever asks; crowds of things
without names of their own (footprints, fixes) answer to their whole code only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import shapely
from sqlalchemy import Connection

from rivergis import words
from rivergis.db.connect import read_frame, read_table
from rivergis.errors import RivergisError
from rivergis.maps import collections
from rivergis.maps.features import When
from rivergis.maps.things import EVERYTHING, Sight
from rivergis.river.calibration import Calibration
from rivergis.river.chainage import Axis

SHOWN = 20
LONGEST = 60
"""Letters of a question; more are not read."""
BY_CODE = ("candidate", "patrol_track", "boundary_draft_line", "report")
"""Collections of crowds, or of things without a name: found by their whole code."""
NAMELESS = ("coverage", "patrol_fix", "patrol_leg")
"""Collections whose rows have neither code nor name of their own: they answer to no search."""
FIRST = ("river", "admin_unit", "water_area", "source_zone", "outfall", "intake", "stake", "landmark", "finding")
"""Kinds that people look for come first."""
_CHAINAGE = re.compile(r"^(?P<river>.*?)\s*(?P<label>(?:桩号)?\s*[Kk]?\d{1,4}\s*[++]\s*\d{1,3}(?:\.\d+)?)$")

Found = dict[str, Any]


def find(conn: Connection, question: str, names: Sequence[str], at: When, sight: Sight = EVERYTHING) -> list[Found]:
    """Where is what is asked for? Up to ``SHOWN`` answers, the best first: label, note, place and bounds in degrees.

    ``names``: collections that the actor may see. A question that ends in a chainage is answered along the rivers it names,
    by their official chainage where stakes are known.
    """
    text = question.strip()[:LONGEST]
    if not text:
        return []
    measured = _CHAINAGE.match(text)
    if measured and "river" in names:
        found = _at_chainage(conn, measured["river"].strip(), measured["label"], at, sight)
        if found:
            return found
    return _things(conn, text, names, at.on, sight)


def _at_chainage(conn: Connection, river: str, label: str, at: When, sight: Sight) -> list[Found]:
    """The place of a chainage on every river of that name or code; without a name on all that are long enough."""
    if not river:
        return []
    axes = read_frame(
        conn,
        f"""SELECT r.code, r.name, a.origin_m, a.calibration, a.geom
        FROM app.axis_as_of(:on, :known) a JOIN app.river_as_of(:on, :known) r ON r.id = a.river_id
        JOIN cache.shape_river s ON s.id = r.id AND s.valid @> CAST(:on AS date)
        WHERE (r.name ILIKE :part ESCAPE '!' OR r.code = :whole) AND {sight.where("river")}
        ORDER BY r.name = :whole DESC, char_length(r.name), r.code LIMIT 8""",
        {**at.params, "part": _part(river), "whole": river, "area": sight.area},
    )
    placed = (_placed(row, label) for row in axes.to_dict("records"))
    return [found for found in placed if found is not None]


def _placed(row: dict[str, Any], label: str) -> Found | None:
    """One river's place of a chainage; none where the river does not reach so far."""
    calibration = Calibration.from_json(row["calibration"]) if row["calibration"] else Calibration()
    try:
        at_m = calibration.parse(re.sub(r"\s", "", label))
        spot: shapely.Point = Axis(row["geom"], float(row["origin_m"] or 0)).point_at(at_m)
    except RivergisError:
        return None
    zh, en = words.pair("paper_log.at")
    said = calibration.label(at_m)
    return {
        "kind": "chainage",
        "label": f"{row['name']} {said}",
        "note": f"{zh} {en}",
        "at": [round(spot.x, 6), round(spot.y, 6)],
        "popup": [[*words.pair("page.river"), row["name"]], [zh, en, said]],
    }


def _part(text: str) -> str:
    """A pattern for texts that hold ``text``, whatever signs it has."""
    return "%" + re.sub(r"([!%_])", r"!\1", text) + "%"


def _things(conn: Connection, text: str, names: Sequence[str], on: date, sight: Sight) -> list[Found]:
    named = [n for n in names if sight.named(n) and n not in NAMELESS]
    asked = [*(n for n in FIRST if n in named), *(n for n in named if n not in FIRST)]
    if not asked:
        return []
    query = " UNION ALL ".join(f"(SELECT * FROM ({_of_collection(n, i, sight)}) c{i})" for i, n in enumerate(asked))
    found = read_table(
        conn,
        f"""SELECT * FROM ({query}) x ORDER BY worth, turn, char_length(coalesce(label, code)), fid LIMIT :most""",
        {"part": _part(text), "whole": text, "on": on, "most": SHOWN, "area": sight.area},
    )
    return [_told(row) for row in found.to_dict("records")]


def _of_collection(name: str, turn: int, sight: Sight) -> str:
    """Things of one collection by code or name: exact ones, those that begin so, and the rest."""
    by_name = "" if name in BY_CODE else " OR s.label ILIKE :part ESCAPE '!' OR s.code ILIKE :part ESCAPE '!'"
    return f"""SELECT '{name}' AS collection, {turn} AS turn, s.fid, CAST(s.id AS text) AS id, s.code, s.label, s.cls, s.river,
      CASE WHEN s.code = :whole OR s.label = :whole THEN 0 WHEN starts_with(s.label, :whole) THEN 1 ELSE 2 END AS worth,
      ST_XMin(b.box) AS west, ST_YMin(b.box) AS south, ST_XMax(b.box) AS east, ST_YMax(b.box) AS north
    FROM {collections.collection(name).shapes} s
    CROSS JOIN LATERAL (SELECT ST_Transform(ST_Envelope(s.geom), 4490) AS box) b
    WHERE s.valid @> CAST(:on AS date) AND (s.code = :whole{by_name}) AND {sight.where(name)}
    ORDER BY worth, s.fid LIMIT {SHOWN}"""


def _told(row: dict[str, Any]) -> Found:
    kind = collections.collection(row["collection"])
    corners = [round(float(row[side]), 6) for side in ("west", "south", "east", "north")]
    label = row["label"] or row["code"] or kind.zh
    beside = [kind.zh, row["river"] if row["river"] and row["river"] not in label else None]
    beside.append(row["code"] if row["code"] and row["code"] not in label else None)
    return {
        "kind": "thing",
        "collection": row["collection"],
        "zh": kind.zh,
        "en": kind.en,
        "id": row["id"],
        "fid": int(row["fid"]),
        "cls": row["cls"],
        "label": label,
        "note": " · ".join(p for p in beside if p),
        "at": [round((corners[0] + corners[2]) / 2, 6), round((corners[1] + corners[3]) / 2, 6)],
        "bounds": corners,
    }
