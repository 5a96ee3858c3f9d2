"""The plan of the rivers: names, control points and profiles. Local metres, first point upstream; all invented."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RiverPlan:
    code: str
    name: str
    name_en: str
    kind: str
    points: tuple[tuple[float, float], ...]
    half_width_m: float
    joins: str | None
    """River at whose axis the last point is tied; None: leaves the county or ends in another plan's start."""
    top_m: float
    """Water level at the upstream end (1985 height datum, invented)."""
    flat_m: float
    """Half width of the valley floor."""
    meander_m: float = 14.0
    grade: str = "5"


TRUNK = RiverPlan(
    "YXH", "云溪河", "Yunxi River", "river",
    ((0, 4300), (700, 4420), (1400, 4200), (2100, 4350), (2800, 4700), (3500, 4750), (4200, 4480), (4900, 4560),
     (5600, 4900), (6300, 5050), (7000, 4820), (7700, 4700), (8400, 4950), (9100, 5300), (9800, 5250),
     (10500, 4950), (11200, 5150), (12000, 5600)),
    27.0, None, 262.0, 420.0, 22.0, "4",
)  # fmt: skip
TRUNK_END_LEVEL_M = 249.5

TRIBUTARIES = (
    RiverPlan("BAX", "柏坳溪", "Bai'ao Creek", "river",
              ((3300, 9600), (3500, 8800), (3250, 8000), (3600, 7200), (4000, 6500), (3900, 5800), (4350, 5150),
               (4550, 4500)), 8.0, "YXH", 338.0, 90.0),
    RiverPlan("YSH", "砚石河", "Yanshi River", "river",
              ((8800, 300), (8500, 1100), (8700, 1900), (8100, 2500), (7900, 3200), (8050, 3900), (7700, 4700)),
              7.5, "YXH", 322.0, 130.0),
    RiverPlan("TZG", "听竹沟", "Tingzhu Brook", "river",
              ((1400, 8300), (2000, 7900), (2500, 7400), (3000, 7150), (3600, 7200)), 3.5, "BAX", 365.0, 35.0),
    RiverPlan("NYG", "楠影沟", "Nanying Brook", "river",
              ((700, 6900), (1100, 7300), (1600, 7500), (2200, 7700)), 2.5, "TZG", 372.0, 20.0),
    RiverPlan("GTG", "葛藤沟", "Geteng Brook", "river",
              ((5800, 700), (6500, 1100), (7100, 1500), (7600, 2050), (8100, 2500)), 4.0, "YSH", 345.0, 45.0),
    RiverPlan("WLG", "乌榄沟", "Wulan Brook", "river",
              ((5700, 8600), (5900, 7900), (5750, 7200), (6100, 6500), (6350, 5900), (6380, 5040)),
              3.0, "YXH", 352.0, 50.0),
    RiverPlan("LTG", "芦汀沟", "Luting Brook", "river",
              ((900, 900), (1300, 1700), (1200, 2500), (1600, 3200), (1650, 4240)), 3.0, "YXH", 340.0, 40.0),
    RiverPlan("LXG", "梨雪沟", "Lixue Brook", "river",
              ((4000, 900), (4300, 1800), (4900, 2600), (5000, 3500), (5180, 4640)), 3.0, "YXH", 350.0, 40.0),
    RiverPlan("CSG", "澄砂沟", "Chengsha Brook", "river",
              ((10900, 1500), (10700, 2300), (10950, 3200), (10600, 4000), (10500, 4950)), 3.0, "YXH", 338.0, 45.0),
    RiverPlan("QTH", "青棠河", "Qingtang River", "river",
              ((9900, 6950), (9750, 6500), (9950, 6000), (9900, 5500), (9800, 5250)), 5.0, "YXH", 273.0, 55.0),
)  # fmt: skip

UPPER_VALLEY = RiverPlan(
    "STX", "上棠溪", "Shangtang Creek", "river",
    ((10800, 9500), (10700, 8800), (10350, 8000), (10150, 7500), (9900, 6950)), 3.5, None, 342.0, 22.0, 10.0,
)  # fmt: skip
"""The valley above the dam: its upper part is the creek 上棠溪, its flooded part the flow path of the reservoir."""
SIDE_VALLEY = RiverPlan(
    "TXG", "桃汐沟", "Taoxi Brook", "river",
    ((9000, 8900), (9300, 8300), (9700, 7800), (10130, 7480)), 2.5, "QTK", 350.0, 18.0, 8.0,
)  # fmt: skip

RESERVOIR = ("QTK", "青棠水库", "Qingtang Reservoir")
NORMAL_LEVEL_M = 292.0
DAM_CREST_M = 295.0
VALLEY_FOOT_M = 277.0
"""Old bed at the dam."""

DITCH_X = (5900.0, 6350.0, 6800.0, 7250.0)
DITCHES = {
    "WBG": ("晚坝干渠", "Wanba Main Canal"),
    "WBP": ("晚坝排水沟", "Wanba Drain"),
    "WB1": ("晚坝一支渠", "Wanba Ditch 1"),
    "WB2": ("晚坝二支渠", "Wanba Ditch 2"),
    "WB3": ("晚坝三支渠", "Wanba Ditch 3"),
    "WB4": ("晚坝四支渠", "Wanba Ditch 4"),
}

# chainage on the trunk is given by local easting, because that is what one reads off the drawing
BRAIDS = (("B1", 2330.0, 3420.0, 112.0, 11.0), ("B2", 2780.0, 3720.0, -98.0, 9.0))
LEVEES = (("left", 5000.0, 9050.0), ("right", 5420.0, 7560.0), ("right", 7880.0, 9050.0))
LEVEE_GRADE = 4
LEVEE_CREST_N = 92.0
LEVEE_TOE_N = 104.0
BERM_M = 10.0
"""护堤地 outside the landward toe, as the invented announcement sets it (grade 4)."""

COVERED = ("WLG", 5750.0, 5130.0)
"""Covered stretch 暗渠: between these local northings."""
REVERSED = (("TZG", 2), ("CSG", 1))
"""River and seq of the two reaches that are digitised against the flow on purpose."""
