"""The river of ``night_ground`` after its first night, and the tables an office kept before: decisions, ledger, works.

Houses a to f stand along the left bank, 200 m apart; a patch 7 lies on house b; heaps g1 and g2 stand 6 m apart.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
from sqlalchemy import text

from rivergis import rules
from rivergis.db import people
from rivergis.db.connect import Database
from rivergis.encroachment import baseline_files, case_workflow, patch_files
from rivergis.encroachment.baseline_workflow import Sources, read_decisions, read_works
from rivergis.encroachment.superior_workflow import ListOf, read
from rivergis.encroachment.taking_workflow import Desk
from rivergis.intake import profile as profiles
from rivergis.intake.delivery import Asked
from rivergis.settings import gis_dir
from tests.encroachment import night_ground as ground

RULES = gis_dir() / "rules"
LISTS = baseline_files.load_profile("national", RULES)
MAKER, SIGNER = "base-inspector", "base-reviewer"
ASKED = Asked(crs="EPSG:4490")
HOUSES = {name: (100.0 + 200 * n, 40.0, 20.0, 10.0) for n, name in enumerate("abcdef")}
HEAPS = {"g1": (1400.0, 40.0, 8.0, 8.0), "g2": (1414.0, 40.0, 8.0, 8.0)}


def build(db: Database, folder: Path) -> None:
    """A line, a night over houses and heaps, a person who makes and one who signs."""
    ground.river(db)
    ground.area(db, "V1", (0, -100, 2000, 200))
    ground.deliver(db, ground.day(0), "houses", {k: ("building", b) for k, b in HOUSES.items()})
    ground.deliver(db, ground.day(0), "heaps", {k: ("dump", b) for k, b in HEAPS.items()})
    patch = {"T-007": ("building", HOUSES["b"])}
    ground.deliver(db, ground.day(0), "patches", patch, source_kind="remote_sensing", evidence={"patch_no": "T-007"})
    ground.night(db, folder)
    with db.write("test") as conn:
        for name, roles in ((MAKER, ("inspector",)), (SIGNER, ("reviewer",)), ("both", ("inspector", "reviewer"))):
            people.add_user(conn, name, name)
            for role in roles:
                people.grant(conn, name, role)


def desk(db: Database, folder: Path, actor: str = MAKER, n: int = 0) -> Desk:
    with db.read() as conn:
        places = case_workflow.register(conn, ground.day(n))
    view = ground.BOOK.at(rules.path_of("500199"), ground.day(n))
    return Desk(db, actor, folder / "store", view, ground.day(n), places)


def lonlat(x: float, y: float) -> tuple[float, float]:
    point = gpd.GeoSeries.from_xy([ground.X + x], [ground.Y + y], crs=ground.ZONE).to_crs(4490).iloc[0]
    return round(point.x, 7), round(point.y, 7)


def middle(name: str) -> tuple[float, float]:
    x, y, w, h = (HOUSES | HEAPS)[name]
    return lonlat(x + w / 2, y + h / 2)


def sheet(path: Path, head: list[str], rows: list[list[Any]], title: str | None = None) -> Path:
    """A workbook as offices write them, with a title over the whole width."""
    book = openpyxl.Workbook()
    table = book.active
    if title:
        table.append([title])
        table.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(head))
    for row in [head, *rows]:
        table.append(row)
    book.save(path)
    return path


LEDGER_HEAD = ["上级编号", "问题类型", "问题描述", "经度", "纬度", "发现日期", "整改时限", "责任单位", "整改状态", "整改完成日期", "销号日期", "佐证材料"]  # fmt: skip


def ledger(path: Path) -> Path:
    """Six problems: c in hand, d closed, the two heaps unclear, one where nothing stands, one nowhere, one with an odd state."""
    rows = [
        ["CQ-001", "乱建", "临河房屋", *middle("c"), "2025-11-02", "2026年6月底前", "河湾村委会、镇水利站", "整改中", None, None, None],
        ["CQ-002", "乱建", "棚房", *middle("d"), "2025-11-02", "立行立改", "河湾村委会", "已销号", "2025-12-01", "2025-12-20", "照片1.jpg"],
        ["CQ-003", "乱堆", "堆渣", *lonlat(1411, 44), "2025-11-03", None, None, "未整改", None, None, None],
        ["CQ-004", "乱堆", "下游垃圾", *lonlat(1800, -60), "2025-11-03", "2026年5月底前", "河湾村委会", "未整改", None, None, None],
        ["CQ-005", "乱占", "位置不详的网箱", None, None, "2025-11-03", None, None, "未整改", None, None, None],
        ["CQ-006", "乱建", "房屋", *middle("e"), None, "尽快", None, "看情况", None, None, None],
    ]  # fmt: skip
    return sheet(path, LEDGER_HEAD, rows, "某县河湖问题台账")


def decisions(path: Path) -> Path:
    """Four outcomes: a by place, b by number, c against its ledger, one where no lead is."""
    rows = [
        ["T-001", "①不是问题", "房屋", "历史民房外扩已拆", *middle("a")],
        ["T-007", 3, "房屋", "1987年建成", None, None],
        ["T-003", "不是问题", "房屋", "水管所", *middle("c")],
        ["T-900", "④问题", "临河房屋", "新建", *lonlat(300, -60)],
    ]
    return sheet(path, ["图斑编号", "核查结论", "地物类别", "核查说明", "经度", "纬度"], rows)


def works(path: Path) -> Path:
    """Two pumping stations: f with an approval, one where nothing stands."""
    rows = [["提水泵站", "泵站", "渝水许可〔2015〕3号", *middle("f")], ["下湾水闸", "水闸", None, *lonlat(1950, 90)]]
    return sheet(path, ["工程名称", "工程类型", "批复文号", "经度", "纬度"], rows)


def sources(folder: Path, **more: Any) -> Sources:
    _, spelled = patch_files.mapping(profiles.load("patches", RULES))
    about = ListOf("2025年台账", "problems", LISTS, "试验市", date(2025, 11, 10))
    return Sources(
        [read_decisions(decisions(folder / "图斑.xlsx"), spelled, LISTS, asked=ASKED)],
        [(read(ledger(folder / "台账.xlsx"), about, asked=ASKED), about)],
        [read_works(works(folder / "水工程.xlsx"), LISTS, asked=ASKED)],
        **more,
    )


def states(db: Database) -> dict[str, str]:
    """Code of the object, or number of the report -> state of its case."""
    sql = """SELECT coalesce((SELECT c.code FROM data.sighting s CROSS JOIN LATERAL jsonb_array_elements(s.sources) o(x)
        JOIN data.candidate c ON c.id::text = o.x ->> 'candidate' WHERE s.finding_id = f.id AND c.source_kind <> 'remote_sensing' LIMIT 1),
      (SELECT r.number FROM data.case_report r WHERE r.finding_id = f.id ORDER BY r.id LIMIT 1)), f.state FROM app.finding f
      WHERE f.topic IN ('encroachment', 'reported')"""
    with db.read() as conn:
        return {str(k): str(v) for k, v in conn.execute(text(sql))}
