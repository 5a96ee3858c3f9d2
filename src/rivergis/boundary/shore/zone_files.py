"""Function zones, shoreline lines and uses from files: tables of stretches (12+345) or layers in, findings and shares out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from pyproj import CRS

from rivergis import words
from rivergis.boundary.ground import bank_chains
from rivergis.boundary.ground.bank_chains import Chain, Reach
from rivergis.boundary.shore import function_zones, shore_files, shoreline
from rivergis.boundary.shore import use as shoreline_use
from rivergis.boundary.shore.function_zones import Counting, Defect, Laid, Limits, Share, Shore, Zone
from rivergis.boundary.shore.shoreline import LineDefect
from rivergis.boundary.shore.use import Outside, PermitUse, UseLimits
from rivergis.boundary.stake.numbers import LETTERS
from rivergis.errors import InputError
from rivergis.intake.delivery import Asked
from rivergis.river import chainage
from rivergis.rules import RuleView

_PLAN = {"reason": "zone_reason"}  # column of a zone -> role of a field where they differ
_LABEL = re.compile(r"[A-Za-z]{0,3}\d+\+\d{1,3}(?:\.\d+)?")


ZONE_COLUMNS = (
    "code", "name", "river_code", "river", "bank", "zone_type", "given_type", "from_m", "to_m", "length_m", "island", "plan_name",
    "reason", "measures", "approval_no", "geom",
)  # fmt: skip


@dataclass(frozen=True)
class ShoreAsked:
    """Files of a job: role (lines, reaches, zones, permits, uses, observed, management, waterside) -> file."""

    files: Mapping[str, Path | None]
    line_type: str = "outer"
    layers: Mapping[str, str | None] = field(default_factory=dict)
    crs: str | None = None
    encoding: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    """Further names of zones: word -> type."""


@dataclass(frozen=True)
class Ground:
    """What was read: the shores, reaches, layers, metric system, and what was assumed."""

    shores: list[Shore]
    reaches: list[Reach]
    read: dict[str, shore_files.Layer]
    zone: CRS
    said: list[str]

    @property
    def told(self) -> list[str]:
        return list(dict.fromkeys([*self.said, *(s for layer in self.read.values() for s in layer.said)]))


@dataclass(frozen=True)
class Zones:
    """Zones on their shores with all that does not fit, and the shares with their counting rule."""

    ground: Ground
    zones: list[Zone]
    laid: list[Laid]
    defects: list[Defect]
    shares: list[Share]
    counting: Counting
    wanted: Mapping[str, Any] | None
    """The rule row of the share, or None where no rule holds."""
    rules: list[dict[str, Any]]

    @property
    def figures(self) -> dict[str, Any]:
        """Counts of zones and findings, and lengths of all rivers."""
        whole = self.shares[-1] if self.shares else None
        codes = pd.Series([d.code for d in self.defects], dtype=object).value_counts()
        return {
            "zones": len(self.zones),
            "laid": len(self.laid),
            "line_m": round(whole.line_m, 1) if whole else 0.0,
            "zoned_m": round(whole.zoned_m, 1) if whole else 0.0,
            "uncovered_m": round(whole.uncovered_m, 1) if whole else 0.0,
            "overlap_m": round(whole.overlap_m, 1) if whole else 0.0,
            "defects": {str(k): int(v) for k, v in codes.items()},
        }


def ground(asked: ShoreAsked, view: RuleView) -> Ground:
    """Read all files and lay out the shoreline of each bank; raises ``InputError``, ``CrsRefused``, ``RuleError``."""
    read = shore_files.read_all(asked.files, asked.layers, Asked(None, asked.crs, None, asked.encoding))
    zone = shore_files.zone_of(read["lines"], read["reaches"])
    reaches = shore_files.reaches_in(read["reaches"], zone)
    said: list[str] = []
    lines = _chosen(read["lines"], zone, asked.line_type, said)
    chains = bank_chains.chains_of(lines, reaches, view.number("boundary.topology.min_gap"))
    shores = function_zones.shores_of(chains, lines["island"].to_dict())
    return Ground(shores, reaches, read, zone, said)


def _chosen(layer: shore_files.Layer, zone: CRS, line_type: str, said: list[str]) -> gpd.GeoDataFrame:
    """The lines of the type asked for; where there are none, the management lines stand for outer ones, and that is said."""
    lines = shore_files.lines_of(layer, zone, line_type)
    if lines.empty and line_type == "outer":
        lines = shore_files.lines_of(layer, zone, "management")
        said.append(words.both("zone_said.no_outer", file=layer.file))
    if lines.empty:
        raise InputError(f"{layer.file}, layer {layer.name} holds no line of type {line_type}.", file=layer.file)
    return lines


def zone_words(view: RuleView, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Names of zones at a place and what they mean: of the taxonomy, then of the rules of the place, then those given."""
    out: dict[str, str] = {t: t for t in function_zones.TYPES}
    for row in view.book.taxonomy["zone_aliases"]:
        out |= row["terms"]
    found = view.find("shoreline.zone_words")
    return {_word(k): v for k, v in {**out, **(found.value if found else {}), **(more or {})}.items()}


def _word(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()


def kind_of(word: str | None, known: Mapping[str, str]) -> str | None:
    """The type a word means: the word itself, else the longest known name it ends with (长江左岸保护区)."""
    said = re.sub(r"[\d(（【\[]*[)）】\]]*$", "", _word(word or ""))
    ends = [k for k in known if said == k or (said.endswith(k) and not k.isascii())]
    return known[max(ends, key=len)] if ends else None


def zones_in(layer: shore_files.Layer, zone: CRS, reaches: Sequence[Reach], known: Mapping[str, str]) -> list[Zone]:
    """Zones of a layer or a table of stretches; a river, bank or word that is not understood stays None."""
    given = layer.needed("zone_type")
    base = stretches_in(layer, zone, reaches, "zone_name")
    extra = {k: layer.values(_PLAN.get(k, k)) for k in ("plan_name", "reason", "measures", "approval_no")}
    empty = [i for i, row in base.items() if given[i] is None and _nowhere(row)]
    if empty:
        layer.said.append(
            f"{layer.file}: {len(empty)} rows have neither type nor stretch (totals, notes) and were left out."
        )
    return [
        Zone(
            **{**row, "kind": kind_of(given[i], known), "given": given[i] or ""},
            extra={k: v[i] for k, v in extra.items() if v[i]},
        )
        for i, row in base.items()
        if i not in empty
    ]


def _nowhere(row: Mapping[str, Any]) -> bool:
    return row["shape"] is None and pd.isna(row["from_m"]) and pd.isna(row["to_m"])


def stretches_in(
    layer: shore_files.Layer, zone: CRS, reaches: Sequence[Reach], name_role: str
) -> dict[Any, dict[str, Any]]:
    """Rows of a layer as stretches: name, river, bank, from_m, to_m, shape (metres), island."""
    rivers = shore_files.rivers_named(list(reaches))
    names, banks = layer.values(name_role), layer.choices("bank", "boundary_line", "bank")
    river = [c or r or h for c, r, h in zip(layer.values("river_code"), layer.values("river"), layer.values("reach_code"), strict=True)]  # fmt: skip
    both, island = layer.values("stretch"), layer.values("island")
    from_m, to_m = layer.metres("from_m"), layer.metres("to_m")
    shapes = layer.frame.geometry.to_crs(zone) if isinstance(layer.frame, gpd.GeoDataFrame) else {}
    only = reaches[0].river if len({r.river for r in reaches}) == 1 and not any(river) else None
    out = {}
    for n, i in enumerate(layer.frame.index):
        ends = [chainage.parse(x) for x in _LABEL.findall(unicodedata.normalize("NFKC", both[i]))] if both[i] else []
        a, b = (ends[0], ends[1]) if len(ends) == 2 and pd.isna(from_m[i]) else (float(from_m[i]), float(to_m[i]))
        shape = shapes.get(i) if len(shapes) else None
        out[i] = {
            "name": names[i] or f"{layer.file}#{i}",
            "river": rivers.get(river[n] or "", None) or only,
            "bank": banks[i],
            "from_m": a,
            "to_m": b,
            "shape": None if shape is None or shape.is_empty else shapely.force_2d(shape),
            "island": (island[i] or "").lower() in ("1", "true", "yes", "是", "有"),
        }
    return out


def zones(asked: ShoreAsked, view: RuleView, counting: Counting | None = None, rank: str | None = "important") -> Zones:
    """Zones of a file on the shoreline: what does not fit, and the share of protection and reserve zones of each river."""
    on = ground(asked, view)
    return zones_on(
        on, zones_in(on.read["zones"], on.zone, on.reaches, zone_words(view, asked.words)), view, counting, rank
    )


def zones_on(
    on: Ground, some: list[Zone], view: RuleView, counting: Counting | None = None, rank: str | None = "important"
) -> Zones:
    """Zones on a shoreline that was read: see ``zones``."""
    limits = Limits(view.number("shoreline.shortest_gap"), view.number("shoreline.use.beside"))
    laid, defects = function_zones.lay(some, on.shores, limits)
    defects += function_zones.fit(laid, on.shores, limits)
    counting = counting or counting_of(view)
    facts = {"river_rank": rank} if rank == "important" else {}
    wanted = view.find("shoreline.min_protected_share", **facts)
    return Zones(
        on,
        some,
        laid,
        sorted(defects, key=lambda d: (d.river, d.bank, d.from_m if d.from_m == d.from_m else -1.0, d.code)),
        function_zones.shares(laid, on.shores, counting),
        counting,
        wanted.as_dict() if wanted else None,
        [r.as_dict() for r in view.used],
    )


def counting_of(view: RuleView) -> Counting:
    """The counting rule of the place."""
    value = view.value("shoreline.counting").value
    return Counting(str(value["line"]), bool(value["islands"]), bool(value["gaps"]))


def zones_frame(found: Zones) -> gpd.GeoDataFrame:
    """Zones drawn on the shoreline, as ``rivergis import function_zone`` reads them; lines in metres. ``name`` is that of the plan."""
    rows = []
    for x in found.laid:
        shore = found.ground.shores[x.shore]
        a, b = (round(shore.at_m(s), 3) for s in x.stretch)
        code = f"{shore.river}-{LETTERS[shore.bank]}-{chainage.label(a)}" + ("-island" if shore.island else "")
        extra = {k: (x.zone.extra or {}).get(k) for k in ("plan_name", "reason", "measures", "approval_no")}
        rows.append(
            {
                "code": code, "name": x.zone.name, "river_code": shore.river, "river": shore.river_name, "bank": shore.bank,
                "zone_type": x.zone.kind, "given_type": x.zone.given, "from_m": a, "to_m": b,
                "length_m": round(x.length_m, 3), "island": shore.island, **extra, "geom": shapely.line_merge(shore.lines(x.stretch)),
            }
        )  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(ZONE_COLUMNS), dtype=object)
    frame = frame.astype({"from_m": float, "to_m": float, "length_m": float, "island": bool})
    again = frame.groupby("code").cumcount()
    frame["code"] = [c if n == 0 else f"{c}-{n + 1}" for c, n in zip(frame["code"], again, strict=True)]
    return gpd.GeoDataFrame(frame, geometry="geom", crs=found.ground.zone)


@dataclass(frozen=True)
class Lines:
    """What stands against the two lines, banks that lack one, and proposals (metres)."""

    defects: list[LineDefect]
    missing: dict[str, list[tuple[str, str]]]
    proposals: gpd.GeoDataFrame
    zone: CRS
    said: list[str]
    rules: list[dict[str, Any]]


def lines(asked: ShoreAsked, view: RuleView, propose: bool) -> Lines:
    """The outer and waterside lines against the management line, each of its own file or a type in one file."""
    read = shore_files.read_all(asked.files, asked.layers, Asked(None, asked.crs, None, asked.encoding))
    zone = shore_files.zone_of(read["lines"], read["reaches"])
    reaches = shore_files.reaches_in(read["reaches"], zone)
    snap = view.number("boundary.topology.min_gap")
    chains = {kind: _of_kind(kind, read, zone, reaches, snap) for kind in ("outer", "waterside", "management")}
    banks = _banks(read.get("banks"), zone, reaches, snap)
    found = shoreline.check_lines(chains["outer"], chains["waterside"], chains["management"], view.number("shoreline.line_tolerance"))  # fmt: skip
    every = [c for some in chains.values() for c in some]
    missing = {kind: shoreline.missing(some, every) for kind, some in chains.items()}
    made = [*shoreline.outer_from(_lacking(chains["management"], missing["outer"]))]
    made += shoreline.waterside_from(_lacking(banks, missing["waterside"]))
    said = [s for layer in read.values() for s in layer.said]
    return Lines(found, missing, _frame(made if propose else [], zone), zone, said, [r.as_dict() for r in view.used])


def _of_kind(
    kind: str, read: Mapping[str, shore_files.Layer], zone: CRS, reaches: list[Reach], snap_m: float
) -> list[Chain]:
    """Lines of one type: all of a file given for it, else those of that type in the first file."""
    own = read.get(kind)
    lines = shore_files.lines_of(own or read["lines"], zone)
    if own is None:
        lines = lines[lines["line_type"].fillna("management") == kind]
    return bank_chains.chains_of(lines.assign(line_type=kind), reaches, snap_m) if len(lines) else []


def _banks(layer: shore_files.Layer | None, zone: CRS, reaches: list[Reach], snap_m: float) -> list[Chain]:
    if layer is None:
        return []
    return bank_chains.chains_of(shore_files.lines_of(layer, zone).assign(line_type="waterside"), reaches, snap_m)


def _lacking(chains: Sequence[Chain], missing: Sequence[tuple[str, str]]) -> list[Chain]:
    return [c for c in chains if (c.river, c.bank) in missing]


def _frame(chains: Sequence[Chain], zone: CRS) -> gpd.GeoDataFrame:
    rows = {
        "code": [f"{c.river}-{c.bank}-{c.line_type}-{n + 1}" for n, c in enumerate(chains)],
        "river_code": [c.river for c in chains],
        "bank": [c.bank for c in chains],
        "line_type": [c.line_type for c in chains],
        "basis": ["draft"] * len(chains),
        "from_m": [c.from_m for c in chains],
        "to_m": [c.to_m for c in chains],
    }
    return gpd.GeoDataFrame(rows, geometry=[c.line for c in chains], crs=zone).rename_geometry("geom")


@dataclass(frozen=True)
class Uses:
    """Permits against uses, uses outside of permits, uses with what the line allows, and what could not be laid on the shoreline."""

    permits: list[PermitUse]
    outside: list[Outside]
    uses: list[dict[str, Any]]
    aside: list[Defect]
    said: list[str]
    rules: list[dict[str, Any]]


def uses(asked: ShoreAsked, view: RuleView) -> Uses:
    """Permitted against used shoreline of a file of permits and one of uses (or candidates); all of it to be looked at, no verdict."""
    on = ground(asked, view)
    beside = view.number("shoreline.use.beside")
    limits = Limits(view.number("shoreline.shortest_gap"), beside)
    share = UseLimits(
        view.number("shoreline.use.idle_share"),
        view.number("shoreline.use.little_share"),
        view.number("shoreline.use.observed_share"),
        limits.shortest_m,
    )
    some = {role: _of_role(on, role, name, beside) for role, name in (("permits", "permit_no"), ("uses", "use_name"), ("observed", "code"))}  # fmt: skip
    laid, aside = {}, []
    for role, zones_ in some.items():
        laid[role], told = function_zones.lay(zones_, on.shores, limits)
        aside += [d for d in told if d.code not in ("order_reversed", "off_line", "chainage_differs")]
        near = [x for x in laid[role] if _near(x, on.shores, beside)]
        if far := len(laid[role]) - len(near):
            on.said.append(words.both("zone_said.far", role=role, n=far, m=f"{beside:g}"))
        laid[role] = near
    seen = laid["observed"] if "observed" in on.read else None
    if seen is None:
        on.said.append(words.both("zone_said.no_observed"))
    return Uses(
        shoreline_use.of_permits(laid["permits"], laid["uses"], seen, on.shores, share),
        shoreline_use.outside(laid["permits"], laid["uses"], on.shores, share) if laid["permits"] else [],
        _judged(laid["uses"], on, view, asked.line_type),
        aside,
        on.told,
        [r.as_dict() for r in view.used],
    )


def _of_role(on: Ground, role: str, name: str, beside_m: float) -> list[Zone]:
    """Rows of a layer of uses or permits; a shape without a bank that lies beside both (a bridge) stands on each."""
    layer = on.read.get(role)
    if layer is None:
        return []
    kinds = layer.values("use_kind")
    out = []
    for i, row in stretches_in(layer, on.zone, on.reaches, name).items():
        zone = Zone(**{**row, "kind": function_zones.USE, "given": kinds[i] or ""})
        sides = _sides(zone, on.shores, beside_m) if zone.bank is None and zone.shape is not None else []
        out += [replace(zone, river=r, bank=b) for r, b in sides] or [zone]
    return out


def _sides(zone: Zone, shores: Sequence[Shore], beside_m: float) -> list[tuple[str, str]]:
    near = [s for s in shores if zone.river in (None, s.river) and s.off_m(zone.shape) <= beside_m]
    return sorted({(s.river, s.bank) for s in near})


def _near(x: Laid, shores: Sequence[Shore], beside_m: float) -> bool:
    """Whether a use lies along its shoreline: between it and the river, or no farther off than ``beside_m``."""
    shape = x.zone.shape
    return shape is None or shores[x.shore].off_m(shape) <= beside_m or shores[x.shore].riverward(shape)


def _judged(laid: Sequence[Laid], on: Ground, view: RuleView, line_type: str) -> list[dict[str, Any]]:
    """Uses with their stretch, and whether the list of allowed uses of the line type names them."""
    found = view.find("shoreline.allowed_uses", line_type=line_type)
    out = []
    for x in laid:
        shore = on.shores[x.shore]
        a, b = (shore.at_m(s) for s in x.stretch)
        told = shoreline_use.allowed(x.zone.given, found.value) if found else "no_list"
        out.append({"use": x.zone.name, "kind": x.zone.given, "river": shore.river, "bank": shore.bank, "from_m": a, "to_m": b, "length_m": x.length_m, "allowed": told})  # fmt: skip
    return out
