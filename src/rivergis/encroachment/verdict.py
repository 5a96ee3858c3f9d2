"""What the law may call what was found, as one explained record: class, gravity, age, ground, zones, permits, position.

Pure: the same facts under the same rules give the same bytes, years later too. The machine says 疑似问题线索
(suspected lead) on announced lines only; people decide. Rules: gis/rules, classes and prohibitions: taxonomy.yaml.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from rivergis.encroachment.permit_match import NO, NOT_TOLD, YES, PermitMatch
from rivergis.encroachment.position import (
    GROUNDS,
    FunctionZoneHit,
    Stand,
    Uncertainty,
    ZoneHit,
    side,
    uncertainty,
)
from rivergis.encroachment.severity import Measured, Period, Severity, built_period, grade
from rivergis.rules import AllowedUse, Classified, RuleView, Taxon

UNITS = ("m2", "m3", "m", "count")
INFORMATION_ONLY = "仅提示"


@dataclass(frozen=True)
class Facts:
    """All that a verdict rests on. None = not known, and is said to be."""

    kind: str
    """Kind of candidate: building, quarry, dump, occupation, net_pen, unknown."""
    basis: str
    """Basis of the line: announced, draft, surrogate, computed."""
    source_kind: str
    word: str | None = None
    """Sub-type in the source's own word, as delivered."""
    area: Measured | None = None
    volume: Measured | None = None
    length: Measured | None = None
    count: Measured | None = None
    gsd_m: float | None = None
    """Ground sample distance of the image it was taken from."""
    accuracy_m: float | None = None
    """Position error of the source, one sigma; None = by rule for the kind of source."""
    last_without: date | None = None
    """Civil day of the last image or visit that shows the place without it."""
    first_with: date | None = None
    stand: Stand = field(default_factory=Stand)
    zones: tuple[ZoneHit, ...] = ()
    function_zones: tuple[FunctionZoneHit, ...] = ()
    permits: tuple[PermitMatch, ...] = ()
    distance_m: float | None = None
    """To the line: positive = how deep its deepest part lies inside, negative = how far outside."""
    line_error_m: float | None = None
    """Position error of the line, one sigma, as delivered."""
    survey_scale: int | None = None
    """Denominator of the scale at which the line was surveyed."""
    water: str | None = None
    """main or tributary: main stem of the basin's river, or not."""
    line: dict[str, Any] = field(default_factory=dict)
    """Identity and version of the line, document and announcing government: kept in the record as given."""
    sources: tuple[dict[str, Any], ...] = ()

    @property
    def measured(self) -> dict[str, Measured]:
        """What was measured, by unit."""
        given = (self.area, self.volume, self.length, self.count)
        return {u: m for u, m in zip(UNITS, given, strict=True) if m is not None}


@dataclass(frozen=True)
class Value:
    """One explained value: what, how much, in which unit, with which one-sigma error."""

    name: str
    value: Any
    unit: str | None = None
    sigma: float | None = None


@dataclass(frozen=True)
class Verdict:
    """The record; ``as_dict`` is JSON-ready and stable."""

    class_code: str
    group: str
    clause: str
    competent_authority: str
    our_action: str
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
    grounds = _grounds(facts, own)
    use = own.lawful_use(facts.kind, facts.word)
    allowed = _allowed(use, facts.stand, grounds)
    record = Verdict(
        class_code=taxon.code,
        group=taxon.group_zh,
        clause=taxon.clause,
        competent_authority=taxon.competent_authority,
        our_action=_action(taxon, facts.basis, where, allowed),
        word=_word(told, facts.word),
        severity=grade(taxon, facts.measured, facts.gsd_m, own),
        built_period=built_period(facts.last_without, facts.first_with, own),
        stands_on=grounds,
        prohibitions=tuple(own.prohibitions(_where_it_lies(facts, grounds, where), taxon.code)),
        zones=tuple(_plain(asdict(z)) for z in facts.zones),
        function_zones=tuple(_plain(asdict(z)) | own.function_zone(z.zone_type) for z in facts.function_zones),
        buffers=_buffers(taxon, facts, off, own),
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


def _grounds(facts: Facts, view: RuleView) -> tuple[str, ...]:
    """Grounds that enough of it stands on to be told, and ``unknown`` where the data leave as much open."""
    least = view.number("encroach.min_overlap_area")
    area = None if facts.area is None or facts.area.value <= 0 else facts.area.value

    def counts(part: float | None) -> bool:
        return part is not None and part > 0 and (area is None or part * area >= min(least, area / 2))

    return tuple(g for g in (*GROUNDS, "unknown") if counts(getattr(facts.stand, g)))


def _where_it_lies(facts: Facts, grounds: tuple[str, ...], where: str) -> set[str]:
    """Grounds and zones in the words of the prohibitions."""
    zones = {f"source_zone.{z.zone_class}" for z in facts.zones}
    inside = set() if where == "outside" else {"management_area", *grounds} - {"unknown"}
    return inside | zones | ({"source_zone"} if zones else set())


def _allowed(use: AllowedUse | None, stand: Stand, grounds: tuple[str, ...]) -> dict[str, Any] | None:
    """The lawful use it may be: allowed, needs_evidence, or not_on_this_ground."""
    if use is None:
        return None
    elsewhere = use.only_on and "unknown" not in grounds and not set(use.only_on) & set(grounds)
    if elsewhere or set(use.never_on) & set(grounds):
        state = "not_on_this_ground"
    elif use.evidence or (use.only_on and "unknown" in grounds):
        state = "needs_evidence"
    else:
        state = "allowed"
    open_ground = [g for g in (*use.only_on, *use.never_on) if getattr(stand, g) is None]
    return asdict(use) | {"state": state, "ground_not_known": open_ground}


def _action(taxon: Taxon, basis: str, where: str, allowed: Mapping[str, Any] | None) -> str:
    """What the office may do: no more than a hint where nobody announced the line, it lies outside, or the use is lawful."""
    lawful = allowed is not None and allowed["state"] == "allowed"
    return INFORMATION_ONLY if basis != "announced" or where == "outside" or lawful else taxon.our_action


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


def _buffers(taxon: Taxon, facts: Facts, off: Uncertainty, view: RuleView) -> tuple[dict[str, Any], ...]:
    """Whether works that a basin's law keeps off the shoreline lie within its distance: yes, no, or not told."""
    row = view.buffer(taxon.code)
    if row is None:
        return ()
    waters = [facts.water] if facts.water else ["main", "tributary"]
    found = [view.find(row["rule"], basin=row["basin"], water=w) for w in waters]
    limits = sorted({float(r.value) for r in found if r is not None and r.value is not None})
    kept = {k: v for k, v in row.items() if k != "of"}
    return (kept | {"limits_m": limits, "within": _within(facts.distance_m, limits, off.band_m)},)


def _within(distance_m: float | None, limits_m: list[float], band_m: float | None) -> str:
    if distance_m is None or not limits_m:
        return NOT_TOLD
    if distance_m >= 0:
        return YES
    if band_m is None:
        return NOT_TOLD
    if -distance_m + band_m <= limits_m[0]:
        return YES
    return NO if -distance_m - band_m > limits_m[-1] else NOT_TOLD


def _notes(facts: Facts, told: Classified, taxon: Taxon, off: Uncertainty, view: RuleView) -> tuple[str, ...]:
    outcomes = {m.outcome for m in facts.permits}
    said = {
        "word_unknown": told.word is not None and not told.word.known,
        "word_several": told.word is not None and told.word.known and told.told_by == "kind" and not told.word.use,
        "kind_differs": told.differs,
        "across_channel": taxon.across,
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
    rows = {json.dumps(r.as_dict(), ensure_ascii=False, sort_keys=True, default=str): r.as_dict() for r in view.used}
    return tuple(rows[text] for text in sorted(rows))
