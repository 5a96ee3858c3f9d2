"""Names under which phone apps and loggers write the columns of a track."""

from __future__ import annotations

import re
from collections.abc import Sequence

NAMES: dict[str, tuple[str, ...]] = {
    "at": (
        "at", "timestamp", "datetime", "date_time", "gpstime", "gps_time", "utctime", "utc_time", "loctime", "locatetime", "locationtime",
        "localtime", "recordtime", "record_time", "createtime", "create_time", "time", "定位时间", "采集时间", "记录时间", "轨迹时间", "时间",
        "定位日期", "打点时间", "gps时间", "utc时间",
    ),
    "date": ("date", "日期"),
    "lon": ("lon", "lng", "long", "longitude", "x", "经度", "lon_deg", "gpslon", "gps_lon", "东经"),
    "lat": ("lat", "latitude", "y", "纬度", "lat_deg", "gpslat", "gps_lat", "北纬"),
    "east_west": ("e/w", "ew"),
    "north_south": ("n/s", "ns"),
    "ele_m": ("ele_m", "ele", "elevation", "altitude", "alt", "height", "高程", "海拔", "高度"),
    "acc_m": ("acc_m", "accuracy", "acc", "precision", "radius", "精度", "定位精度", "水平精度"),
    "speed_ms": ("speed_ms", "speed", "speed_kmh", "speed(km/h)", "speed(m/s)", "速度", "速度(km/h)", "速度(m/s)", "时速"),
    "received_at": ("recv_time", "received_at", "receivetime", "uploadtime", "upload_time", "上传时间", "接收时间"),
    "segment": ("segment", "trip", "tripid", "trackid", "track_id", "轨迹编号", "设备号", "设备编号", "设备", "device", "deviceid", "device_id",
                "imei", "姓名", "人员", "巡河人", "巡查人", "巡河员", "userid", "user_id", "user", "username"),
}  # fmt: skip
FIELDS = ("at", "lon", "lat", "ele_m", "acc_m", "speed_ms", "received_at")
"""Those that are columns of fixes as they stand."""


def plain(name: str) -> str:
    """A column's name without case, blanks around it and full-width brackets."""
    return re.sub(r"\s+", "", str(name).strip().lower()).replace("（", "(").replace("）", ")")


def found_names(columns: Sequence[str]) -> dict[str, str]:
    """Our name of a column to the table's, for each that is there under one of its names; the first name wins."""
    known = {plain(c): c for c in reversed(columns)}
    return {
        ours: known[name]
        for ours, names in NAMES.items()
        for name in [next((n for n in names if n in known), "")]
        if name
    }


def in_kmh(name: str) -> bool:
    return "km" in name.lower() or "时速" in name
