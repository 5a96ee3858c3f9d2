"""The quarantine as files: features that were set aside written out to be corrected, and read in again.

GeoPackage, GeoJSON, CSV and JSON carry the same: number in the quarantine, code, sentence, attributes as delivered, and
the shape in source coordinates (x = east), with the name of their system.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from rivergis.errors import EnvironmentFault, InputError, UsageError, inert
from rivergis.intake import cells, vector
from rivergis.intake.crs_declared import understand
from rivergis.intake.delivery import Asked
from rivergis.intake.limits import DEFAULT, Limits

ENDINGS = (".gpkg", ".geojson", ".csv", ".json")
ID, LAYER, CODE, SENTENCE, FILE, FEATURE, CRS = OURS = (
    "quarantine_id",
    "quarantine_layer",
    "quarantine_code",
    "quarantine_sentence",
    "source_file",
    "source_feature",
    "source_crs",
)
WKT = "geom_wkt"
_CODE_OF_CRS = re.compile(r"EPSG:(\d+)")
# names that a GeoPackage keeps for itself
_TAKEN = {"fid", "ogc_fid", "geom", "geometry", WKT, *OURS}


@dataclass(frozen=True)
class Returned:
    """One feature of a corrected file. ``shape``: in source coordinates, x = east, as the file has it."""

    number: str
    """What the file says of its number in the quarantine."""
    attributes: dict[str, Any]
    shape: shapely.Geometry | None
    shaped: bool = True
    """Whether the file carries shapes at all; otherwise the shape is the one that was set aside."""
    epsg: int | None = None
    """System that the file names for the shape."""
    place: str = field(default="", compare=False)


def write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows of ``db.aside`` to a file by its ending. Raises ``UsageError``, ``InputError``, ``EnvironmentFault``."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise UsageError(f"{path.name}: the quarantine is written as {', '.join(ENDINGS)}.")
    part = path.with_name(f"{path.stem}.part{ending}")
    try:
        {".gpkg": _to_geopackage, ".geojson": _to_geojson, ".csv": _to_csv, ".json": _to_json}[ending](part, rows, path)
        part.replace(path)
    except OSError as error:
        raise EnvironmentFault(f"{path} cannot be written ({error.strerror}): choose another place.") from error
    finally:
        part.unlink(missing_ok=True)


def shape_of(row: dict[str, Any]) -> shapely.Geometry | None:
    """The shape of a row in source coordinates with x = east; ``None`` where it has none that can be drawn."""
    shape = shapely.from_wkt(row["geom_wkt"], on_invalid="ignore") if row["geom_wkt"] else None
    if shape is not None and row.get("axis") == "swapped":
        shape = shapely.transform(shape, lambda xy: xy[:, [1, 0, *range(2, xy.shape[1])]], include_z=bool(shape.has_z))
    return shape


def epsg_of(row: dict[str, Any]) -> int | None:
    """EPSG code of the system a row's coordinates are in, if it has one."""
    found = _CODE_OF_CRS.match(row["source_crs"] or "")
    return int(found[1]) if found else None


def exported(value: Any) -> Any:
    """An attribute as a cell of a table: lists and objects as JSON text."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value


def _table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    ours = {ID: "id", LAYER: "layer", CODE: "code", SENTENCE: "sentence", FILE: "file_name", FEATURE: "source_feature"}
    names = list(dict.fromkeys(k for r in rows for k in r["attributes"]))
    shown = distinct(names)
    made: dict[str, list[Any]] = {new: [r[old] for r in rows] for new, old in ours.items()}
    # shapes go out with x = east, whatever the order of the source
    made[CRS] = [(r["source_crs"] or "").replace(", axes exchanged", "") or None for r in rows]
    for name in names:
        made[shown[name]] = [exported(r["attributes"].get(name)) for r in rows]
    return pd.DataFrame({k: pd.Series(v, dtype=None if len(v) else object) for k, v in made.items()})


def distinct(names: Sequence[str]) -> dict[str, str]:
    """Names of attributes as columns: none twice whatever the case, none that is ours."""
    taken, out = set(_TAKEN), {}
    for name in names:
        shown = name or "_"
        while shown.lower() in taken:
            shown += "_"
        taken.add(shown.lower())
        out[name] = shown
    return out


def _drawable(rows: Sequence[dict[str, Any]]) -> list[shapely.Geometry | None]:
    shapes = [shape_of(r) for r in rows]
    return [s if s is not None and np.isfinite(shapely.get_coordinates(s)).all() else None for s in shapes]


def _frame(rows: Sequence[dict[str, Any]]) -> gpd.GeoDataFrame:
    table = _table(rows)
    for column in table.columns:  # a column of several kinds is text
        if table[column].dtype == object:
            kinds = {type(v) for v in table[column] if v is not None}
            if len(kinds) > 1 or kinds - {str, bool, int, float}:
                table[column] = [None if v is None else str(v) for v in table[column]]
    return gpd.GeoDataFrame(table, geometry=_drawable(rows), crs=epsg_of(rows[0]))


def _to_geopackage(part: Path, rows: Sequence[dict[str, Any]], path: Path) -> None:
    part.unlink(missing_ok=True)
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["layer"], row["source_crs"] or ""), []).append(row)
    if not groups:
        raise InputError("There is nothing in the quarantine to write.")
    for n, ((layer, _), group) in enumerate(groups.items()):
        frame, name = _frame(group), layer if [g[0] for g in groups].count(layer) == 1 else f"{layer}_{n + 1}"
        frame.to_file(part, layer=name, engine="pyogrio", geometry_type="Unknown", append=n > 0)


def _to_geojson(part: Path, rows: Sequence[dict[str, Any]], path: Path) -> None:
    if len({r["source_crs"] for r in rows}) != 1:
        raise InputError(
            f"{path.name}: a GeoJSON holds one coordinate system, the quarantine has {len({r['source_crs'] for r in rows})}: "
            "choose a layer with --layer, or write a .gpkg."
        )
    pyogrio.write_dataframe(_frame(rows), part, driver="GeoJSON", layer="quarantine", RFC7946="NO")


def _to_csv(part: Path, rows: Sequence[dict[str, Any]], path: Path) -> None:
    table = _table(rows).astype(object)
    shapes = [shape_of(r) for r in rows]
    table[WKT] = [None if s is None else s.wkt for s in shapes]
    text = table.map(lambda v: None if cells.scalar(v) and pd.isna(v) else inert(str(v)))
    text.columns = [inert(c) for c in text.columns]
    text.to_csv(part, index=False, encoding="utf-8-sig")


def _to_json(part: Path, rows: Sequence[dict[str, Any]], path: Path) -> None:
    told = [
        {k: v for k, v in r.items() if k != "axis"} | {"geom_wkt": None if (s := shape_of(r)) is None else s.wkt}
        for r in rows
    ]
    part.write_text(json.dumps(told, ensure_ascii=False, indent=1, default=str), encoding="utf-8")


def read(path: Path, limits: Limits = DEFAULT) -> list[Returned]:
    """The features of a corrected file. Raises ``InputError`` for a file that is none or carries no numbers."""
    if path.suffix.lower() == ".json":
        return list(_from_json(path))
    found = [r for opened in vector.open_layers(path, Asked(), limits=limits) for r in _from_layer(opened)]
    if not any(r.number for r in found):
        raise InputError(
            f"{path.name} has no field {ID}: return a file that 'rivergis quarantine export' wrote, with its numbers kept.",
            file=str(path),
        )
    return found


def _from_layer(opened: vector.Opened) -> Iterator[Returned]:
    meant = understand(opened.delivered.declared.wkt)
    table = opened.path.suffix.lower() == ".csv"
    for piece in opened.pieces(placed=False):
        names = {str(c).lower(): c for c in piece.frame.columns}
        if ID not in names:
            continue
        columns = [c for c in piece.frame.columns if str(c).lower() not in {*OURS, WKT}]
        shapes = piece.given if piece.given is not None else [None] * len(piece.frame)
        rows = zip(
            piece.frame.index, piece.frame[names[ID]], piece.frame[columns].to_dict("records"), shapes, strict=True
        )
        shaped = piece.given is not None if not table else WKT in names
        for feature, number, attributes, shape in rows:
            given = {
                _uninert(str(k)) if table else str(k): _uninert(v) if table else cells.as_delivered(v)
                for k, v in attributes.items()
            }
            place = f"{opened.name}, feature {feature}"
            epsg = None if table else meant.epsg
            yield Returned(cells.word(number) or "", given, shape, shaped, epsg, place)


def _uninert(value: Any) -> Any:
    """A cell without the apostrophe that kept a spreadsheet from running it."""
    plain = cells.as_delivered(value)
    return plain[1:] if isinstance(plain, str) and plain.startswith("'") and inert(plain[1:]) == plain else plain


def _from_json(path: Path) -> Iterator[Returned]:
    try:
        body = json.loads(path.read_text(encoding="utf-8-sig"))
        for n, row in enumerate(body):
            wkt = row["geom_wkt"]
            shape = shapely.from_wkt(wkt) if wkt else None
            yield Returned(str(row["id"]), dict(row["attributes"]), shape, True, None, f"entry {n + 1}")
    except (OSError, ValueError, TypeError, KeyError, RecursionError, shapely.errors.ShapelyError) as error:
        raise InputError(
            f"{path.name} cannot be used as a returned quarantine ({type(error).__name__}: {' '.join(str(error).split())[:100]}): "
            "it is a list of entries with id, attributes and geom_wkt, as 'rivergis quarantine export' writes it.",
            file=str(path),
        ) from error
