"""What a redraw changes, on paper: the table of reductions to be countersigned (会签), rivers, what is concerned, maps.

Written as page, PDF, workbook, GeoPackage or JSON by the ending of the file; equal facts give equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
from openpyxl.styles import Border, Font, PatternFill, Side

from rivergis import __version__, words
from rivergis.boundary.redraw import told as diff_told
from rivergis.boundary.redraw.compare import Redraw
from rivergis.errors import EnvironmentFault, UsageError, legible
from rivergis.maps.export_tables import text_cell
from rivergis.reports import boundary_diff_map, morning, patrol_paper, workbook
from rivergis.reports.writing import whole

SHANGHAI = ZoneInfo("Asia/Shanghai")
ENDINGS = (".json", ".html", ".pdf", ".xlsx", ".gpkg")
SHOWN_ROWS = 200
MAPS = 12
"""Reductions that get a map of their own; the rest stand on the map of all and in the table."""
_SIGN = (
    "item_no", "river", "bank", "stretch", "m2", "width_m", "reason", "cases", "against", "place", "countersign_name", "countersign_sign",
    "countersign_date",
)  # fmt: skip
_SIGNERS = ("sign_drafted", "sign_reviewed", "sign_water", "sign_land", "sign_county")
_RED = "B3261E"


@dataclass(frozen=True)
class Table:
    """One table: key of its title, keys of its headings, rows as shown; ``red``: which rows stand out."""

    key: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    red: Sequence[bool] = ()
    note: str | None = None


def check(path: Path) -> None:
    """Before long work: ``UsageError`` for an ending that is not known, ``EnvironmentFault`` for a missing folder."""
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"{path.name}: write to a name that ends in {', '.join(ENDINGS)}.")
    if not path.absolute().parent.is_dir():
        raise EnvironmentFault(f"{path} cannot be written: there is no folder {path.parent}.")


def write(redraw: Redraw, path: Path, made_at: datetime) -> None:
    """Write a redraw by the ending of the file, whole or not at all; ``made_at``: moment up to which knowledge counts."""
    check(path)
    told = diff_told.told(redraw, shapes=path.suffix.lower() == ".json")
    if path.suffix.lower() == ".gpkg":
        _package(redraw, told, path)
        return
    make: dict[str, Callable[[Path], Any]] = {
        ".json": lambda at: at.write_text(
            legible(json.dumps(told, ensure_ascii=False, indent=1), keep="\n"), encoding="utf-8"
        ),
        ".html": lambda at: at.write_text(render(redraw, told, made_at), encoding="utf-8"),
        ".pdf": lambda at: at.write_bytes(patrol_paper.pdf(render(redraw, told, made_at))),
        ".xlsx": lambda at: _book(redraw, told, at, made_at),
    }
    with whole(path) as part:
        make[path.suffix.lower()](part)


def render(redraw: Redraw, told: dict[str, Any], made_at: datetime) -> str:
    """The paper as one page that asks nothing of any other machine."""
    page = morning.environment().get_template("boundary_diff.html")
    return page.render(
        told=told,
        tiles=_tiles(told),
        sign=_sign_table(told),
        signers=[words.pair(f"redraw.{s}") for s in _SIGNERS],
        maps=boundary_diff_map.panels(redraw, MAPS),
        legend=boundary_diff_map.legend(),
        tables=tables(redraw, told),
        about=_about(told, made_at),
        missing=[words.both(f"redraw.layer_{n}") for n in told["not_looked_at"]],
        shown=SHOWN_ROWS,
        drafted=_drafted(told),
        made_at=made_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M"),
    )


def _drafted(told: dict[str, Any]) -> bool:
    """Whether any side is no law: two days of the law are, everything else prints that it is an internal draft."""
    return "before" not in told["about"]


def _tiles(told: dict[str, Any]) -> list[tuple[str, Any, bool]]:
    total, reductions = told["total"], told["reductions"]
    cases = {c for r in reductions for c in r["cases"]}
    silent = sum(not r["reason"] for r in reductions)
    return [
        ("old_m2", total["old_m2"], False), ("new_m2", total["new_m2"], False), ("entering_m2", total["entering_m2"], False),
        ("leaving_m2", total["leaving_m2"], bool(reductions)), ("reductions", len(reductions), bool(reductions)),
        ("no_reason", silent, bool(silent)), ("open_cases", len(cases) if "case" in told["looked_at"] else None, bool(cases)),
    ]  # fmt: skip


def _sign_table(told: dict[str, Any]) -> Table:
    """The table to be countersigned: the last three columns are left for hands."""
    rows = [
        [
            r["no"], _river(r), _bank(r["bank"]), r["stretch"] or words.say("redraw.unknown"), r["m2"], r["width_m"],
            r["reason"] or words.say("redraw.reason_missing"), "、".join(r["cases"]), _against(r), f"{r['lon']:.6f}, {r['lat']:.6f}",
            "", "", "",
        ]
        for r in told["reductions"]
    ]  # fmt: skip
    return Table("sign", _SIGN, rows, [True] * len(rows))


def _river(row: dict[str, Any]) -> str:
    return str(row.get("river") or row["river_code"] or words.say("redraw.all_rivers"))


def _bank(bank: str | None) -> str:
    return words.say("redraw.unknown" if bank is None else "redraw.both" if bank == "both" else f"bank.{bank}")


def _against(reduction: dict[str, Any]) -> str:
    """What speaks against letting the ground go, in words with m2 and days; the gravest first."""
    out = []
    # what was filled was water: said once
    told = [c for c in reduction["codes"] if c != "former_water" or "filled" not in reduction["codes"]]
    for code in told:
        mine = [f for f in reduction["flags"] if f["code"] == code]
        size = sum(f["m2"] or 0 for f in mine) if code not in ("open_case", "object_stands", "new_object") else None
        names = "、".join(dict.fromkeys(str(f["feature"]) for f in mine if f["feature"]))[:80]
        days = sorted({str(f["since"]) for f in mine if f["since"]})[:3]
        more = "; ".join([*([f"{size:,.0f} m²"] if size else []), *([names] if names else []), *days])
        out.append(words.say(f"redraw.flag_{code}") + (f" ({more})" if more else ""))
    return "；".join(out)


def tables(redraw: Redraw, told: dict[str, Any]) -> list[Table]:
    """All tables but that of the signatures."""
    rivers = ("river", "river_code", "old_m2", "new_m2", "entering_m2", "leaving_m2", "taken_over_m2", "handed_over_m2", "noise_in_m2", "noise_out_m2")  # fmt: skip
    return [
        Table(
            "rivers", rivers, [[_river(r), *(r[c] for c in rivers[1:])] for r in told["rivers"]],
            note=words.both("redraw.noise_note", m=told["tolerance_m"]),
        ),
        _sums(told),
        _things(told),
        _flags(told),
        Table(
            "places", ("unit", "level", "entering_m2", "leaving_m2"),
            [[p["name"], p["level"], p["entering_m2"], p["leaving_m2"]] for p in told["places"]],
        ),
        _pieces(redraw, told),
        Table("said", ("feature", "reason"), [["、".join(map(str, s["features"][:5])), s["sentence"]] for s in told["said"]]),
    ]  # fmt: skip


def _sums(told: dict[str, Any]) -> Table:
    columns = ("layer", "kind", "change", "things", "m2", "length_m", "households", "households_unsaid")
    rows = [
        [_layer(s), s["kind"], _change(s), s["things"], s["m2"], s["length_m"], s["households"], s["unsaid"]]
        for s in told["sums"]
    ]
    return Table("sums", columns, rows, [_grave(s) for s in told["sums"]], words.both("redraw.households_note"))


def _things(told: dict[str, Any]) -> Table:
    columns = ("layer", "feature", "name", "kind", "change", "m2", "length_m", "thing_m2", "households", "was", "becomes", "river_code", "bank")  # fmt: skip
    rows = [
        [
            _layer(t), t["feature"], t["name"], t["kind"], _change(t) + (f" · {words.say('redraw.noise')}" if t["noise"] else ""), t["m2"],
            t["length_m"], t["thing_m2"], t["households"], words.say(f"redraw.{t['was']}"), words.say(f"redraw.{t['becomes']}"),
            t["river_code"], _bank(t["bank"]),
        ]
        for t in told["things"]
    ]  # fmt: skip
    return Table("things", columns, rows, [_grave(t) for t in told["things"]])


def _grave(row: dict[str, Any]) -> bool:
    return row["layer"] == "case" and row["change"] == "leaving"


def _flags(told: dict[str, Any]) -> Table:
    rows = [
        [r["no"], words.say(f"redraw.flag_{f['code']}"), f["feature"], f["since"], f["m2"]]
        for r in told["reductions"]
        for f in r["flags"]
    ]
    return Table("flags", ("item_no", "against", "feature", "since", "m2"), rows)


def _pieces(redraw: Redraw, told: dict[str, Any]) -> Table:
    columns = ("change", "river", "bank", "stretch", "m2", "width_m", "reason")
    names = {r["river_code"]: _river(r) for r in told["rivers"]}
    moved = redraw.changed.sort_values("m2", ascending=False)
    rows = [
        [
            words.say(f"redraw.{p.change}") + (f" ({names.get(p.other_river, p.other_river)})" if p.other_river is not None and p.other_river == p.other_river else ""),
            names.get(p.river_code, p.river_code), _bank(p.bank), p.stretch, round(p.m2, 1), round(p.width_m, 1), p.reason,
        ]
        for p in moved.itertuples()
    ]  # fmt: skip
    return Table("pieces", columns, rows)


def _layer(row: dict[str, Any]) -> str:
    return words.both(f"redraw.layer_{row['layer']}")


def _change(row: dict[str, Any]) -> str:
    return words.say(f"redraw.{row['change']}")


def _about(told: dict[str, Any], made_at: datetime) -> list[tuple[str, str]]:
    about = told["about"]
    rows = []
    if "draft" in about:
        rows.append((words.both("redraw.draft"), f"{about['draft']} · {about['title']} · {about['revision']}"))
    for side in ("old", "new"):
        if side in about:
            rows.append(
                (words.both(f"redraw.file_{side}"), f"{about[side]['file']} · SHA-256 {about[side]['sha256'][:16]}")
            )
    if "before" in about:
        rows.append((words.both("redraw.law"), f"{about['before']} → {about['after']}"))
    if about.get("old_day"):
        rows.append((words.both("redraw.old_day"), str(about["old_day"])))
    rows.append((words.both("redraw.measured"), ""))
    moment = made_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    return [*rows, (words.both("redraw.known_at"), f"{moment} (rivergis {__version__})")]


# ---- workbook and package ----------------------------------------------------------------------------------------------


def _book(redraw: Redraw, told: dict[str, Any], path: Path, made_at: datetime) -> None:
    book = openpyxl.Workbook(write_only=True)
    _sign_sheet(book, told)
    for table in tables(redraw, told):
        head = [words.both(f"redraw.{c}") for c in table.columns]
        workbook.add_table(book, words.say(f"redraw.table_{table.key}")[:31], head, table.rows)
    rows = [
        *_about(told, made_at),
        *((words.both("redraw.not_looked_at"), words.both(f"redraw.layer_{n}")) for n in told["not_looked_at"]),
    ]
    rules = [
        (f"{words.both('rule_key.' + r['key'])} [{r['key']}]", f"{r['value']} {r['unit'] or ''} · {r['basis']}")
        for r in told["about"]["rules"]
    ]
    workbook.add_table(
        book,
        words.say("patrol_report.table_about"),
        [words.both("patrol_report.item"), words.both("patrol_report.value")],
        [*rows, *rules],
    )
    workbook.write_fixed(book, path, made_at)


def _sign_sheet(book: Any, told: dict[str, Any]) -> None:
    """The table for signatures: every reduction in red, what is grave of it in bold, lines to sign in."""
    table = _sign_table(told)
    sheet = book.create_sheet(words.say("redraw.table_sign")[:31])
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = openpyxl.worksheet.properties.PageSetupProperties(fitToPage=True)
    for i, width in enumerate((6, 14, 12, 30, 12, 10, 24, 20, 48, 22, 14, 14, 14)):
        sheet.column_dimensions[openpyxl.utils.get_column_letter(i + 1)].width = width
    title = words.both("redraw.table_sign") + (f" · {words.say('redraw.mark')}" if _drafted(told) else "")
    sheet.append([text_cell(sheet, title, bold=True)])
    sheet.append([text_cell(sheet, words.both("redraw.sign_note"))])
    line = Side(style="thin", color="888888")
    sheet.append([_ruled(text_cell(sheet, words.both(f"redraw.{c}"), bold=True), line) for c in table.columns])
    for row, red in zip(table.rows, table.red, strict=True):
        sheet.append([_red(sheet, v, red, line, i) for i, v in enumerate(row)])
    if not table.rows:
        sheet.append([text_cell(sheet, words.both("redraw.nothing_reduced"))])
    sheet.append([])
    for signer in _SIGNERS:
        hands = [
            words.both("redraw.countersign_name"),
            "",
            words.both("redraw.countersign_sign"),
            "",
            words.both("redraw.countersign_date"),
            "",
        ]
        sheet.append([_ruled(text_cell(sheet, v), line) for v in (words.both(f"redraw.{signer}"), *hands)])


def _ruled(cell: Any, line: Side) -> Any:
    cell.border = Border(left=line, right=line, top=line, bottom=line)
    return cell


def _red(sheet: Any, value: Any, red: bool, line: Side, column: int) -> Any:
    cell = (
        openpyxl.cell.WriteOnlyCell(sheet, value)
        if isinstance(value, (int, float))
        else text_cell(sheet, legible(str(value)))
    )
    if red:
        cell.font = Font(color=_RED, bold=column in (6, 7, 8))
        cell.fill = PatternFill("solid", fgColor="FDECEB")
    cell.alignment = openpyxl.styles.Alignment(wrap_text=True, vertical="top")
    return _ruled(cell, line)


def _package(redraw: Redraw, told: dict[str, Any], path: Path) -> None:
    """Layers old, new, pieces, flags, things and a table of everything said."""
    from rivergis.boundary.redraw import make as diff_make
    from rivergis.river import files

    kinds = {"pieces": "Polygon", "flags": "Unknown", "things": "Unknown", "old": "Unknown", "new": "Unknown"}
    layers = []
    for name, frame in diff_make.to_storage(redraw).items():
        texts = {
            c: frame[c].map(lambda v: None if v is None or v != v else str(v))
            for c in frame.columns
            if frame[c].dtype == object and c != frame.geometry.name
        }
        layers.append((name, frame.assign(**texts), kinds[name]))
    files.write_package(path, layers, [("redraw", files.told_table(told))])
