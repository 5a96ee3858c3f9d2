"""What came of looking at or importing files, as a page to print, a workbook to work off, or JSON: the same facts each.

The page is one file without any outside request. It takes the dicts that ``--json`` prints; a layer may carry two more
keys for its map, both in degrees and each a list of lines of (longitude, latitude): ``outline`` and ``rivers``.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import openpyxl
import pyproj
from markupsafe import Markup
from openpyxl.utils import get_column_letter

from rivergis import __version__, words
from rivergis import crs as crs_
from rivergis.errors import EnvironmentFault, UsageError, legible
from rivergis.maps.export_tables import text_cell
from rivergis.reports import intake_map, morning
from rivergis.reports.intake_map import Drawing, Mark
from rivergis.reports.writing import whole

SHANGHAI = ZoneInfo("Asia/Shanghai")
SEVERITIES = ("error", "warning", "info")
ENDINGS = (".html", ".json", ".xlsx")
# a page stays readable; what is left out is counted and stands in the workbook
SHOWN_DEFECTS, SHOWN_FIELDS = 500, 80
_PAIR = re.compile(r"\(\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*\)")
Facts = dict[str, Any]


def write_inspection(files: list[Facts], path: Path) -> None:
    """Write what ``inspect --json`` prints to ``path`` (.html, .json or .xlsx).

    Raises ``UsageError`` for another ending, ``EnvironmentFault`` where the file cannot be written.
    """
    _write(path, files, lambda: _page_of_inspection(files), lambda book: _book_of_inspection(book, files))


def write_import(results: list[Facts], path: Path) -> None:
    """Write what ``import --json`` prints to ``path`` (.html, .json or .xlsx); see ``write_inspection``."""
    _write(path, results, lambda: _page_of_import(results), lambda book: _book_of_import(book, results))


def check(path: Path | None) -> None:
    """Before long work: raises ``UsageError`` for an ending, ``EnvironmentFault`` for a folder that no report can have."""
    if path is not None and path.suffix.lower() not in ENDINGS:
        raise UsageError(f"{path.name}: a report ends in {', '.join(ENDINGS)}.")
    if path is not None and not path.absolute().parent.is_dir():
        raise EnvironmentFault(f"{path} cannot be written: there is no folder {path.parent}.")


def _write(path: Path, facts: list[Facts], page: Callable[[], str], fill: Callable[[Any], None]) -> None:
    check(path)
    ending = path.suffix.lower()
    with whole(path) as part:
        if ending == ".xlsx":
            book = openpyxl.Workbook(write_only=True)
            fill(book)
            book.save(part)
        else:
            text = page() if ending == ".html" else json.dumps(facts, ensure_ascii=False, indent=1, default=str)
            part.write_text(legible(text, keep="\n\t"), encoding="utf-8")


def adds_up(result: Facts) -> bool:
    """The law of every import: in = imported + unchanged + quarantined + skipped."""
    return bool(result["count_in"] == sum(result[k] for k in ("imported", "unchanged", "quarantined", "skipped")))


# the page


def _page_of_inspection(files: list[Facts]) -> str:
    sections = [
        {**f, "defects": _numbered(f.get("defects", [])), "layers": [_layer(x) for x in f["layers"]]} for f in files
    ]
    defects = [d for f in files for d in _all_defects(f)]
    tiles = [
        ("files", len(files), ""),
        ("unreadable", sum(f["error"] is not None for f in files), "new"),
        ("layers", sum(len(f["layers"]) for f in files), ""),
        ("features", sum(layer["count"] for f in files for layer in f["layers"]), ""),
    ]
    return _render("intake_inspection.html", files=sections, tiles=tiles, severities=_by_severity(defects))


def _page_of_import(results: list[Facts]) -> str:
    sections = [_result(r) for r in results]
    tiles = [(k, sum(r[k] for r in results), "new" if k == "quarantined" else "") for k in _COUNTS]
    found = [d for r in results for d in r.get("found", [])]
    return _render("intake_import.html", results=sections, tiles=tiles, severities=_by_severity(found))


_COUNTS = ("count_in", "imported", "unchanged", "quarantined", "skipped")


def _render(template: str, **facts: Any) -> str:
    env = morning.environment()
    env.globals.update(meaning=meaning, advice=advice, shown_defects=SHOWN_DEFECTS, shown_fields=SHOWN_FIELDS)
    now = datetime.now(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    return env.get_template(template).render(made_at=now, version=__version__, **facts)


def meaning(code: str) -> str:
    """What a defect code means in words, where the catalogue says it."""
    said = words.both(f"defect.{code}")
    return "" if said == code else said


def advice(code: str) -> str:
    """What a person does about a defect, in Chinese, where the catalogue says it."""
    said = words.say(f"advice.{code}")
    return "" if said == code else said


def _by_severity(defects: Sequence[Facts]) -> list[tuple[str, int]]:
    count = Counter(d["severity"] for d in defects)
    return [(s, count[s]) for s in SEVERITIES]


def _all_defects(file: Facts) -> list[Facts]:
    return [*file.get("defects", []), *(d for layer in file["layers"] for d in layer["defects"])]


def _numbered(defects: Sequence[Facts]) -> list[Facts]:
    """Worst first, each with its number in the list."""
    ranked = sorted(defects, key=lambda d: SEVERITIES.index(d["severity"]))
    return [{**d, "number": n + 1} for n, d in enumerate(ranked)]


def _layer(layer: Facts) -> Facts:
    defects = _numbered(layer["defects"])
    drawn, unplaced = _map_of_layer(layer, defects)
    return {**layer, "defects": defects, "map": drawn, "unplaced": unplaced, "certain": _certain(layer)}


def _certain(layer: Facts) -> bool:
    return layer["crs"]["verdict"] in ("declared", "recognised") and layer.get("extent_4490") is not None


def _map_of_layer(layer: Facts, defects: Sequence[Facts]) -> tuple[Markup | None, int]:
    """The layer's map and how many defects have no place on it; in the file's coordinates while the system is open."""
    certain = _certain(layer)
    box = _drawable(layer.get("extent_4490") if certain else layer.get("extent"))
    placed = [(d, _place_in_file(d)) for d in defects]
    if certain:
        bring = _bring(layer["crs"])
        placed = [(d, bring(*xy) if xy else None) for d, xy in placed]
    marks = [
        Mark(d["number"], d["severity"], *xy) for d, xy in placed if xy is not None and all(map(math.isfinite, xy))
    ]
    lines = (layer.get("outline") or (), layer.get("rivers") or ()) if certain else ((), ())
    if box is None or not (marks or any(lines)):  # an empty frame tells nothing
        return None, len(defects)
    return intake_map.svg(Drawing(box, marks, *lines, certain=certain)), len(defects) - len(marks)


def _drawable(box: Any) -> intake_map.Box | None:
    """An extent that can be drawn; None where it is missing or not of this world."""
    if box is None or not all(isinstance(v, (int, float)) and math.isfinite(v) and abs(v) < 1e12 for v in box):
        return None
    west, south, east, north = box
    return west, south, east, north


def _place_in_file(defect: Facts) -> tuple[float, float] | None:
    """The coordinates that a defect's place names, as the file has them."""
    found = _PAIR.search(str(defect.get("place") or ""))
    return (float(found[1]), float(found[2])) if found else None


def _bring(system: Facts) -> Callable[[float, float], tuple[float, float]]:
    """From the file's coordinates to degrees, by the verdict on its system."""
    code = str(system.get("epsg") or 4490).upper().removeprefix("EPSG:")
    to_degrees = crs_.into_storage(pyproj.CRS.from_user_input(f"EPSG:{code}"))

    def bring(x: float, y: float) -> tuple[float, float]:
        if system.get("axis") == "swapped":
            x, y = y, x
        lon, lat = to_degrees(np.array([[x, y]]))[0]
        return float(lon), float(lat)

    return bring


def _result(result: Facts) -> Facts:
    found = _numbered(result.get("found", []))
    placed = [d for d in found if d.get("lon") is not None and d.get("lat") is not None]
    marks = [Mark(d["number"], d["severity"], d["lon"], d["lat"]) for d in placed]
    given = _drawable(result.get("extent_4490"))
    box = given or _drawable(_box(marks))
    drawn = None
    if marks and box is not None:
        lines = (result.get("outline") or (), result.get("rivers") or ())
        drawing = Drawing(box, marks, *lines, extent=given is not None)
        drawn = intake_map.svg(drawing)
    unplaced = len(found) - len(marks) if drawn is not None else len(found)
    return {**result, "found": found, "map": drawn, "unplaced": unplaced, "sum": adds_up(result)}


def _box(marks: Sequence[Mark]) -> tuple[float, float, float, float] | None:
    if not marks:
        return None
    xs, ys = [m.x for m in marks], [m.y for m in marks]
    return min(xs), min(ys), max(xs), max(ys)


# the workbook


def _book_of_inspection(book: Any, files: list[Facts]) -> None:
    defects = [d for f in files for d in _all_defects(f)]
    totals = [(words.both(f"intake.{s}"), n) for s, n in _by_severity(defects)]
    _sheet(book, "summary", ("file", "format", "layers", "error_said"),
           [(f["file"], f["format"], len(f["layers"]), f["error"]) for f in files], totals)  # fmt: skip
    layers = [(f, x) for f in files for x in f["layers"]]
    _sheet(book, "layers", (
        "file", "layer", "kind", "count", "geometry_types", "encoding", "encoding_basis", "verdict", "epsg", "datum", "axis",
        "reasons", "extent_4490", "candidates",
    ), [_layer_row(f, x) for f, x in layers])  # fmt: skip
    _sheet(book, "fields", ("file", "layer", "field", "type", "samples"),
           [(f["file"], x["name"], c["name"], c["type"], " | ".join(map(str, c["samples"]))) for f, x in layers for c in x.get("fields", [])])  # fmt: skip
    rows = [(f["file"], "", d) for f in files for d in f.get("defects", [])]
    rows += [(f["file"], x["name"], d) for f, x in layers for d in x["defects"]]
    _sheet(book, "defects", _DEFECT_HEAD, [_defect_row(*row) for row in rows])


def _layer_row(file: Facts, layer: Facts) -> tuple[Any, ...]:
    crs = layer["crs"]
    candidates = "; ".join(
        f"EPSG:{c['epsg']} {c.get('datum', '')} {c.get('axis', '')}" for c in crs.get("candidates", [])
    )
    extent = ", ".join(f"{v:.6f}" for v in layer.get("extent_4490") or [])
    return (
        file["file"], layer["name"], words.both(f"intake.kind_{layer['kind']}"), layer["count"], ", ".join(layer["geometry_types"]),
        layer["encoding"], layer.get("encoding_basis"), words.both(f"crs_verdict.{crs['verdict']}"), crs["epsg"], crs["datum"],
        crs["axis"], "; ".join(crs["reasons"]), extent, candidates,
    )  # fmt: skip


_DEFECT_HEAD = ("file", "layer", "severity", "code", "meaning", "feature", "count", "place", "message", "action")


def _defect_row(file: str, layer: str, d: Facts) -> tuple[Any, ...]:
    place = d.get("place") or (f"{d['lon']:.7f}, {d['lat']:.7f}" if d.get("lon") is not None else "")
    features = ", ".join(map(str, d.get("features") or ([d["feature"]] if d.get("feature") is not None else [])))
    severity = words.both(f"intake.{d['severity']}")
    return (
        file,
        layer,
        severity,
        d["code"],
        meaning(d["code"]),
        features,
        d["count"],
        place,
        d["message"],
        d["action"],
    )


def _book_of_import(book: Any, results: list[Facts]) -> None:
    sums = [(words.both("intake.sum_right" if all(map(adds_up, results)) else "intake.sum_wrong"), "")]
    head = ("file", "source_layer", "layer", *_COUNTS, "source_crs", "known")
    _sheet(book, "summary", head, [
        (r["file"], r["source_layer"], r["layer"], *(r[k] for k in _COUNTS), r["source_crs"], _yes(r["known"])) for r in results
    ], sums)  # fmt: skip
    rows = [(r["file"], r["layer"], d) for r in results for d in r.get("found", [])]
    _sheet(book, "defects", _DEFECT_HEAD, [_defect_row(*row) for row in rows])


def _yes(value: bool) -> str:
    return words.both("intake.yes") if value else ""


def _sheet(
    book: Any, title: str, head: Sequence[str], rows: Sequence[Sequence[Any]], after: Sequence[Sequence[Any]] = ()
) -> None:
    """A sheet with its headings in Chinese and English, every text inert, columns as wide as what they hold."""
    table = book.create_sheet(words.say(f"intake.{title}"))
    table.freeze_panes = "A2"
    names = [words.both(f"intake.{h}") for h in head]
    for i, name in enumerate(names):
        longest = max([_width(name), *(_width(str(r[i])) for r in rows[:200] if r[i] is not None)])
        table.column_dimensions[get_column_letter(i + 1)].width = min(max(longest + 2, 8), 60)
    table.append([text_cell(table, name, bold=True) for name in names])
    for row in [*rows, *([()] if after else []), *after]:
        table.append(
            [v if isinstance(v, (int, float)) or v is None else text_cell(table, legible(str(v))[:32_000]) for v in row]
        )


def _width(text: str) -> int:
    return sum(2 if ord(c) > 0x2E80 else 1 for c in text)
