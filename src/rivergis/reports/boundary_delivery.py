"""A delimitation as it is handed over (划界成果): SHP by zone, GeoPackage, DXF, coordinate tables, metadata and check sums in one folder.

The GeoPackage keeps our codes and EPSG:4490; what goes to other offices (SHP, DXF, tables) has Chinese words and metres of the zone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from rivergis import crs, words
from rivergis.boundary.delivery import tables as d
from rivergis.boundary.delivery.layers import DATES, INTEGERS, NUMBERS, TRUTHS
from rivergis.boundary.delivery.tables import Delivery, Zone
from rivergis.maps import export_dxf, export_files
from rivergis.maps.export_columns import Field
from rivergis.maps.export_files import Sheet
from rivergis.maps.export_rows import Chunk, Part
from rivergis.reports import boundary_tables, bundle

FORMATS = ("shp", "gpkg", "dxf", "xlsx", "txt")
Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Asked:
    """How it is delivered. ``encoding``: of SHP and DXF; ``formats``: of ``FORMATS``; ``rules``: rule rows it rests on."""

    encoding: str = "GBK"
    formats: tuple[str, ...] = FORMATS
    fields: Fields = field(default_factory=dict)
    rules: tuple[dict[str, Any], ...] = ()
    columns: frozenset[str] | None = None
    """Only these columns, where it is for the public."""
    on: date | None = None
    made_at: datetime | None = None


@dataclass
class Written:
    """What was written: files below the folder, features by layer, sentences on what could not go out as it is."""

    folder: Path
    files: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    zones: list[int | None] = field(default_factory=list)
    whole: bool = True
    """False: some text was cut or some character replaced, as a note says."""


def write(told: Delivery, zones: Sequence[Zone], asked: Asked, folder: Path) -> Written:
    """Write a delivery into a folder that is there and empty; the announcement map comes from ``boundary_map``."""
    done = Written(folder, zones=[z.number for z in zones])
    for zone in zones:
        for name, frame in zone.layers.items():
            done.counts[name] = done.counts.get(name, 0) + len(frame)
    over = d.reaching_over(told.lines) if len(told.lines) and len(zones) > 1 else 0
    if len(zones) > 1:
        done.notes.append(
            f"It lies in {len(zones)} zones ({', '.join(str(z.number) for z in zones)}): each has files of its own; {over} lines that "
            "reach over the border are whole in the zone of their middle. --zone N puts all into one."
        )
    if "shp" in asked.formats:
        _shapefiles(told, zones, asked, done)
    if "gpkg" in asked.formats:
        _geopackage(zones, asked, done)
    if "dxf" in asked.formats:
        _drawings(told, zones, asked, done)
    if "xlsx" in asked.formats:
        boundary_tables.write(
            told, zones, asked.columns, asked.made_at, folder / "coordinates.xlsx", about(told, zones, asked, done)
        )
    if "txt" in asked.formats:
        text = "".join(f"{k}: {v}\r\n" for k, v in about(told, zones, asked, done))
        (folder / "metadata.txt").write_text(text, encoding="utf-8-sig", newline="")
    done.files = bundle.names(folder)
    return done


def _suffix(zone: Zone, zones: Sequence[Zone]) -> str:
    return f"_zone{zone.number}" if len(zones) > 1 and zone.number is not None else ""


def _shapefiles(told: Delivery, zones: Sequence[Zone], asked: Asked, done: Written) -> None:
    for zone in zones:
        folder = done.folder / f"shp{_suffix(zone, zones)}"
        folder.mkdir()
        for name, frame in zone.layers.items():
            sheet = _sheet(folder / f"{name}.shp", name, worded(frame), asked, asked.encoding)
            export_files.shapefile(sheet, _chunks(sheet, worded(frame)))
            _said(sheet, name, done)


def _geopackage(zones: Sequence[Zone], asked: Asked, done: Written) -> None:
    """All zones together in EPSG:4490 (outside China WGS 84), with our codes."""
    path = done.folder / "result.gpkg"
    for name in dict.fromkeys(n for z in zones for n in z.layers):
        parts = [crs.to_storage(z.layers[name]) for z in zones if name in z.layers]
        frame = crs.outward(_public(pd.concat(parts, ignore_index=True), asked))
        dated = frame.assign(**{c: pd.to_datetime(frame[c]).dt.date for c in DATES & set(frame) if _dates(frame[c])})
        pyogrio.write_dataframe(dated, path, layer=name, driver="GPKG", dataset_options={"VERSION": "1.3"})


def _drawings(told: Delivery, zones: Sequence[Zone], asked: Asked, done: Written) -> None:
    for zone in zones:
        path = done.folder / f"result{_suffix(zone, zones)}.dxf"
        sheets = []
        for name, frame in zone.layers.items():
            spoken = worded(frame)
            code = frame["element_code"].iloc[0]
            layer = "_".join(str(p) for p in (name, code, frame["element"].iloc[0]) if p)
            sheet = _sheet(path, layer, spoken, asked, asked.encoding)
            sheet.about = dict(about(told, [zone], asked, done)[:8])
            sheets.append((sheet, _chunks(sheet, spoken)))
        export_dxf.write_layers(sheets)
        for sheet, _ in sheets:
            _said(sheet, sheet.layer_name, done)


def _said(sheet: Sheet, name: str, done: Written) -> None:
    done.notes += [f"{name}: {note}" for note in sheet.notes]
    done.whole = done.whole and not sheet.cut


def _public(frame: gpd.GeoDataFrame, asked: Asked) -> gpd.GeoDataFrame:
    if asked.columns is None:
        return frame
    return frame[[c for c in frame if c in asked.columns or c == frame.geometry.name]]


def worded(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Codes as Chinese words, for offices that do not know ours; an import understands them."""
    out = frame.copy()
    for column, prefix in _WORDED.items():
        if column in out:
            out[column] = [_word(prefix, v) for v in out[column]]
    for column in TRUTHS & set(out.columns):
        out[column] = [None if v is None else _YES[bool(v)] for v in out[column]]
    for column, told in (("rule", _rule), ("source", _source)):
        if column in out:
            out[column] = [told(v) for v in out[column]]
    return out


_YES = {True: "是", False: "否"}


def _said_in(text: Any) -> dict[str, Any] | None:
    """What a JSON text says, where it is one."""
    if not isinstance(text, str) or not text.startswith("{"):
        return None
    try:
        said = json.loads(text)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _rule(text: Any) -> Any:
    """A rule row in words: its name, value, unit, rule set and status; another text stays as it is."""
    said = _said_in(text)
    if said is None or "key" not in said:
        return text
    name = words.say(f"rule_key.{said['key']}")
    value = said.get("value")
    shown = json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value
    status = words.say(f"rule_status.{said['status']}") if said.get("status") else ""
    about = "、".join(str(v) for v in (said.get("ruleset"), status) if v)
    return f"{name} {shown} {said.get('unit') or ''}".strip() + (f"({about})" if about else "")


def _source(text: Any) -> Any:
    """A source in words: layer, feature, date."""
    said = _said_in(text)
    return text if said is None else " · ".join(str(v) for v in said.values() if v is not None)


_WORDED = {
    "bank": "bank", "line_type": "choice.line_type", "basis": "basis", "standing": "deliver.standing", "drawn_by": "deliver.drawn_by",
    "role": "deliver.role", "kind": "choice.kind", "status": "choice.status", "line_role": "choice.line_role",
}  # fmt: skip


def _word(prefix: str, code: Any) -> Any:
    if code is None or code != code:
        return None
    key = f"{prefix}.{code}"
    return words.say(key) if key in words.catalogue() else code


def _sheet(path: Path, layer: str, frame: gpd.GeoDataFrame, asked: Asked, encoding: str) -> Sheet:
    frame = _public(frame, asked)
    kind = _shape(frame)
    extent = tuple(float(v) for v in frame.total_bounds)
    part = Part("", "", crs.CRS(frame.crs), kind, len(frame), extent)  # type: ignore[arg-type]
    return Sheet(
        path, part, [_field(c, frame[c], asked.fields) for c in frame if c != frame.geometry.name], layer, encoding
    )


def _shape(frame: gpd.GeoDataFrame) -> str:
    kinds = set(frame.geometry.geom_type)
    for single in ("Point", "LineString", "Polygon"):
        if kinds <= {single}:
            return single
        if kinds <= {single, f"Multi{single}"}:
            return f"Multi{single}"
    return "Unknown"


def _field(name: str, values: pd.Series, fields: Fields) -> Field:
    short, zh, en = (*fields.get(name, ()), "", "", "")[:3]
    kind = (
        "number" if name in NUMBERS else "integer" if name in INTEGERS else "date" if _dates(values, name) else "text"
    )
    longest = max((len(str(v).encode("utf-8")) for v in values if v is not None), default=0) if kind == "text" else 0
    return Field(name, kind, "", zh, en, longest=longest, short=short)


def _dates(values: pd.Series, name: str | None = None) -> bool:
    if name is not None and name not in DATES:
        return False
    return all(v is None or isinstance(v, date) for v in values)


def _chunks(sheet: Sheet, frame: gpd.GeoDataFrame) -> Iterator[Chunk]:
    columns: list[Sequence[Any]] = [_plain(frame[f.name], f.kind) for f in sheet.fields]
    shapes = np.asarray(frame.geometry.values, dtype=object)
    yield Chunk(columns, shapes, None)


def _plain(values: pd.Series, kind: str) -> list[Any]:
    if kind == "integer":
        return [None if pd.isna(v) else int(v) for v in values]
    if kind == "number":
        return [None if pd.isna(v) else float(v) for v in values]
    return [None if v is None or v != v else v for v in values]


def about(told: Delivery, zones: Sequence[Zone], asked: Asked, done: Written) -> list[tuple[str, str]]:
    """What a delivery says of itself (元数据): standing, system, axes, heights, scale, announcement, contents, sources."""
    say = words.both
    lines = told.lines
    rows = [
        ("title", told.title),
        ("standing", standing(told)),
        ("datum", "2000国家大地坐标系 CGCS2000 (EPSG:4490)"),
        ("projection", "; ".join(system(z) for z in zones)),
        ("axes", say("deliver.about.axes_said")),
        ("height", values(lines, "vertical_datum") or say("deliver.about.height_none")),
        ("scale", scales(lines)),
        ("error", values(lines, "xy_error_m", " m") or say("deliver.about.unknown")),
        ("announced", announced(lines) or say("deliver.about.unknown")),
        ("rivers", values(lines, "river") or values(lines, "river_code")),
        ("lines", f"{len(lines)} · {np.sum(crs.length_m(lines.geometry.values)) / 1000:.3f} km"),
        ("areas", f"{len(told.areas)} · {np.sum(crs.area_m2(told.areas.geometry.values)) / 1e6:.4f} km2"),
        ("layers", "; ".join(f"{n} {c}" for n, c in done.counts.items())),
        ("numbers", say("deliver.about.numbers_said")),
        ("lengths", say("deliver.about.lengths_said")),
        ("source", "; ".join(told.sources)),
        ("as_of", str(asked.on) if asked.on else None),
        ("fields", say("deliver.about.fields_said") if "shp" in asked.formats else None),
        ("rules", "; ".join(f"{r['key']} ({r['status']})" for r in asked.rules) or None),
        *(("note", n) for n in (*told.notes, *done.notes)),
    ]
    return [
        (say(f"deliver.about.{k}") if k != "lengths" else say("deliver.head.length_m"), str(v)) for k, v in rows if v
    ]


def standing(told: Delivery) -> str:
    """How a delivery stands, as it is printed on everything."""
    if told.sketch:
        return words.both("deliver.standing.sketch")
    if told.draft:
        return words.both(f"deliver.standing.{told.standing if told.standing in d.NOT_ANNOUNCED else 'draft'}")
    return words.both(f"deliver.standing.{told.standing}")


def system(zone: Zone) -> str:
    """The system of a zone as people write it."""
    code = zone.crs.to_epsg()
    if zone.number is None:
        return str(zone.crs.name)
    zone_word = f"高斯-克吕格3°带 第{zone.number}带 中央子午线{zone.meridian}° (EPSG:{code})"
    prefixed = code is not None and code < 4534
    return f"{zone_word} {words.say('deliver.about.prefix_said')}" if prefixed else zone_word


def values(frame: pd.DataFrame, column: str, unit: str = "") -> str:
    """The different values of a column as one text; empty where there are none."""
    if column not in frame:
        return ""
    given = sorted({f"{v:g}" if isinstance(v, float) else str(v) for v in frame[column] if v is not None and v == v})
    return "、".join(f"{v}{unit}" for v in given[:12]) + (f" … ({len(given)})" if len(given) > 12 else "")


def scales(lines: pd.DataFrame) -> str:
    """The scales of survey, as people write them."""
    given = values(lines, "survey_scale")
    return "、".join(f"1:{v}" for v in given.split("、")) if given else words.both("deliver.about.unknown")


def announced(lines: pd.DataFrame, most: int = 50) -> str:
    """Government, number and day of every announcement, each once; of many the first and how many there are."""
    acts = [c for c in ("announce_gov", "announce_doc_no", "announced_on") if c in lines]
    if not acts:
        return ""
    rows = lines[acts].drop_duplicates().itertuples(index=False)
    told = [" ".join(str(v) for v in row if v is not None and v == v) for row in rows]
    each = list(dict.fromkeys(t for t in told if t))
    return "; ".join(each[:most]) + (f" … ({len(each)})" if len(each) > most else "")


def named(told: Delivery, otherwise: str) -> str:
    """A title for a delivery that nobody gave one: its rivers (of many the first three), and what it is."""
    column = next((c for c in ("river", "river_code") if c in told.lines and told.lines[c].notna().any()), None)
    rivers = [] if column is None else sorted({str(v) for v in told.lines[column].dropna()})
    some = "、".join(rivers[:3]) + (f"等{len(rivers)}条河流" if len(rivers) > 3 else "")
    return f"{some or otherwise}{words.say('deliver.map.title_suffix')}"
