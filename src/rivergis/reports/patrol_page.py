"""One patrol on one page (巡河单次情况): the map, 达标 and 覆盖情况(参考) as two blocks, every stretch, and what is to be verified.

``render`` makes the same page for a patrol of the database and for a scoring of bare files (``patrol_file_page``).
Personal data: whoever shows it records that.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import Connection

from rivergis import words
from rivergis.db.connect import now_of
from rivergis.maps import atlas, features, patrols
from rivergis.maps.features import Scope
from rivergis.patrol import clean, match, review_workflow, store, workflow
from rivergis.reports import morning
from rivergis.river import store as river_store
from rivergis.river.chainage import Axis
from rivergis.rules import NATIONAL, RuleBook, RuleView, path_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
GROUND = ("admin_unit", "water_area", "landmark")
SHOWN_ROWS = 1000
NEAR = "near"
# figure -> unit, factor from the stored one, rule it is compared with for orientation
FIGURES: dict[str, tuple[str, float, str | None]] = {
    "minutes": ("min", 1.0, None),
    "metres": ("m", 1.0, None),
    "passage_metres": ("m", 1.0, None),
    "bank_metres": ("m", 1.0, None),
    "assigned_metres": ("m", 1.0, None),
    "assigned_bank_metres": ("m", 1.0, None),
    "share": ("%", 100.0, "patrol.coverage.min_share"),
    "bank_share": ("%", 100.0, None),
    "fast_share": ("%", 100.0, "patrol.coverage.fast_share"),
}


@dataclass(frozen=True)
class Told:
    """What a page tells of a patrol. ``standard``: tested rows; ``review``: questions with state and reply, None = not for this
    reader; ``thresholds``: rule row of each figure that has one, for orientation; the frames as ``patrols.draw`` takes them."""

    title_zh: str
    title_en: str
    facts: Sequence[tuple[tuple[str, str], Any]]
    figures: Mapping[str, Any]
    standard: Sequence[Mapping[str, Any]]
    legs: pd.DataFrame
    reaches: gpd.GeoDataFrame
    fixes: gpd.GeoDataFrame
    gap_s: float
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    review: Sequence[Mapping[str, Any]] | None = None
    ground: atlas.Layers = field(default_factory=dict)
    notes: Sequence[str] = ()


def render(told: Told, *, stamp: str | None = None, assets: str = "inline") -> str:
    """The page as HTML that asks nothing of any other machine; ``assets`` as in ``atlas``."""
    stops = told.figures.get("stops") or []
    return patrols.draw(
        told.legs,
        told.reaches,
        told.fixes,
        gap_s=told.gap_s,
        title_zh=told.title_zh,
        title_en=told.title_en,
        stops=pd.DataFrame(stops) if stops else None,
        ground=told.ground,
        below=_below(told),
        stamp=stamp,
        assets=assets,
    )


def _below(told: Told) -> str:
    stretches = _stretches(told)
    return (
        morning.environment()
        .get_template("patrol_below.html")
        .render(
            facts=told.facts,
            notes=told.notes,
            standard=[_tested(t) for t in told.standard],
            figures=_figures(told),
            modes=[(words.pair(f"patrol.mode_{m}"), v) for m, v in (told.figures.get("by_mode") or {}).items() if v],
            unseen=[(words.pair(f"unseen.{r}"), v) for r, v in (told.figures.get("unseen") or {}).items() if v],
            stretches=stretches[:SHOWN_ROWS],
            total=len(stretches),
            shown=SHOWN_ROWS,
            stops=[_stop(s, told.reaches) for s in told.figures.get("stops") or []],
            gaps=[_gap(g, told.reaches) for g in told.figures.get("unobserved") or []],
            review=told.review,
        )
    )


def _tested(row: Mapping[str, Any]) -> dict[str, Any]:
    threshold = row["threshold"]
    state = {True: "met", False: "not_met", None: "undecided"}[row.get("met")]
    return {
        "rule": words.pair(f"rule_key.{row['key']}"),
        "measured": row["measured"],
        "threshold": "、".join(map(str, threshold)) if isinstance(threshold, (list, tuple)) else threshold,
        "unit": row.get("unit") or "",
        "state": words.pair(f"patrol_report.outcome_{state}"),
        "near": bool(row.get("near")),
        "document": "; ".join(dict.fromkeys(str(d) for d in (row.get("basis"), row.get("document")) if d)),
    }


def _figures(told: Told) -> list[dict[str, Any]]:
    out = []
    for key, (unit, factor, rule) in FIGURES.items():
        value = told.figures.get(key)
        if value is None or (key.startswith("assigned") and not value):
            continue  # not measured, or nothing is assigned
        row = told.thresholds.get(rule) if rule else None
        near = set(told.figures.get(NEAR) or ())
        out.append(
            {
                "name": words.pair(f"patrol_report.figure_{key}"),
                "value": f"{value * factor:,.1f}",
                "unit": unit,
                "threshold": None if row is None else f"{float(row.value) * factor:,.10g} {unit}",
                "status": None if row is None else words.both(f"rule_status.{row.status}"),
                "near": bool(near & {key, rule}),
            }
        )
    return out


def _stretches(told: Told) -> list[dict[str, Any]]:
    """Every stretch, river by river and bank by bank, downstream."""
    grounds = told.reaches.drop(columns=told.reaches.geometry.name).to_dict("records")
    rows = []
    for leg in told.legs.reindex(columns=list(dict.fromkeys([*patrols.LEG, *told.legs.columns]))).to_dict("records"):
        reach = grounds[int(leg["reach"])]
        start = reach.get("at_m")
        at = 0.0 if start is None or pd.isna(start) else float(start)
        rows.append(
            {
                "order": (patrols.named(reach), str(leg["bank"]), at + leg["from_m"]),
                "seen": leg["why"] == patrols.SEEN,
                "river": patrols.named(reach),
                "bank": words.both(patrols.bank_word(leg)),
                "span": patrols.span_of(leg, reach),
                "metres": leg["to_m"] - leg["from_m"],
                "why": words.both(patrols.why_word(leg)),
                "at": patrols.clock(leg["started_at"], leg["ended_at"]),
                "mode": words.both(f"patrol.mode_{leg['mode']}") if isinstance(leg["mode"], str) else None,
                "speed": _known(leg["speed_ms"]),
                "passage": _known(leg["passage"]),
                "confidence": _known(leg["confidence"]),
            }
        )
    return sorted(rows, key=lambda r: r["order"])


def _known(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _where(reach_id: Any, from_m: float, to_m: float | None, reaches: gpd.GeoDataFrame) -> str:
    """A place on a reach as people find it: river and chainage where the reach is known."""
    for column in ("reach_id", "id", "code"):
        if column in reaches:
            own = reaches[reaches[column].astype(str) == str(reach_id)]
            if len(own):
                reach = own.drop(columns=own.geometry.name).iloc[0].to_dict()
                leg = {"from_m": from_m, "to_m": from_m if to_m is None else to_m}
                span = patrols.span_of(leg, reach)
                return f"{patrols.named(reach)} {span if to_m is not None else span.partition(' – ')[0]}"
    return "" if reach_id is None else str(reach_id)


def _stop(stop: Mapping[str, Any], reaches: gpd.GeoDataFrame) -> dict[str, Any]:
    return {
        "at": _moment(stop.get("at")),
        "minutes": stop["minutes"],
        "where": _where(stop.get("reach_id"), float(stop.get("at_m") or 0.0), None, reaches),
    }


def _gap(gap: Mapping[str, Any], reaches: gpd.GeoDataFrame) -> dict[str, Any]:
    speed = _known(gap.get("speed_ms"))
    return {
        "where": _where(gap.get("reach_id"), float(gap["from_m"]), float(gap["to_m"]), reaches),
        "metres": gap["to_m"] - gap["from_m"],
        "seconds": _known(gap.get("seconds")),
        "speed": None if speed is None else f"{speed:.1f} m/s ({speed * 3.6:.1f} km/h)",
    }


def _moment(value: Any) -> str:
    if value is None or pd.isna(value):
        return "—"
    moment = pd.Timestamp(value)
    return (moment if moment.tzinfo else moment.tz_localize("UTC")).tz_convert(SHANGHAI).strftime("%H:%M:%S")


def gap_s(at: pd.Series, watch: match.Watch) -> float:
    """Longest silence between two fixes that is not drawn as a gap: that of the scoring."""
    steps = at.diff().dt.total_seconds().dropna()
    return watch.silence_s(float(steps.median()) if len(steps) else np.nan)


def thresholds(view: RuleView) -> dict[str, Any]:
    """Rule rows that stand beside figures for orientation, where they hold a number."""
    rows = {rule: view.find(rule) for _, _, rule in FIGURES.values() if rule}
    return {k: r for k, r in rows.items() if r is not None and isinstance(r.value, (int, float))}


# ---- a patrol of the database ---------------------------------------------------------------------------------------


def of_track(conn: Connection, track_id: str, view: RuleView, *, review: bool) -> Told:
    """What a page tells of a patrol; ``review``: the reader is the duty person or the chief concerned. ``NotFound`` for no track."""
    row = patrols.patrol(conn, track_id)
    figures = row["figures"] or {}
    legs, reaches = patrols.legs(conn, row["track_id"])
    fixes = _fixes(conn, row["track_id"], figures, view)
    figures = {**figures, "stops": _on_reaches(figures.get("stops") or [], reaches)}
    zh, en = words.pair("map.patrol")
    return Told(
        f"{zh} · {_who_and_when(row)}",
        en,
        _facts(row),
        figures,
        row["standard"] or [],
        legs,
        reaches,
        fixes,
        gap_s(fixes["at"], match.watch_of(view.number)),
        thresholds=thresholds(view),
        review=_questions(conn, row["track_id"]) if review else None,
        ground=_ground(conn, row, legs, reaches),
        notes=_notes(row, fixes),
    )


REVIEW = review_workflow.REVIEW
"""The capability of the duty person."""


def is_demo(conn: Connection) -> bool:
    """Whether the data is fictional: every page of it is stamped."""
    return river_store.has_namespace(conn, "demo")


def may_review(conn: Connection, head: uuid.UUID, name: str, capabilities: Collection[str]) -> bool:
    """Whether a person sees what is to be verified: the duty person, or the chief whose patrol it is."""
    return REVIEW in capabilities or store.is_own(conn, head, name)


def page(conn: Connection, book: RuleBook, head: uuid.UUID, *, review: bool, assets: str = "inline") -> str:
    """HTML of the page of an outing, by the rules of the place and day; the caller records who saw it (``store.saw``)."""
    day = patrols.patrol(conn, str(head))["day"] or date.today()
    home = river_store.home(conn, day, now_of(conn)) or NATIONAL
    told = of_track(conn, str(head), book.at(path_of(home), day), review=review)
    return render(told, stamp=words.both("page.demo") if is_demo(conn) else None, assets=assets)


def _who_and_when(row: Mapping[str, Any]) -> str:
    start = row["started_at"]
    at = "" if start is None else pd.Timestamp(start).tz_convert(SHANGHAI).strftime("%H:%M")
    who = f"{words.say('level.' + row['level'])}{words.say('page.chief')} {row['chief']}" if row["chief"] else ""
    return " ".join(p for p in (str(row["day"] or ""), at, who) if p)


def _notes(row: Mapping[str, Any], fixes: gpd.GeoDataFrame) -> list[str]:
    notes = [] if row["result_id"] else [words.both("patrol.not_scored")]
    return notes + ([words.both("patrol.purged")] if row["purged_at"] and not len(fixes) else [])


def _facts(row: Mapping[str, Any]) -> list[tuple[tuple[str, str], Any]]:
    figures = row["figures"] or {}
    offset = figures.get("clock_offset_s")
    span = patrols.clock(row["started_at"], row["ended_at"])
    values = {
        "chief": f"{words.say('level.' + row['level'])} {row['chief']} {row['title'] or ''}" if row["chief"] else None,
        "day": f"{row['day']} {span or ''}" if row["day"] else None,
        "datum": figures.get("datum") or row["datum_used"],
        "clock": f"{offset:+,.0f} s" if offset else None,
        "fixes": row["fix_count"],
        "party": "、".join(str(p.get("person") or p.get("unit_code") or "") for p in figures.get("party") or [])
        or None,
        "rule_set": row["rule_set"],
        "track": str(row["track_id"]),
    }
    return [(words.pair(f"patrol_report.figure_{k}"), v) for k, v in values.items() if v is not None]


def _fixes(conn: Connection, head: uuid.UUID, figures: dict[str, Any], view: RuleView) -> gpd.GeoDataFrame:
    """The used fixes of all files of an outing where the scoring found them to lie; empty where they have been purged."""
    return patrols.used_points(workflow.shown(conn, head, figures, clean.limits_of(view.number)))


def _on_reaches(stops: Sequence[Mapping[str, Any]], reaches: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Stops with the point of the river line they are told at; those away from the water have none."""
    lines = {str(i): line for i, line in zip(reaches["id"], reaches.geometry, strict=True)}
    out = []
    for s in stops:
        line = lines.get(str(s.get("reach_id")))
        axis = None if line is None else Axis(line)
        at = None if axis is None else axis.point_at(min(max(float(s["at_m"]), 0.0), axis.end_m))
        out.append({**s, "lon": None if at is None else at.x, "lat": None if at is None else at.y})
    return out


def _questions(conn: Connection, head: uuid.UUID) -> list[dict[str, Any]]:
    """轨迹待核实: the questions in words, with state, replies and decision; their codes stay inside."""
    return [_question(q) for q in review_workflow.of_track(conn, head)]


def _question(asked: review_workflow.Asked) -> dict[str, Any]:
    return {
        "zh": asked.zh,
        "en": asked.en,
        "state": words.both(f"patrol_report.question_{asked.state}"),
        "replies": [(r["actor"], r["text"], _day_and_time(r["at"])) for r in asked.replies],
        "decided": asked.reason,
        "decided_at": _day_and_time(asked.decided_at),
        "gone": asked.gone,
    }


def _day_and_time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _ground(conn: Connection, row: Mapping[str, Any], legs: pd.DataFrame, reaches: gpd.GeoDataFrame) -> atlas.Layers:
    if legs.empty or row["day"] is None:
        return {}
    west, south, east, north = reaches.total_bounds
    pad = features.MARGIN_DEG
    scope = Scope(None, tuple(np.array([west - pad, south - pad, east + pad, north + pad]).tolist()))
    at = features.when(conn, row["day"])
    return {noun: features.layer(conn, noun, at, scope) for noun in GROUND}
