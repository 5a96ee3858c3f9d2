"""A recorded lead as a person reads it: where it is, what was found and on what that rests, night by night."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rivergis import words
from rivergis.cli import common
from rivergis.encroachment import verdict_words

Record = Mapping[str, Any]
_PLACE = ("river", "chainage", "town", "village")
_TOLD_ELSEWHERE = {*_PLACE, "bank", "chiefs", "verdict", "at_m", "river_code", "county"}


def tell(record: Record) -> None:
    """Print a record of ``store.record_of``: place, last verdict with its line, rules and software, sightings, moves."""
    for line in _head(record):
        common.say(line)
    if record["verdicts"]:
        for line in _verdict(record["verdicts"][-1], len(record["verdicts"])):
            common.say(line)
    nights = [
        (s["night"], words.both("status." + s["status"]), s["area_m2"], s["observed_share"])
        for s in record["sightings"]
    ]
    common.table(("夜次 night", "状态 status", "m²", "观测比例 observed"), nights)
    if record["events"]:
        moves = [
            (
                words.both(f"move.{e['move']}"),
                words.both(f"state.finding.{e['to_state']}"),
                e["reason"],
                e["actor"],
                common.beijing(e["recorded_at"]),
            )
            for e in record["events"]
        ]
        common.table(("事项 move", "状态 state", "理由 reason", "办理人 by", "时间 at"), moves, title="处置 moves")
    common.say(f"佐证 evidence: {len(record['evidence'])}; 全部记录 the whole record: --json")
    common.say(words.both("page.disclaimer"))


def _head(record: Record) -> Iterator[str]:
    lead = record["finding"]
    where = f"{lead['lon']:.6f}, {lead['lat']:.6f}"
    yield f"{str(lead['id'])[:8]} · {words.both('topic.' + lead['topic'])} · 首夜 first night {lead['first_night']} · {where}"
    figures = record["verdicts"][-1]["figures"] if record["verdicts"] else {}
    bank = [words.both("bank." + figures["bank"])] if figures.get("bank") else []
    place = [*(str(figures[k]) for k in _PLACE if figures.get(k)), *bank]
    if place:
        yield " ".join(place)
    chiefs = figures.get("chiefs") or ()
    if chiefs:
        yield "河长 chiefs: " + "、".join(f"{c['title']} {c['chief']}" for c in chiefs)


def _verdict(verdict: Record, count: int) -> Iterator[str]:
    figures = verdict["figures"]
    yield f"认定 verdict of {verdict['night']} ({count} 次 in all):"
    parts = verdict_words.in_both(verdict)
    for part, part_en, said, said_en in parts:
        yield f"  {part} {part_en}: {said}" + (f" | {said_en}" if said_en else "")
    if not parts:
        yield f"  {words.both('class.' + verdict['class_code'])}; {verdict['clause']}; {verdict['competent_authority']}; {verdict['our_action']}"
        yield "  " + "; ".join(f"{k} {v}" for k, v in figures.items() if k not in _TOLD_ELSEWHERE and v is not None)
    line = (figures.get("line_code"), figures.get("announce_gov"), figures.get("announce_doc_no"))
    yield f"  依据 basis: {words.both('basis.' + verdict['basis'])} " + " ".join(str(v) for v in line if v)
    unconfirmed = sorted({r["key"] for r in verdict["rules"] if r["status"] == "unconfirmed"})
    yield f"  规则 rules: {len(verdict['rules'])}, 未确认 unconfirmed: {', '.join(unconfirmed) or '–'}"
    engine = ", ".join(f"{k} {v}" for k, v in sorted(verdict["engine"].items()))
    yield f"  规则集 rule set {verdict['rule_set']}; 已知至 as known at {verdict['known_at']}; {engine}"
