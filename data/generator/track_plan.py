"""The month of patrols: who walked where and when, and what is wrong with some of the tracks. China civil time."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Leg:
    """One stretch walked beside a river (``from_m`` above ``to_m``: upstream), ``bank`` looking downstream."""

    river: str
    from_m: float
    to_m: float
    bank: str
    beyond_m: float = 0.0
    """Extra distance from the river beyond the usual path."""


@dataclass(frozen=True)
class Patrol:
    day: int
    """Day of May 2026."""
    start: str
    chief: str
    legs: tuple[Leg, ...]
    fmt: str
    kind: str = "honest"
    """honest, afar, or what was faked: replay, drive, teleport, synthetic."""
    datum: str = "wgs84"
    declared: str | None = "wgs84"
    interval_s: int = 12
    speed_ms: float = 1.3
    mode: str = "app"
    gaps: tuple[tuple[float, float], ...] = ()
    """Chainages of the first leg between which no position was kept."""
    copy_of: int | None = None
    """Index of the patrol whose track is replayed."""
    clock_s: int = 0
    """How far the phone's clock is ahead of true time."""
    rest_min: float = 0.0
    """One long stop in the middle."""
    notes: dict[str, str] = field(default_factory=dict)


def _hz(unit: str, serial: int = 1) -> str:
    return f"HZ{unit}{serial:02d}"


LUZHOU, BAIAO = _hz("500199001201"), _hz("500199001202")
QIYUN, QIYUN2 = _hz("500199001203"), _hz("500199001203", 2)
LIXUE, TING, TING2 = _hz("500199001204"), _hz("500199002201"), _hz("500199002201", 2)
QING, YAN, YAN2 = _hz("500199002202"), _hz("500199002203"), _hz("500199002203", 2)
WAN_OLD, WAN_NEW = _hz("500199002204"), _hz("500199002204", 2)
TOWN1, TOWN1B, TOWN2, TOWN2B = _hz("500199001"), _hz("500199001", 2), _hz("500199002"), _hz("500199002", 2)

STORY = 36
"""Index of the village patrol of the story."""

PATROLS = (
    Patrol(2, "08:10", LUZHOU, (Leg("YXH", 200, 2300, "right"),), "gpx"),
    Patrol(2, "07:20", BAIAO, (Leg("BAX", 300, 2100, "left"),), "csv", interval_s=15),
    Patrol(3, "08:30", QIYUN, (Leg("YXH", 3900, 6100, "right"),), "gpx"),
    Patrol(3, "15:00", WAN_OLD, (Leg("YXH", 11000, 12700, "left"),), "csv", mode="offline_upload"),
    Patrol(4, "09:00", TING, (Leg("YXH", 7700, 10400, "left"),), "geojson", speed_ms=1.4, interval_s=15),
    Patrol(5, "07:40", QING, (Leg("QTK", 80, 980, "left"), Leg("QTH", 20, 520, "left")), "gpx"),
    Patrol(5, "16:10", YAN, (Leg("YSH", 2400, 300, "right"),), "csv"),
    Patrol(6, "08:00", LIXUE, (Leg("LXG", 300, 2700, "left"),), "gpx", datum="gcj02", declared="gcj02"),
    Patrol(6, "10:20", TOWN1, (Leg("YXH", 5400, 6700, "left"),), "gpx"),
    Patrol(7, "08:20", QIYUN2, (Leg("BAX", 3500, 5500, "right"),), "geojson"),
    Patrol(8, "09:10", TOWN2B, (Leg("CSG", 300, 2000, "left"),), "csv", interval_s=15),
    Patrol(8, "08:00", TING2, (Leg("YXH", 10600, 8600, "right"),), "csv", gaps=((9700, 9250),)),
    Patrol(9, "17:30", WAN_OLD, (Leg("CSG", 400, 2900, "right"),), "geojson", interval_s=15),
    Patrol(9, "08:40", QIYUN, (Leg("YXH", 5500, 7400, "left"), Leg("YXH", 7400, 6600, "right")), "gpx", interval_s=15),
    Patrol(10, "07:50", LUZHOU, (Leg("LTG", 900, 3500, "left"),), "csv", datum="gcj02", declared=None, interval_s=15),
    Patrol(11, "08:15", BAIAO, (Leg("TZG", 200, 2400, "right"),), "gpx", clock_s=2220),
    Patrol(11, "08:30", YAN, (Leg("YSH", 400, 3000, "left"),), "geojson", interval_s=15),
    Patrol(12, "09:30", TOWN2, (Leg("YXH", 7800, 9600, "right"),), "gpx"),
    Patrol(12, "08:05", QING, (Leg("STX", 200, 1650, "left"),), "csv"),
    Patrol(13, "08:30", YAN2, (Leg("YSH", 610, 990, "left"), Leg("YSH", 990, 620, "right")), "gpx", rest_min=62.0,
           notes={"idle": "more than an hour standing"}),
    Patrol(14, "07:10", TING, (Leg("YXH", 7700, 10600, "left"),), "csv", kind="drive", speed_ms=16.6, interval_s=5),
    Patrol(14, "16:00", LIXUE, (Leg("LXG", 2800, 900, "right"),), "gpx", gaps=((2100, 1650),)),
    Patrol(15, "08:00", WAN_OLD, (Leg("YXH", 10900, 12600, "right"),), "geojson"),
    Patrol(15, "10:00", TOWN1B, (Leg("WLG", 400, 2300, "left"),), "csv"),
    Patrol(16, "08:20", WAN_NEW, (Leg("YXH", 12700, 11000, "left"),), "gpx"),
    Patrol(16, "09:00", QIYUN2, (Leg("WLG", 300, 2800, "right"),), "csv", datum="gcj02", declared=None, interval_s=15),
    Patrol(17, "08:10", LUZHOU, (Leg("YXH", 1900, 3700, "right"),), "gpx", datum="gcj02", declared="gcj02"),
    Patrol(17, "08:40", QIYUN, (), "csv", kind="replay", copy_of=2),
    Patrol(18, "08:30", WAN_NEW, (Leg("CSG", 2800, 600, "left"),), "csv"),
    Patrol(18, "07:45", QING, (Leg("TXG", 150, 1300, "right"),), "geojson"),
    Patrol(18, "09:20", TING2, (Leg("YXH", 7700, 9300, "right", 175.0),), "gpx", kind="afar",
           notes={"afar": "along the road, the river seen from too far away"}),
    Patrol(19, "08:00", YAN, (Leg("GTG", 300, 2700, "right"),), "gpx", kind="teleport"),
    Patrol(19, "08:30", BAIAO, (Leg("BAX", 1400, 3200, "right"),), "geojson", gaps=((2000, 2400),)),
    Patrol(19, "15:20", LIXUE, (Leg("LXG", 400, 2600, "left"),), "csv", kind="synthetic", interval_s=10),
    Patrol(20, "08:00", TING, (Leg("YXH", 7650, 10500, "left"),), "csv", speed_ms=1.35, interval_s=15),
    Patrol(20, "07:05", TING2, (Leg("YXH", 10500, 8200, "right"),), "geojson", datum="gcj02", declared=None),
    Patrol(20, "08:20", QIYUN, (Leg("YXH", 5400, 6650, "left"), Leg("YXH", 6720, 7100, "left", 168.0),
                                Leg("YXH", 7150, 7500, "left")), "gpx", interval_s=10, gaps=((5850, 6250),)),
    Patrol(20, "09:10", WAN_NEW, (), "gpx", kind="replay", copy_of=22),
    Patrol(21, "08:00", QIYUN2, (Leg("WBG", 700, 1950, "left"), Leg("WB1", 60, 850, "right")), "csv"),
    Patrol(22, "08:15", LUZHOU, (Leg("YXH", 3600, 1800, "right"),), "geojson", mode="offline_upload"),
    Patrol(25, "07:55", TOWN2, (Leg("YSH", 4000, 5000, "left"),), "csv"),
    Patrol(27, "16:30", TING, (Leg("QTH", 600, 1800, "right"),), "gpx", mode="offline_upload"),
)  # fmt: skip
