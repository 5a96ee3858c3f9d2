"""A verdict's record in words: what an inspector reads, part by part, Chinese or English, from the record as it was stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rivergis import words

Record = Mapping[str, Any]
_UNIT = {"m2": "m²", "m3": "m³", "m": "m", "count": "", "ratio": ""}


def sentences(record: Record, lang: str = "zh") -> list[tuple[str, str]]:
    """(what it is about, what is said) of a record of ``Verdict.as_dict``; parts that say nothing are left out.

    The first part is the wording: 疑似问题线索 on an announced line only.
    """
    said = [("wording", words.say(record["wording"], lang))]
    said += [(name, text) for name, make in _PARTS.items() for text in make(record, lang) if text]
    return [(words.say(f"verdict_part.{name}", lang), text) for name, text in said]


def in_both(verdict: Record) -> list[tuple[str, str, str, str]]:
    """A stored verdict (its ``figures`` and ``rules``) part by part: name and what is said, Chinese and English; else empty.

    What is the same in both languages has no English.
    """
    kept = (verdict["figures"] or {}).get("verdict")
    if not kept:
        return []
    record = {**kept, "rules": verdict["rules"]}
    both = zip(sentences(record, "zh"), sentences(record, "en"), strict=True)
    return [(zh, en, said, "" if said == said_en else said_en) for (zh, said), (en, said_en) in both]


def _join(parts: Iterable[str], lang: str) -> str:
    return ("、" if lang == "zh" else ", ").join(p for p in parts if p)


def _class(r: Record, lang: str) -> Iterable[str]:
    yield _join((words.say(f"class.{r['class_code']}", lang), r["clause"]), lang)


def _word(r: Record, lang: str) -> Iterable[str]:
    word = r["word"]
    if word["word"]:
        listed = f" ({word['local_list']} {word['source']})" if word["local_list"] else ""
        yield f"{word['word']}{listed}" + (f" → {_join(word['groups'], lang)}" if word["groups"] else "")


def _severity(r: Record, lang: str) -> Iterable[str]:
    told = r["severity"]
    levels = _join((words.say(f"severity.{level or 'below'}", lang) for level in told["between"]), lang)
    state = words.say(f"severity.{told['level'] or ('below' if told['state'] == 'level' else told['state'])}", lang)
    why = words.say(f"severity_why.{told['why']}", lang)
    key = words.say(f"rule_key.{told['key']}", lang) if told["key"] else ""
    size = next((_value(v) for v in r["values"] if v["name"] == _measured_by(r)), "")
    yield " · ".join(p for p in (state, levels, why, key, size) if p)


def _measured_by(r: Record) -> str:
    """Name of the value that severity was told by."""
    unit = next((row["unit"] for row in r.get("rules", ()) if row["key"] == r["severity"]["key"]), None)
    return {"m2": "area", "m3": "volume", "m": "length", "count": "count"}.get(unit or "", "")


def _value(value: Record) -> str:
    error = f" ± {value['sigma']:g}" if value["sigma"] is not None else ""
    return f"{value['value']:g}{error} {_UNIT.get(value['unit'], value['unit'])}".strip()


def _period(r: Record, lang: str) -> Iterable[str]:
    told = r["built_period"]
    dates = f"{told['last_without'] or '…'} – {told['first_with'] or '…'}"
    bracket = f" ({dates})" if told["last_without"] or told["first_with"] else ""
    why = words.say(f"built_period_why.{told['why']}", lang)
    yield f"{words.say('built_period.' + told['period'], lang)} · {why}{bracket}"


def _stands_on(r: Record, lang: str) -> Iterable[str]:
    shares = {v["name"].removeprefix("share_"): v["value"] for v in r["values"] if v["name"].startswith("share_")}
    yield _join((f"{words.say('ground.' + g, lang)} {shares[g]:.0%}" for g in r["stands_on"]), lang)


def _law(r: Record, lang: str) -> Iterable[str]:
    for p in r["prohibitions"]:
        where = _join((words.say(f"ground.{z}", lang) for z in p["zone"]), lang)
        yield _asked(p, where, lang)


def _asked(row: Record, where: str, lang: str) -> str:
    condition = f" ({row['condition']})" if row.get("condition") else ""
    needs = words.say(f"needs.{row['needs']}", lang)
    who = words.say(f"authority.{row['competent_authority']}", lang) if "competent_authority" in row else ""
    subject = row.get("subject") or row.get("asks")
    return " · ".join(p for p in (where, f"{needs}: {subject}{condition}", row["clause"], who) if p)


def _zones(r: Record, lang: str) -> Iterable[str]:
    for z in r["zones"]:
        yield f"{z['name']} {words.say('zone_class.' + str(z['zone_class']), lang)} {z['share']:.0%} {z['doc_no'] or ''}".strip()


def _function_zones(r: Record, lang: str) -> Iterable[str]:
    for z in r["function_zones"]:
        yield _asked(z, f"{z['zh'] if lang == 'zh' else z['en']} {z['code']}", lang)


def _buffers(r: Record, lang: str) -> Iterable[str]:
    for b in r["buffers"]:
        limits = _join((f"{m:g} m" for m in b["limits_m"]), lang)
        yield f"{words.say('answer.' + b['within'], lang)} · {b['subject']} ({limits}) · {b['clause']}"


def _allowed(r: Record, lang: str) -> Iterable[str]:
    use = r["allowed_use"]
    if use:
        name = use["zh"] if lang == "zh" else use["en"]
        evidence = f" {use['evidence']}" if use["state"] == "needs_evidence" and use["evidence"] else ""
        yield f"{words.say('use_state.' + use['state'], lang)}{evidence} · {name} · {use['clause']}"


def _permits(r: Record, lang: str) -> Iterable[str]:
    for m in r["permit_match"]:
        answers = [
            f"{words.say('permit_part.' + part, lang)} {words.say('answer.' + m[part], lang)}"
            for part in ("content", "position", "limits")
        ]
        why = _join((words.say(f"permit_match.{w}", lang) for w in m["why"]), lang)
        off = "" if m["offset_m"] is None else f" · {m['offset_m']:g} m"
        outcome = words.say(f"permit_part.{m['outcome']}", lang)
        yield f"{m['permit']} {m['doc_no'] or ''}".strip() + f": {outcome} · {_join(answers, lang)} · {why}{off}"


def _position(r: Record, lang: str) -> Iterable[str]:
    values = {v["name"]: v for v in r["values"]}
    distance, band = values["distance_to_line"], values["edge_band"]["value"]
    parts = [words.say(f"position.{r['position']}", lang)]
    if distance["value"] is not None:
        parts.append(_value(distance))
    if band is not None:
        parts.append(words.say("sentence.edge_band", lang, band=f"{band:g}"))
    yield " · ".join(parts)


def _notes(r: Record, lang: str) -> Iterable[str]:
    yield _join((words.say(f"verdict_note.{n}", lang) for n in r["notes"]), lang)


def _unconfirmed(r: Record, lang: str) -> Iterable[str]:
    yield _join((words.say(f"rule_key.{k}", lang) for k in r["unconfirmed"]), lang)


_PARTS = {
    "class": _class,
    "word": _word,
    "severity": _severity,
    "built_period": _period,
    "position": _position,
    "stands_on": _stands_on,
    "law": _law,
    "zones": _zones,
    "function_zones": _function_zones,
    "buffers": _buffers,
    "allowed_use": _allowed,
    "permit_match": _permits,
    "notes": _notes,
    "unconfirmed": _unconfirmed,
}
