"""The layers of the service: what each is called, what geometry it has and which columns it carries.

A layer is what a user imports, exports and sees on a map. Column names are those of the tables in
``gis/db/migrations``; a column that ``refers`` to another noun is given by code (``river_code``) and stored by id.
"""

from __future__ import annotations

from dataclasses import dataclass

from rivergis.errors import NotFound

LEVELS = ("province", "city", "county", "town", "village")
BANKS = ("left", "right")


@dataclass(frozen=True)
class Column:
    """One column of a layer: stable name, kind, labels, and what it may hold."""

    name: str
    kind: str  # text number integer boolean date time json
    zh: str
    en: str
    required: bool = False
    choices: tuple[str, ...] = ()
    refers: str | None = None
    """Noun whose code the column holds; stored as ``<name minus _code>_id``."""

    @property
    def stored(self) -> str:
        return self.name.removesuffix("_code") + "_id" if self.refers else self.name


@dataclass(frozen=True)
class Layer:
    """One layer: its name is the noun, the table ``data.<name>`` and the view ``app.<name>``."""

    name: str
    zh: str
    en: str
    geometry: str | None  # Point LineString MultiPolygon Geometry, or none for a plain table
    columns: tuple[Column, ...]
    group: str
    geometry_required: bool = True

    def column(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise NotFound(f"The layer {self.name} has no column {name!r}.")


def _c(
    name: str,
    kind: str,
    zh: str,
    en: str,
    required: bool = False,
    choices: tuple[str, ...] = (),
    refers: str | None = None,
) -> Column:
    return Column(name, kind, zh, en, required, choices, refers)


_NAME = _c("name", "text", "名称", "name", required=True)
_NAME_FREE = _c("name", "text", "名称", "name")
_RIVER = _c("river_code", "text", "河流编码", "river code", required=True, refers="river")
_RIVER_FREE = _c("river_code", "text", "河流编码", "river code", refers="river")
_BANK = _c("bank", "text", "岸别", "bank", required=True, choices=BANKS)
_FROM = _c("from_m", "number", "起点桩号 m", "from chainage, m")
_TO = _c("to_m", "number", "终点桩号 m", "to chainage, m")
_AT = _c("at_m", "number", "桩号 m", "chainage, m")

# a table of labels reads better whole
# fmt: off
LAYERS: dict[str, Layer] = {
    layer.name: layer
    for layer in (
        Layer("admin_unit", "行政区", "administrative unit", "MultiPolygon", (
            _NAME, _c("level", "text", "级别", "level", True, LEVELS), _c("parent_code", "text", "上级编码", "parent code")), "people"),
        Layer("chief", "河长", "river chief", None, (
            _NAME, _c("level", "text", "级别", "level", True, LEVELS), _c("title", "text", "职务", "title"),
            _c("unit_code", "text", "行政区编码", "unit code")), "people"),
        Layer("duty", "责任河段", "duty", None, (
            _c("chief_code", "text", "河长编码", "chief code", True, refers="chief"), _RIVER, _c("level", "text", "级别", "level", True, LEVELS),
            _c("bank", "text", "岸别", "bank", choices=(*BANKS, "both")), _c("from_m", "number", "起点桩号 m", "from chainage, m", True),
            _c("to_m", "number", "终点桩号 m", "to chainage, m", True)), "people"),
        Layer("river", "河流", "river", None, (
            _NAME, _c("name_en", "text", "英文名", "English name"),
            _c("kind", "text", "类型", "kind", True, ("river", "lake", "reservoir", "ditch", "pond")), _c("grade", "text", "等级", "grade")), "river"),
        Layer("axis", "河道中心线", "axis", "LineString", (_RIVER,), "river"),
        Layer("reach", "河段", "reach", "LineString", (
            _RIVER, _NAME_FREE,
            _c("kind", "text", "类型", "kind", True, ("river", "stream", "canal", "ditch", "braid", "flow_path", "shoreline")),
            _FROM, _TO, _c("from_node", "text", "起节点", "from node"), _c("to_node", "text", "止节点", "to node"),
            _c("half_width_m", "number", "半宽 m", "half width, m"), _c("covered", "boolean", "暗渠", "covered"),
            _c("channel", "text", "主汊", "channel", choices=("main", "side")),
            _c("upstream_area_km2", "number", "集水面积 km2", "upstream area, km2")), "river"),
        Layer("water_area", "水域", "water area", "MultiPolygon", (
            _RIVER_FREE, _NAME_FREE, _c("kind", "text", "类型", "kind", True), _c("normal_level_m", "number", "正常蓄水位 m", "normal level, m"),
            _c("vertical_datum", "text", "高程基准", "vertical datum")), "river"),
        Layer("bank_line", "岸线", "bank line", "LineString", (_c("reach_code", "text", "河段编码", "reach code", True, refers="reach"), _BANK), "river"),
        Layer("levee", "堤防", "levee", "LineString", (
            _RIVER, _BANK, _c("grade", "integer", "堤防级别", "levee grade"),
            _c("design_return_period_a", "number", "设计重现期 年", "design return period, years"),
            _c("line_role", "text", "线别", "line role", choices=("landward_toe", "waterside_toe", "crest"))), "river"),
        Layer("landmark", "地名标志", "landmark", "Point", (_RIVER, _NAME, _c("kind", "text", "类型", "kind"), _AT), "river", False),
        Layer("boundary_line", "管理范围线", "boundary line", "LineString", (
            _c("version_code", "text", "划界成果编码", "delimitation code", True), _RIVER, _BANK,
            _c("line_type", "text", "线型", "line type", choices=("management", "protection", "blue_line", "waterside", "outer")),
            _c("basis", "text", "依据", "basis", True, ("announced", "draft", "surrogate", "computed")),
            _c("announce_gov", "text", "公告机关", "announcing government"), _c("announce_doc_no", "text", "公告文号", "document number"),
            _c("announced_on", "date", "公告日期", "announced on"), _c("survey_scale", "integer", "测图比例尺分母", "survey scale"),
            _c("xy_error_m", "number", "点位误差 m", "position error, m"), _FROM, _TO), "boundary"),
        Layer("boundary_area", "管理范围", "boundary area", "MultiPolygon", (
            _c("version_code", "text", "划界成果编码", "delimitation code", True), _RIVER), "boundary"),
        Layer("function_zone", "岸线功能区", "shoreline function zone", "LineString", (
            _RIVER, _BANK, _c("zone_type", "text", "功能区类型", "zone type", True, ("protection", "reserve", "controlled_use", "development")),
            _FROM, _TO, _c("plan_name", "text", "规划名称", "plan"), _c("given_type", "text", "规划原称", "type as the plan calls it"),
            _c("reason", "text", "划分依据", "reason"), _c("measures", "text", "管控要求", "measures"),
            _c("approval_no", "text", "批复文号", "approval number")), "boundary", False),
        Layer("stake", "界桩", "stake", "Point", (
            _RIVER, _BANK, _c("kind", "text", "类型", "kind", choices=("base", "dense", "moved", "virtual")), _AT,
            _c("status", "text", "状态", "status", choices=("planned", "good", "damaged", "lost")), _c("height_m", "number", "高程 m", "height, m"),
            _c("vertical_datum", "text", "高程基准", "vertical datum"), _c("number_series", "text", "编号系列", "number series"),
            _c("reason", "text", "设桩原因", "why it stands there"), _c("measured_by", "text", "测量单位", "measured by"),
            _c("measured_on", "date", "测量日期", "measured on"), _c("xy_error_m", "number", "点位误差 m", "position error, m"),
            _c("moved_m", "number", "移位距离 m", "moved by, m"), _c("moved_bearing_deg", "number", "移位方位角 度", "moved towards, degrees")), "boundary"),
        Layer("intake", "取水口", "intake", "Point", (
            _NAME, _RIVER_FREE, _c("kind", "text", "类型", "kind", choices=("river", "lake", "reservoir", "groundwater"))), "sourcezone"),
        Layer("source_zone", "饮用水水源保护区", "source zone", "MultiPolygon", (
            _NAME, _c("intake_code", "text", "取水口编码", "intake code", refers="intake"), _c("zone_class", "integer", "级别", "class", True),
            _c("part", "text", "水域或陆域", "part", choices=("water", "land", "whole")),
            _c("basis", "text", "依据", "basis", choices=("announced", "draft", "computed")),
            _c("doc_no", "text", "批复文号", "document number"), _c("approved_by", "text", "批复机关", "approved by")), "sourcezone"),
        Layer("outfall", "入河排污口", "outfall", "Point", (
            _NAME, _c("class_1", "text", "一级分类", "class"),
            _c("approval_kind", "text", "审批方式", "approval kind", choices=("approval", "registration", "none", "unknown")),
            _c("approval_no", "text", "批复或登记号", "approval number"), _c("approved_on", "date", "批复日期", "approved on"),
            _c("status", "text", "状态", "status", choices=("open", "closed", "unknown")), _RIVER_FREE), "outfall"),
        Layer("candidate", "待核对象", "candidate", "Geometry", (
            _c("feed", "text", "来源", "feed"),
            _c("kind", "text", "类型", "kind", True, ("building", "quarry", "dump", "occupation", "net_pen", "unknown")),
            _c("source_kind", "text", "来源类型", "source kind", True), _NAME_FREE, _c("accuracy_m", "number", "点位误差 m", "position error, m"),
            _c("seen_at", "time", "发现时间", "seen at"), _c("evidence", "json", "证据", "evidence")), "encroachment"),
        Layer("permit", "涉河许可", "permit", "MultiPolygon", (
            _NAME, _c("kind", "text", "许可类型", "kind", True, ("permanent_work", "temporary_use", "sand_mining", "dredging")),
            _c("allows", "text", "许可对象类型", "allows", True), _c("doc_no", "text", "许可文号", "document number"),
            _c("issued_by", "text", "发证机关", "issued by"),
            _c("position_kind", "text", "位置表示", "position kind", True, ("polygon", "stretch", "point", "name")), _RIVER_FREE,
            _c("bank", "text", "岸别", "bank", choices=BANKS), _FROM, _TO,
            _c("accepted_on", "date", "竣工验收日期", "accepted on")), "encroachment", False),
        Layer("patrol_area", "巡查片区", "patrol area", "MultiPolygon", (
            _NAME, _c("kind", "text", "类型", "kind"), _c("unit_code", "text", "行政区编码", "unit code")), "patrol"),
        Layer("area_duty", "片区责任", "area duty", None, (
            _c("chief_code", "text", "河长编码", "chief code", True, refers="chief"),
            _c("area_code", "text", "片区编码", "area code", True, refers="patrol_area")), "patrol"),
        Layer("water_warning", "河湖预警", "water warning", None, (
            _RIVER, _FROM, _TO, _c("level", "text", "预警等级", "level", True, ("yellow", "orange", "red")),
            _c("kind", "text", "类型", "kind"), _c("document", "text", "文件", "document")), "patrol"),
    )
}
# fmt: on


def layer(name: str) -> Layer:
    """The layer of that name; ``NotFound`` lists the names there are."""
    if name not in LAYERS:
        raise NotFound(f"There is no layer {name!r}; the layers are {', '.join(LAYERS)}.")
    return LAYERS[name]
