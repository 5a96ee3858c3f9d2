"""Collections: what inspectors, planners and programs may load, each with its columns, rights and where its rows lie.

One registry for the OGC API, vector tiles, the old services, pocket maps and QGIS. A collection is a layer with a
geometry (``layers.py``), or what the nights, patrols and drafts made. Every shape is EPSG:4490 outside and stands once
more, ready to be served, in ``cache.shape_<id>``.
"""

from __future__ import annotations

from dataclasses import dataclass

from rivergis import layers
from rivergis.errors import NotFound
from rivergis.layers import Column


@dataclass(frozen=True)
class Collection:
    """One collection: names, shape, columns, and who may see or change it."""

    id: str
    zh: str
    en: str
    geometry: str
    """Point, LineString, MultiLineString, MultiPolygon, or Geometry for several."""
    columns: tuple[Column, ...]
    capability: str
    """What somebody needs to see it (gis/db/roles.yaml)."""
    relation: str
    """Table or view with the facts; ``key`` says how its rows are found from ``cache.shape_<id>``."""
    key: tuple[str, str | None] = ("id", "version")
    """Columns of the relation that equal ``id`` and ``version`` of the shape; no second one where it has no versions."""
    writable: str | None = None
    """Capability that somebody needs to change it through the API; none where it cannot be changed."""
    public: tuple[str, ...] = ()
    """Columns that the public mode shows; a collection without any is not public."""
    public_only: tuple[str, str] | None = None
    """Column and value of the rows that may be public: a draft line is nobody's business outside."""
    personal: bool = False
    """Says where a person was: each look at it stands in the audit."""
    also: tuple[str, ...] = ()
    """Other capabilities each of which is as good as ``capability``."""

    @property
    def label(self) -> str:
        """Chinese first, English beside."""
        return f"{self.zh} {self.en}"

    @property
    def shapes(self) -> str:
        """Table with the shapes that are served."""
        return f"cache.shape_{self.id}"

    @property
    def served(self) -> str:
        """View with the rows in force today, in EPSG:4490, in the area of whoever asks."""
        return f"app.served_{self.id}"

    def seen_by(self, capabilities: frozenset[str]) -> bool:
        """Whether somebody with these capabilities may see it."""
        return bool(capabilities & {self.capability, *self.also})

    def column(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise NotFound(f"The collection {self.id} has no column {name!r}.")


def _c(name: str, kind: str, zh: str, en: str, choices: tuple[str, ...] = (), refers: str | None = None) -> Column:
    return Column(name, kind, zh, en, False, choices, refers)


CODE = _c("code", "text", "编码", "code")
VALID = (_c("valid_from", "date", "有效起日", "valid from"), _c("valid_to", "date", "有效止日", "valid to, inclusive"))
_RIVER = _c("river_code", "text", "河流编码", "river code", refers="river")
_REACH = _c("reach_code", "text", "河段编码", "reach code", refers="reach")
_BANK = _c("bank", "text", "岸别", "bank", layers.BANKS)
_FROM, _TO = (
    _c("from_m", "number", "起点桩号 m", "from chainage, m"),
    _c("to_m", "number", "终点桩号 m", "to chainage, m"),
)
_DAY = _c("day", "date", "日期", "civil day")

# what may be public, column by column (domain: no heights, capacities, owners, persons, intakes, leads)
_PUBLIC: dict[str, tuple[str, ...]] = {
    "admin_unit": ("code", "name", "level"),
    "river": ("code", "name", "name_en", "kind"),
    "reach": ("code", "river_code", "name", "kind"),
    "water_area": ("code", "river_code", "name", "kind"),
    "landmark": ("code", "name", "kind"),
    "boundary_line": (
        "code",
        "version_code",
        "river_code",
        "bank",
        "line_type",
        "basis",
        "announce_gov",
        "announce_doc_no",
        "announced_on",
    ),
    "boundary_area": ("code", "version_code", "river_code"),
    "function_zone": ("code", "river_code", "bank", "zone_type", "plan_name", "approval_no"),
    "source_zone": ("code", "name", "zone_class", "doc_no", "approved_by"),
}
_PUBLIC_ONLY = dict.fromkeys(("boundary_line", "source_zone"), ("basis", "announced"))
_TABLES = {"boundary_line": "data.boundary_segment"}
_WRITABLE = {"candidate": "import"}
# what clients that cannot name a version in a header send back with the thing
_LOCKS = {"candidate": (_c("version", "integer", "版本", "version"),)}


def _of_layer(layer: layers.Layer) -> Collection:
    """A layer of the contract: its code, its columns, and the days on which it is so."""
    assert layer.geometry
    return Collection(
        layer.name, layer.zh, layer.en, layer.geometry, (CODE, *layer.columns, *_LOCKS.get(layer.name, ()), *VALID), "view",
        _TABLES.get(layer.name, f"data.{layer.name}"), writable=_WRITABLE.get(layer.name),
        public=_PUBLIC.get(layer.name, ()), public_only=_PUBLIC_ONLY.get(layer.name),
    )  # fmt: skip


# fmt: off
_MADE = (
    Collection("river", "河流", "river", "MultiLineString", (CODE, *layers.LAYERS["river"].columns, *VALID),
               "view", "data.river", public=_PUBLIC["river"]),
    Collection("finding", "疑似问题线索", "suspected lead", "Geometry", (
        _c("topic", "text", "事项", "topic", ("encroachment", "outfall_in_zone", "outfall_position", "boundary_line")),
        _c("first_night", "date", "首次提出", "first night"), _c("night", "date", "最近一夜", "last night"),
        _c("district", "text", "行政区", "district"), _c("status", "text", "状态", "status"), _c("state", "text", "处置状态", "state"),
        _c("area_m2", "number", "线内面积 m2", "area inside the line, m2"), _c("observed_share", "number", "可见比例", "observed share"),
        _c("class_code", "text", "类别", "class"), _c("position", "text", "线内外", "position to the line"),
        _c("basis", "text", "界线依据", "basis of the line"), _c("clause", "text", "涉及条款", "clause it refers to"),
        _c("competent_authority", "text", "主管部门", "competent authority"), _c("our_action", "text", "本系统可做", "what we may do"),
    ), "view", "app.finding", ("id", None)),
    Collection("imagery", "影像", "image scene", "MultiPolygon", (
        CODE, _c("taken_on", "date", "拍摄日期", "taken on"), _c("gsd_m", "number", "地面分辨率 m", "ground sampling distance, m"),
        _c("bands", "text", "波段", "bands"), _c("source_crs", "text", "原坐标系", "system of the file"), *VALID), "view", "data.imagery"),
    Collection("patrol_track", "巡河轨迹", "patrol track", "LineString", (
        _DAY, _c("chief_code", "text", "河长编码", "chief code", refers="chief"), _c("mode", "text", "方式", "mode"),
        _c("started_at", "time", "开始", "started at"), _c("ended_at", "time", "结束", "ended at"),
        _c("fix_count", "integer", "定位点数", "fixes"), _c("unit_code", "text", "行政区编码", "unit code")),
        "view_tracks", "data.track", ("id", None), personal=True),
    Collection("patrol_fix", "巡河定位点", "position fix", "Point", (
        _c("track_id", "text", "轨迹", "track"), _c("seq", "integer", "序号", "order"), _c("at", "time", "时间", "time"),
        _c("acc_m", "number", "定位精度 m", "accuracy, m"), _c("speed_ms", "number", "速度 m/s", "speed, m/s"),
        _c("mark", "text", "不采用原因", "why not used")), "view_tracks", "data.fix", ("track_id", "seq"), personal=True),
    Collection("patrol_leg", "巡查岸段", "stretch of bank of a patrol", "LineString", (
        _c("track_id", "text", "轨迹", "track"), _DAY, _REACH, _BANK, _FROM, _TO, _c("seen", "boolean", "已见", "seen"),
        _c("reason", "text", "未见原因", "why not seen"), _c("started_at", "time", "开始", "started at"),
        _c("ended_at", "time", "结束", "ended at")), "view_tracks", "data.leg", ("result_id", "seq"), personal=True),
    Collection("coverage", "巡查覆盖", "patrol coverage", "LineString", (
        _DAY, _REACH, _BANK, _FROM, _TO, _c("seen", "boolean", "已见", "seen"), _c("reason", "text", "未见原因", "why not seen")),
        "view_tracks", "data.leg", ("result_id", "seq")),
    Collection("boundary_draft_line", "草案界线", "line of a draft", "LineString", (
        CODE, _c("draft_code", "text", "草案编号", "draft"), _c("draft_title", "text", "草案名称", "title of the draft"),
        _c("state", "text", "草案状态", "state of the draft"), _RIVER, _c("reach_code", "text", "河段编码", "reach code"), _BANK, _FROM, _TO,
        _c("length_m", "number", "长度 m", "length, m"), _c("basis", "text", "成果性质", "basis", ("draft", "announced", "surrogate", "computed")),
        _c("drawn_by", "text", "划定方法", "drawn by"), _c("hand_edited", "boolean", "人工修改", "edited by hand"),
        _c("basis_text", "text", "依据", "what it rests on"), _c("flood_level_m", "number", "洪水位 m", "flood level, m"),
        _c("tolerance_m", "number", "容差 m", "tolerance, m"), _c("note", "text", "备注", "note"),
        _c("edition", "integer", "版次", "edition"), _c("draft_revision", "integer", "草案修订号", "revision of the draft"),
        _c("changed_by", "text", "修改人", "changed by")),
        "draft_boundary", "app.boundary_draft_line", ("segment_id", "edition"), writable="draft_boundary", also=("review_boundary",)),
    Collection("report", "现场报告", "report from the place", "Point", (
        _c("kind", "text", "类型", "kind"), _c("word", "text", "原词", "word of the source"), _c("at", "time", "发现时间", "seen at"),
        _c("accuracy_m", "number", "点位误差 m", "position error, m"), _c("note", "text", "备注", "note")),
        "view_tracks", "data.report", ("id", None), writable="inspect", personal=True, also=("inspect",)),
)
# fmt: on

COLLECTIONS: dict[str, Collection] = {
    c.id: c for c in (*(_of_layer(x) for x in layers.LAYERS.values() if x.geometry and x.name != "axis"), *_MADE)
}


def collection(name: str) -> Collection:
    """The collection of that name; ``NotFound`` lists the names there are."""
    if name not in COLLECTIONS:
        raise NotFound(f"There is no collection {name!r}; the collections are {', '.join(COLLECTIONS)}.")
    return COLLECTIONS[name]
