"""Workbooks of shoreline function zones and uses (岸线功能区、岸线利用): tables as the screen shows them, with the counting rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl

from rivergis import words
from rivergis.boundary.shore.zone_files import Uses, Zones
from rivergis.reports import workbook
from rivergis.reports.writing import whole
from rivergis.river import chainage

Table = tuple[str, Sequence[str], list[list[Any]]]


def counting_words(found: Zones) -> str:
    """The counting rule of a share, in a sentence."""
    c = found.counting
    lines = words.both(f"choice.line_type.{c.line}")
    islands = "计入洲岛岸线 islands count" if c.islands else "不计洲岛岸线 islands do not count"
    gaps = "未划功能区岸段计入总长 stretches without a zone count" if c.gaps else "未划功能区岸段不计入总长 stretches without a zone do not count"  # fmt: skip
    return f"统计口径 counted: 沿{lines}量测,两岸合计 both banks,{islands},{gaps};重叠只计一次 an overlap counts once"


def wanted_words(found: Zones) -> str:
    """The share that is asked for, with the rule it rests on."""
    row = found.wanted
    if row is None:
        return "本地规则未要求比例 no rule here asks for a share"
    return f"要求 asked for: {row['value']:.0%}({row['basis']};{words.both('rule_status.' + row['status'])})"


def share_rows(found: Zones) -> list[list[Any]]:
    """A row a river, and the last for all."""
    wanted = found.wanted["value"] if found.wanted else None
    out = []
    for s in found.shares:
        whole_ = not s.river
        kept = f"{s.kept_least_m:.1f}" if s.kept_least_m == s.kept_most_m else f"{s.kept_least_m:.1f} – {s.kept_most_m:.1f}"  # fmt: skip
        name = "合计 all" if whole_ else s.river_name if s.river_name == s.river else f"{s.river_name} {s.river}"
        sizes = [round(x, 1) for x in (s.line_m, s.zoned_m, s.uncovered_m, s.overlap_m)]
        out.append([name, *sizes, kept, _share(s.least, s.most), words.both(f"zone_reached.{s.reaches(wanted)}")])
    return out


def _share(least: float | None, most: float | None) -> str:
    if least is None or most is None:
        return ""
    return f"{least:.1%}" if f"{least:.1%}" == f"{most:.1%}" else f"{least:.1%} – {most:.1%}"


def write_zones(found: Zones, path: Path) -> None:
    """Shares with their counting rule, zones as laid on the shoreline, what does not fit, and what was assumed."""
    share_columns = ("river", "line", "zoned", "uncovered", "overlap", "kept", "share", "reached")
    type_rows = [[s.river_name or "合计 all", _type(t), round(m, 1)] for s in found.shares for t, m in s.by_type_m.items() if m]  # fmt: skip
    laid = []
    for x in found.laid:
        shore = found.ground.shores[x.shore]
        ends = [chainage.label(shore.at_m(s)) for s in x.stretch]
        laid.append([shore.river_name, words.both(f"bank.{shore.bank}"), x.zone.name, _type(x.zone.kind), x.zone.given, *ends, round(x.length_m, 1)])  # fmt: skip
    defects = [
        [words.both(f"zone_defect.{d.code}"), d.river, words.both(f"bank.{d.bank}") if d.bank else None, _at(d.from_m), _at(d.to_m), _m(d.length_m), "、".join(d.zones), d.detail]
        for d in found.defects
    ]  # fmt: skip
    tables: list[Table] = [
        ("占比 share", share_columns, share_rows(found)),
        ("分类长度 by type", ("river", "type", "length"), type_rows),
        ("功能区 zones", ("river", "bank", "zone", "type", "given", "from", "to", "length"), laid),
        ("待看 to look at", ("matter", "river", "bank", "from", "to", "length", "zones", "detail"), defects),
    ]
    _write(path, [counting_words(found), wanted_words(found), *found.ground.told], tables)


def use_tables(found: Uses) -> list[Table]:
    """Permits against uses, uses in no permit, uses against the list of the line: title, columns, rows."""
    permits = [
        [p.permit, p.river, words.both(f"bank.{p.bank}"), _at(p.from_m), _at(p.to_m), round(p.permitted_m, 1), round(p.used_m, 1), f"{p.used_share:.0%}", None if p.observed_share is None else f"{p.observed_share:.0%}", "、".join(p.uses), words.both(f"use_judged.{p.judged}")]
        for p in found.permits
    ]  # fmt: skip
    outside = [[o.river, words.both(f"bank.{o.bank}"), _at(o.from_m), _at(o.to_m), round(o.length_m, 1), "、".join(o.uses)] for o in found.outside]  # fmt: skip
    uses = [
        [u["use"], u["kind"], u["river"], words.both(f"bank.{u['bank']}"), _at(u["from_m"]), _at(u["to_m"]), round(u["length_m"], 1), words.both(f"use_allowed.{u['allowed']}")]
        for u in found.uses
    ]  # fmt: skip
    aside = [[words.both(f"zone_defect.{d.code}"), "、".join(d.zones), _m(d.length_m), d.detail] for d in found.aside]
    return [
        ("许可与利用 permitted and used", ("permit", "river", "bank", "from", "to", "permitted", "used", "used_share", "observed", "uses", "judged"), permits),
        ("许可之外的利用·线索 used in no permit", ("river", "bank", "from", "to", "length", "uses"), outside),
        ("利用现状 uses", ("use", "kind", "river", "bank", "from", "to", "length", "allowed"), uses),
        ("未落到岸线 not on the shoreline", ("matter", "zones", "length", "detail"), aside),
    ]  # fmt: skip


def write_uses(found: Uses, path: Path) -> None:
    """The tables of ``use_tables`` as a workbook."""
    _write(
        path, ["均为待核线索,不作结论 all of it to be looked at, none of it a verdict", *found.said], use_tables(found)
    )


def _write(path: Path, said: Iterable[str], tables: Sequence[Table]) -> None:
    book = openpyxl.Workbook(write_only=True)
    workbook.add_table(book, "说明 about", ["说明 note"], [[s] for s in said])
    for title, columns, rows in tables:
        workbook.add_table(book, title[:31], [words.both(f"zone_column.{c}") for c in columns], rows)
    with whole(path) as part:
        workbook.write_fixed(book, part, datetime.now(UTC))


def _type(kind: str | None) -> str:
    return words.both(f"choice.zone_type.{kind}") if kind and kind != "unknown" else "不明 unknown"


def _at(at_m: float) -> str:
    return "" if at_m != at_m else chainage.label(at_m)


def _m(value: float) -> float | None:
    return None if value != value else round(value, 1)
