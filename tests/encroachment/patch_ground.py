"""A small river with a line, and a batch of patches on it, as files of every form.

patch A (20 x 20 m, inside)    B (30 x 10, half over the line)   C (5 x 5, inside)   D (far outside)

----------------------------- line, 200 m north of the axis --------------------------
  [A]            [B~]               [c]
============================= axis, flows east =======================================
----------------------------- line, 200 m south ---------------------------------------
                                                                                   [D] 2 km south
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pandas as pd
import shapely
from sqlalchemy import text

from rivergis import layers, rules
from rivergis.db import people
from rivergis.db.connect import Database, now_of
from rivergis.encroachment import patch_workflow
from rivergis.intake import profile as profiles
from rivergis.jobs import nightly, patch_import, receive
from rivergis.jobs.layer_import import DOORS
from rivergis.settings import gis_dir

RULES = gis_dir() / "rules"
BOOK = rules.load(RULES)
X, Y = 500_000.0, 3_250_000.0
ZONE = 4544
DAY = date(2026, 5, 20)


def at(x: float, y: float, w: float = 0, h: float = 0) -> shapely.Geometry:
    """A box (or point) in metres from the west end of the axis."""
    return shapely.box(X + x, Y + y, X + x + w, Y + y + h) if w else shapely.Point(X + x, Y + y)


SHAPES = {"A": at(100, 50, 20, 20), "B": at(400, 195, 30, 10), "C": at(700, 60, 5, 5), "D": at(900, -2200, 20, 20)}


def office(db: Database) -> None:
    """Three people, each of whom may check and review."""
    with db.write("test") as conn:
        for name in ("zhang", "li", "wang"):
            people.add_user(conn, name, name)
            people.grant(conn, name, "inspector")
            people.grant(conn, name, "reviewer")


def bank_lines(conn: Any, number: int = 1) -> None:
    """The lines of V1, 200 m to each side, as announced by a document of this number."""
    lines = [
        {
            "code": f"L{bank}", "version_code": "V1", "river_code": "R1", "bank": bank, "basis": "announced",
            "announce_gov": "试验县人民政府", "announce_doc_no": f"试府发〔2020〕{number}号", "announced_on": date(2020, 6, 1), "xy_error_m": 0.5,
        }
        for bank in ("left", "right")
    ]  # fmt: skip
    sides = [shapely.LineString([(X, Y + s), (X + 2000, Y + s)]) for s in (200, -200)]
    put(conn, "boundary_line", lines, sides)


def river(db: Database) -> None:
    """One river of 2 km in one county, with an announced line 200 m to each side."""
    axis = shapely.LineString([(X, Y), (X + 2000, Y)])
    county = {"code": "500199", "name": "试验县", "level": "county"}
    reach = {"code": "R1-1", "river_code": "R1", "kind": "river", "from_m": 0, "to_m": 2000}
    with db.write("test") as conn:
        put(conn, "admin_unit", [county], [shapely.MultiPolygon([at(-5000, -5000, 12000, 10000)])])
        put(conn, "river", [{"code": "R1", "name": "试验河", "kind": "river"}], None)
        put(conn, "axis", [{"code": "R1", "river_code": "R1"}], [axis])
        put(conn, "reach", [reach], [axis])
        bank_lines(conn)
        area = [{"code": "V1A", "version_code": "V1", "river_code": "R1"}]
        put(conn, "boundary_area", area, [shapely.MultiPolygon([at(0, -200, 2000, 400)])])


def put(conn: Any, layer: str, said: list[dict[str, Any]], shapes: list[Any] | None) -> None:
    """Rows of a layer by the door of its domain, as an import leaves them."""
    frame = pd.DataFrame(said).assign(source_feature=[str(n) for n in range(len(said))])
    if shapes is not None:
        frame = gpd.GeoDataFrame(frame, geometry=shapes, crs=ZONE).rename_geometry("geom").to_crs(4490)
    saved = DOORS[layers.layer(layer).group](conn, layer, frame, namespace="local", import_id=None)
    assert (saved.imported or saved.unchanged) and not saved.set_aside, saved


def rows(**changes: dict[str, Any]) -> list[dict[str, Any]]:
    """The four patches as delivered, with changes by number; B says an area that is not its own."""
    base = [
        {"图斑编号": "A", "批次": "2026-1", "影像日期": "2026-03-01", "分辨率": 0.8, "地物类别": "临河房屋", "面积": None, "核查结论": None, "核查说明": None, "备注": "一"},
        {"图斑编号": "B", "批次": "2026-1", "影像日期": "2026-03-01", "分辨率": 0.8, "地物类别": "坑塘", "面积": 555.0, "核查结论": None, "核查说明": None, "备注": None},
        {"图斑编号": "C", "批次": "2026-1", "影像日期": "2026-03-01", "分辨率": 4.0, "地物类别": "堆放", "面积": None, "核查结论": None, "核查说明": None, "备注": None},
        {"图斑编号": "D", "批次": "2026-1", "影像日期": "2026-03-01", "分辨率": 0.8, "地物类别": "临河房屋", "面积": None, "核查结论": None, "核查说明": None, "备注": None},
    ]  # fmt: skip
    return [r | changes.get(str(r["图斑编号"]), {}) for r in base]


def delivery(
    folder: Path, ending: str, said: list[dict[str, Any]] | None = None, shapes: dict[str, Any] | None = None
) -> Path:
    """The batch as a file of one of the forms."""
    said, shapes = said or rows(), shapes or SHAPES
    folder.mkdir(exist_ok=True)
    path = folder / f"图斑{ending}"
    frame = gpd.GeoDataFrame(said, geometry=[shapes[r["图斑编号"]] for r in said], crs=ZONE)
    if ending == ".shp":
        for name in ("核查结论", "核查说明", "备注"):
            frame[name] = frame[name].fillna("").astype(str)
        frame.to_file(path, encoding="GBK", engine="pyogrio")
    elif ending == ".gpkg":
        frame.to_file(path, layer="图斑", engine="pyogrio")
    elif ending == ".geojson":
        frame.to_crs(4490).to_file(path, engine="pyogrio", driver="GeoJSON", RFC7946="NO")
    else:
        table = pd.DataFrame(frame.drop(columns="geometry")).assign(WKT=[g.wkt for g in frame.to_crs(4490).geometry])
        if ending == ".csv":
            table.to_csv(path, index=False, encoding="gbk", lineterminator="\r\n")
        else:
            _workbook(path, table)
    return path


def _workbook(path: Path, table: pd.DataFrame) -> None:
    """As offices make them: a merged title above, a coloured heading, a second sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "图斑清单"
    sheet.append(["试验县2026年第一批图斑核查表"])
    sheet.merge_cells("A1:J1")
    sheet.append(list(table.columns))
    for row in table.itertuples(index=False):
        sheet.append([None if pd.isna(v) else v for v in row])
    sheet["A2"].fill = openpyxl.styles.PatternFill("solid", fgColor="FFFF00")
    book.save(path)


def take(db: Database, path: Path, store: Path, batch: str = "2026-1", **more: Any) -> patch_import.BatchReceived:
    options = receive.Options(
        crs="EPSG:4490" if path.suffix in (".xlsx", ".csv") else None, delivered_on=more.pop("on", DAY)
    )
    return patch_import.import_batch(
        db, path, batch, actor="test", profile=profiles.load("patches", RULES), options=options, store_dir=store, **more
    )


def night(db: Database, folder: Path, day: date = DAY) -> nightly.NightResult:
    return nightly.run(db, BOOK, day, "test", adcode=None, store_dir=folder / "store", report_dir=None)


def content(path: Path) -> Any:
    """A file's patches as another program sees them: rows of values, without geometry."""
    if path.suffix == ".xlsx":
        sheet = openpyxl.load_workbook(path).worksheets[0]
        return [[c.value for c in row] for row in sheet.iter_rows()]
    if path.suffix == ".csv":
        return pd.read_csv(path, encoding="gbk", dtype=str)
    if path.suffix == ".geojson":
        return json.loads(path.read_text(encoding="utf-8"))
    return gpd.read_file(path, encoding="GBK" if path.suffix == ".shp" else None)


def listed(db: Database, batch: str = "2026-1") -> dict[str | None, patch_workflow.Patch]:
    with db.read() as conn:
        return {p.patch_no: p for p in patch_workflow.listed(conn, batch)}


def measure(db: Database, on: date = DAY) -> int:
    with db.write("test") as conn:
        known = now_of(conn)
        return patch_workflow.fill(
            conn, BOOK.at(("000000",), on), patch_workflow.register_of(conn, on, known), on, known
        )


def export(db: Database, out: Path, store: Path, batch: str = "2026-1") -> patch_workflow.Exported:
    with db.read() as conn:
        return patch_workflow.export(conn, batch, out, store)


def values(path: Path) -> list[dict[str, Any]]:
    """What the rows of a file say, opened by another program, without shapes."""
    if path.suffix == ".xlsx":
        table = [[c.value for c in r] for r in openpyxl.load_workbook(path).worksheets[0].iter_rows(min_row=2)]
        return [dict(zip(table[0], r, strict=True)) for r in table[1:]]
    if path.suffix == ".csv":
        frame = pd.read_csv(path, encoding="gbk")
    else:
        frame = gpd.read_file(path, encoding="GBK" if path.suffix == ".shp" else None)
        frame = pd.DataFrame(frame.drop(columns="geometry"))
    return [{str(k): None if pd.isna(v) or v == "" else v for k, v in r.items()} for r in frame.to_dict("records")]


def counts(db: Database) -> tuple[int, ...]:
    tables = ("candidate", "delivery", "patch_batch", "patch", "patch_figures", "patch_check", "finding_event")
    with db.read() as conn:
        return tuple(conn.execute(text(f"SELECT count(*) FROM data.{t}")).scalar_one() for t in tables)
