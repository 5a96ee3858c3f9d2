"""What stands on the ground near the rivers: one row per planted object, by river, place and offset.

Place is the chainage, on the trunk the local easting; offset is metres left of the axis (negative: right), or
``line+d`` / ``line-d``: that far outside or inside the boundary line of that bank.
"""

from __future__ import annotations

from dataclasses import dataclass

DELIVERIES = ("2026-05-18", "2026-05-20")
IMAGES = ("2026-04-11", "2026-05-19")


@dataclass(frozen=True)
class Spec:
    key: str
    kind: str
    subtype: str
    river: str
    place: float
    offset: float | str
    size: tuple[float, float]
    """Along and across the river, metres; for a blob its radius and stretch."""
    shape: str = "rect"  # rect, blob, strip (follows the line), corner (turned by 45 degrees)
    name: str | None = None
    source: str = "landuse"
    seen: str = "2026-05-18"
    appears: str = "2026-01-01"
    """First day on which an image shows it."""
    deliveries: tuple[str, ...] = DELIVERIES


NEW = ("2026-05-20",)
SPECS = (
    # --- the story of the morning of 20 May
    Spec("new", "building", "hard_surface", "YXH", 6020, 60.0, (27, 17), name="硬化场地及厂房", source="remote_sensing",
         seen="2026-05-19", appears="2026-05-01", deliveries=NEW),
    Spec("permitted_dump", "dump", "dredged_material", "YXH", 6750, -58.0, (14, 1.2), "blob", "疏浚弃土堆",
         appears="2026-05-01"),
    Spec("clouded", "occupation", "greenhouse", "YXH", 7450, -60.0, (45, 16), name="疑似大棚", source="remote_sensing",
         seen="2026-05-19", appears="2026-05-01", deliveries=NEW),
    # --- inside the lines
    Spec("house_1", "building", "house", "YXH", 5650, 58.0, (14, 10), name="河滩民房", source="footprint"),
    Spec("house_2", "building", "house", "YXH", 8450, -62.0, (16, 11), source="footprint"),
    Spec("berm_house", "building", "house", "YXH", 6900, 109.0, (12, 7), name="护堤地民房", source="footprint"),
    Spec("quarry_1", "quarry", "sand", "YXH", 10200, 36.0, (14, 1.2), "blob", "采砂坑"),
    Spec("quarry_2", "quarry", "sand", "YSH", 3000, 14.0, (7, 1.2), "blob"),
    Spec("quarry_3", "quarry", "sand", "YXH", 11500, -38.0, (12, 1.2), "blob"),
    Spec("quarry_new", "quarry", "sand", "YXH", 5560, -38.0, (15, 1.3), "blob", "岸边采砂", appears="2026-05-01"),
    Spec("dump_1", "dump", "construction_waste", "YXH", 7350, 66.0, (12, 1.3), "blob", "建筑垃圾堆", "inspector",
         appears="2026-05-01"),
    Spec("dump_gone", "dump", "household_waste", "BAX", 2000, -15.0, (5.5, 1.1), "blob", "生活垃圾", "inspector",
         deliveries=("2026-05-18",)),
    Spec("dump_2", "dump", "household_waste", "BAX", 4200, 15.5, (5, 1.2), "blob", None, "inspector"),
    Spec("dump_new", "dump", "household_waste", "YSH", 4000, -16.0, (5, 1.1), "blob", "新堆垃圾", "inspector",
         seen="2026-05-20", deliveries=NEW),
    Spec("greenhouse_1", "occupation", "greenhouse", "YXH", 6650, 60.0, (60, 20)),
    Spec("greenhouse_2", "occupation", "greenhouse", "YXH", 8800, 62.0, (80, 24)),
    Spec("house_3", "building", "house", "BAX", 3600, -16.0, (10, 8), source="footprint"),
    Spec("house_4", "building", "house", "YSH", 2200, -16.0, (9, 8), source="footprint"),
    Spec("shore_house", "building", "house", "QTK", 420, "line-11", (10, 8), name="库岸房屋", source="footprint"),
    *(Spec(f"pen_{i}", "net_pen", "net_pen", "QTK", s, n, size, name=f"网箱{i}号")
      for i, (s, n, size) in enumerate(((700, -5.0, (30, 20)), (760, 28.0, (20, 12)), (800, 30.0, (20, 12)),
                                        (840, 26.0, (20, 12)), (880, -22.0, (24, 12))), start=1)),
    # --- farmland on beaches: inside, and not a matter for a finding
    *(Spec(f"arable_{i}", "occupation", "arable", "YXH", x, n, size, name="滩地耕地")
      for i, (x, n, size) in enumerate(((5980, -60.0, (70, 36)), (7060, -58.0, (80, 38)), (7280, 58.0, (34, 40)),
                                        (8150, 60.0, (90, 40)), (2900, 58.0, (90, 26)),
                                        (10800, -42.0, (40, 16))), start=1)),
    # --- permits
    Spec("bridge", "building", "bridge", "YXH", 6480, 0.0, (10, 236), name="栖云大桥", source="footprint"),
    Spec("pump_house", "building", "pump_house", "YXH", 7150, 45.0, (12, 9), name="汀湾提灌站", source="footprint"),
    Spec("temporary_yard", "occupation", "material_yard", "YXH", 5800, -65.0, (36, 20), name="临时料场"),
    Spec("stretch_yard", "occupation", "material_yard", "YXH", 8300, -60.0, (30, 18), name="防汛砂石料场"),
    Spec("station", "building", "hydrology_station", "YXH", 8620, 40.0, (7, 5), name="汀湾水文站房",
         source="footprint"),
    Spec("name_only_dump", "dump", "dredged_material", "YXH", 10950, 42.0, (7, 1.1), "blob", "晚渡码头堆土"),
    Spec("wrong_kind_quarry", "quarry", "sand", "YXH", 9450, -40.0, (10, 1.2), "blob", "许可建房处采砂"),
    Spec("part_permitted_dump", "dump", "dredged_material", "YXH", 8930, -60.0, (15, 1.4), "blob", "超范围弃土"),
    # --- on the line
    Spec("edge_1", "building", "house", "YXH", 6210, "line+0", (12, 10), source="footprint"),
    Spec("edge_2", "building", "house", "YXH", 7000, "line+1.5", (14, 9), name="右岸", source="footprint"),
    Spec("edge_3", "building", "house", "YXH", 8010, "line-1", (12, 9), source="footprint"),
    Spec("edge_4", "building", "house", "BAX", 3000, "line+0", (10, 8), source="footprint"),
    Spec("edge_5", "building", "house", "YSH", 3300, "line+0.5", (11, 8), source="footprint"),
    Spec("edge_6", "dump", "construction_waste", "YXH", 9900, "line+1", (8, 1.1), "blob", None, "inspector"),
    # --- slivers thinner than a metre, and scraps under 10 m2
    Spec("sliver_1", "occupation", "greenhouse", "YXH", 5520, "line+0.4", (46, 12), "strip"),
    Spec("sliver_2", "occupation", "greenhouse", "YXH", 7480, "line+0.6", (40, 12), "strip"),
    Spec("sliver_3", "occupation", "greenhouse", "YXH", 8230, "line+0.3", (60, 10), "strip"),
    Spec("sliver_4", "building", "warehouse", "BAX", 2500, "line+0.5", (24, 9), "strip", source="footprint"),
    Spec("small_1", "building", "shed", "YXH", 6350, 70.0, (3, 2.6), source="footprint"),
    Spec("small_2", "building", "shed", "YSH", 2500, 13.0, (3.4, 2.2), source="footprint"),
    Spec("small_3", "building", "house", "YXH", 6570, "line+2.6", (11, 11), "corner", source="footprint"),
    Spec("small_4", "building", "house", "BAX", 4700, "line+2.4", (9, 9), "corner", source="footprint"),
    # --- beside rivers whose line is a draft, or that have none; beside the wrong line
    Spec("draft_1", "building", "house", "GTG", 800, 9.0, (8, 6), source="footprint"),
    Spec("draft_2", "dump", "household_waste", "GTG", 1500, -9.5, (3.5, 1.1), "blob", None, "inspector"),
    Spec("draft_3", "building", "house", "GTG", 2200, 10.0, (9, 6), source="footprint"),
    Spec("no_line_1", "building", "house", "LTG", 3000, 9.0, (9, 7), source="footprint"),
    Spec("no_line_2", "dump", "household_waste", "CSG", 2000, -8.0, (4, 1.1), "blob", None, "inspector"),
    Spec("no_line_3", "quarry", "stone", "QTH", 900, 14.0, (9, 1.2), "blob"),
    Spec("wrong_line", "building", "house", "YSH", 1575, 13.0, (9, 7), name="错线处民房", source="footprint"),
    # --- the same thing told by a second source
    Spec("duplicate_1", "occupation", "greenhouse", "YXH", 6651, 60.6, (58, 19.4), name="大棚（遥感）",
         source="remote_sensing"),
    Spec("duplicate_2", "building", "house", "YXH", 5650.4, 58.3, (13.4, 9.6), name="河滩民房（巡查）",
         source="inspector"),
)  # fmt: skip

RIGHT_BANK_LINES = {"edge_2", "edge_5", "sliver_2", "sliver_4", "edge_6"}
"""Objects placed by the line of the right bank (the others by the left one)."""

IMAGE_ONLY = Spec("image_only", "building", "hard_surface", "YXH", 7620, 60.0, (22, 15), appears="2026-05-01",
                  deliveries=())  # fmt: skip
"""Shown by the second image, delivered by no feed: left for change detection to find."""

HAMLETS = (
    ((5720, 5260), 7), ((6620, 5330), 12), ((7330, 5120), 6), ((5350, 4420), 4), ((6880, 4430), 6), ((7900, 4330), 4),
    ((3080, 6000), 4), ((3950, 7350), 4), ((2350, 5080), 4), ((8650, 5480), 5), ((9600, 7700), 3), ((8260, 2750), 4),
    ((10250, 5560), 4), ((1350, 3650), 3), ((10900, 3450), 3),
)  # fmt: skip
"""Where people live, clear of the lines: centre and number of houses delivered as footprints."""

POINTS = (
    ("dump", "YXH", 7352, 64.0, 8.0, "村民反映有建筑垃圾"),
    ("dump", "YXH", 5900, 112.0, 30.0, "堤脚附近堆土，位置不准"),
    ("net_pen", "QTK", 760, 28.0, 15.0, "网箱养鱼"),
)
"""Inspector reports that are only points: kind, river, place, offset, accuracy in metres, remark."""
