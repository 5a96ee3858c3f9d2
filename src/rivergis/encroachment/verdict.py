"""What the law may call what was found, as one explained record: class, gravity, age, ground, zones, permits, position.

Pure: the same facts under the same rules give the same bytes, years later too. The machine says 疑似问题线索
(suspected lead) on announced lines only; people decide. Rules: gis/rules, classes and prohibitions: taxonomy.yaml.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rivergis.encroachment.facts import Facts, Value
from rivergis.encroachment.lawful import allowed_use, buffers, grounds_of
from rivergis.encroachment.permit_match import NO, YES, PermitMatch
from rivergis.encroachment.position import GROUNDS, Uncertainty, side, uncertainty
from rivergis.encroachment.severity import Measured, Period, Severity, built_period, grade
from rivergis.rules import Classified, RuleView, Taxon

__all__ = ["Facts", "Measured", "Value", "Verdict", "verdict"]

INFORMATION_ONLY = "仅提示"


@dataclass(frozen=True)
class Verdict:
    """The record; ``as_dict`` is JSON-ready and stable."""

    class_code: str
    group: str
    clause: str
    competent_authority: str
    our_action: str
    measure: str
    """Unit that a thing of this class is measured in: m, m2, m3 or count."""
    word: dict[str, Any]
    """The source's word, whether it is known, the local list and national groups it belongs to."""
    severity: Severity
    built_period: Period
    stands_on: tuple[str, ...]
    """Grounds it stands on: levee, berm, channel, beach, unknown."""
    prohibitions: tuple[dict[str, Any], ...]
    """What ground and source zones forbid or let pass by approval, with clause, authority and our action."""
    zones: tuple[dict[str, Any], ...]
    function_zones: tuple[dict[str, Any], ...]
    buffers: tuple[dict[str, Any], ...]
    allowed_use: dict[str, Any] | None
    permit_match: tuple[dict[str, Any], ...]
    position: str
    """inside, edge, outside or undecided."""
    wording: str
    """Key of the catalogue: ``verdict_wording.*``."""
    notes: tuple[str, ...]
    """What else must be said (catalogue group ``verdict_note``)."""
    values: tuple[Value, ...]
    rules: tuple[dict[str, Any], ...]
    """Every rule row that was asked for, in full."""
    line: dict[str, Any]
    sources: tuple[dict[str, Any], ...]

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """Rule keys it rests on whose value nobody has confirmed."""
        return tuple(sorted({r["key"] for r in self.rules if r["status"] == "unconfirmed"}))

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready form, stable: equal facts and rules give equal bytes."""
        record = asdict(self) | {"unconfirmed": self.unconfirmed}
        record["severity"]["said"] = self.severity.said
        plain: dict[str, Any] = json.loads(json.dumps(record, ensure_ascii=False, sort_keys=True, default=str))
        return plain


def verdict(facts: Facts, view: RuleView) -> Verdict:
    """The verdict on one object inside or near a line, under the rules of its place on that day.

    ``view`` also remembers every rule row that was asked for. Raises ``RuleError`` where a rule that is needed is missing.
    """
    own = view.apart()
    told = own.class_of(facts.kind, facts.word)
    taxon = _by_permit(told.taxon, facts.permits, own)
    off = _uncertainty(facts, own)
    where = side(facts.distance_m, off)
    grounds = grounds_of(facts, own)
    use = own.lawful_use(facts.kind, facts.word)
    allowed = allowed_use(use, facts.stand, grounds)
    record = Verdict(
        class_code=taxon.code,
        group=taxon.group_zh,
        clause=taxon.clause,
        competent_authority=taxon.competent_authority,
        our_action=_action(taxon, facts.basis, where, allowed),
        measure=taxon.measure,
        word=_word(told, facts.word),
        severity=grade(taxon, facts.measured, facts.gsd_m, own),
        built_period=built_period(facts.last_without, facts.first_with, own),
        stands_on=grounds,
        prohibitions=tuple(own.prohibitions(_where_it_lies(facts, grounds, where), taxon.code)),
        zones=tuple(_plain(asdict(z)) for z in facts.zones),
        function_zones=tuple(_plain(asdict(z)) | own.function_zone(z.zone_type) for z in facts.function_zones),
        buffers=buffers(taxon, facts, off, own),
        allowed_use=allowed,
        permit_match=tuple(_plain(asdict(m)) | {"outcome": m.outcome} for m in facts.permits),
        position=where,
        wording=_wording(facts.basis, where, allowed),
        notes=_notes(facts, told, taxon, off, own),
        values=_values(facts, off),
        rules=(),
        line=facts.line,
        sources=facts.sources,
    )
    view.remember(own)
    return Verdict(**{**record.__dict__, "rules": _rules(own)})


def _by_permit(taxon: Taxon, permits: tuple[PermitMatch, ...], view: RuleView) -> Taxon:
    """The class where a permit in force covers such a thing and its place or size is not kept (不按许可要求)."""
    if taxon.off_permit is None:
        return taxon
    not_kept = any(
        m.content == YES and "ended" not in m.why and (m.position == NO or "over_size" in m.why) for m in permits
    )
    return view.taxon(taxon.off_permit) if not_kept else taxon


def _uncertainty(facts: Facts, view: RuleView) -> Uncertainty:
    return uncertainty(
        view,
        source_kind=facts.source_kind,
        accuracy_m=facts.accuracy_m,
        gsd_m=facts.gsd_m,
        line_error_m=facts.line_error_m,
        survey_scale=facts.survey_scale,
    )


def _where_it_lies(facts: Facts, grounds: tuple[str, ...], where: str) -> set[str]:
    """Grounds and zones in the words of the prohibitions."""
    zones = {f"source_zone.{z.zone_class}" for z in facts.zones}
    inside = set() if where == "outside" else {"management_area", *grounds} - {"unknown"}
    return inside | zones | ({"source_zone"} if zones else set())


def _action(taxon: Taxon, basis: str, where: str, allowed: Mapping[str, Any] | None) -> str:
    """What the office may do: no more than a hint where nobody announced the line, it is not plainly inside, or the use is lawful."""
    lawful = allowed is not None and allowed["state"] == "allowed"
    return INFORMATION_ONLY if basis != "announced" or where != "inside" or lawful else taxon.our_action


def _wording(basis: str, where: str, allowed: Mapping[str, Any] | None) -> str:
    if allowed is not None and allowed["state"] == "allowed":
        return "verdict_wording.allowed"
    if where == "outside":
        return "verdict_wording.outside"
    if basis != "announced":
        return f"verdict_wording.{basis}"
    return "verdict_wording.lead" if where == "inside" else "verdict_wording.edge"


def _word(told: Classified, word: str | None) -> dict[str, Any]:
    found = told.word
    return {
        "word": word,
        "known": None if found is None else found.known,
        "told_by": told.told_by,
        "groups": [] if found is None else list(found.groups),
        "local_list": None if found is None else found.place,
        "source": None if found is None else found.source,
    }


def _notes(facts: Facts, told: Classified, taxon: Taxon, off: Uncertainty, view: RuleView) -> tuple[str, ...]:
    outcomes = {m.outcome for m in facts.permits}
    said = {
        "word_unknown": told.word is not None and not told.word.known,
        "word_several": told.word is not None and told.word.known and told.told_by == "kind" and not told.word.use,
        "kind_differs": told.differs,
        "across_channel": taxon.across,
        "size_not_measured": taxon.measure != "count" and taxon.measure not in facts.measured,
        "below_map_limit": _below_map_limit(facts, view),
        "line_error_unknown": off.line_m is None,
        "line_error_by_scale": off.told_by == "survey_scale",
        "ground_not_known": facts.stand.unknown > 0,
        **{f"permit_{o}": o in outcomes for o in ("matches", "differs", "open")},
        "acceptance_not_seen": any("acceptance_not_seen" in m.why for m in facts.permits),
        "permit_ended": any("ended" in m.why and m.content == YES for m in facts.permits),
        "not_announced": facts.basis != "announced",
    }
    return tuple(note for note, holds in said.items() if holds)


def _below_map_limit(facts: Facts, view: RuleView) -> bool:
    """Whether a patch is smaller than the specification of its source maps (遥感图斑最小面积)."""
    row = view.find("encroach.min_patch_area", source_kind=facts.source_kind)
    return row is not None and facts.area is not None and facts.area.value < float(row.value)


def _values(facts: Facts, off: Uncertainty) -> tuple[Value, ...]:
    sizes = [
        Value(name, _round(m.value), m.unit, _round(m.sigma))
        for name, m in zip(
            ("area", "volume", "length", "count"), (facts.area, facts.volume, facts.length, facts.count), strict=True
        )
        if m is not None
    ]
    shares = [Value(f"share_{g}", _round(getattr(facts.stand, g), 4), "ratio") for g in (*GROUNDS, "unknown")]
    return (
        *sizes,
        Value("distance_to_line", _round(facts.distance_m), "m", _round(off.sigma_m)),
        Value("line_error", _round(off.line_m), "m"),
        Value("source_error", _round(off.source_m), "m"),
        Value("edge_band", _round(off.band_m), "m"),
        Value("survey_scale", facts.survey_scale),
        Value("image_resolution", facts.gsd_m, "m"),
        *shares,
    )


def _round(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(float(value), digits)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Shares and offsets of a hit to four digits: noise of the last bit is no difference."""
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}


def _rules(view: RuleView) -> tuple[dict[str, Any], ...]:
    """Every row asked for once, in a fixed order."""
    rows = [r.as_dict() for r in {id(r): r for r in view.used}.values()]
    return tuple(sorted(rows, key=lambda r: json.dumps(r, ensure_ascii=False, sort_keys=True, default=str)))
