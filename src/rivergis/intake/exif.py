"""What a camera wrote into a picture beside the picture: EXIF, and the XMP of drones. Every value may be missing or nonsense."""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from rivergis.intake.times import REGION

# read as text, not as XML: what is asked of it is a few numbers, and much of it in the wild is not well-formed
_DRONE = re.compile(
    r'(?<![\w/-])(?:drone-[\w-]+|drone|dji|autel|skydio|parrot|Camera)\s*:\s*(\w+)\s*(?:=\s*["\']([^"\']{1,100})["\']|>([^<]{1,100})<)',
    re.IGNORECASE,
)
_DRONE_MAKES = ("parrot", "autel", "skydio", "yuneec")
_DRONE_MODELS = re.compile(r"FC\d|ZH20|ZENMUSE|M3[0ETM]|M30|L[123]D|MAVIC|PHANTOM|INSPIRE|MATRICE|P4", re.IGNORECASE)
_WGS84 = re.compile(r"(?:WGS[\s_-]*(?:19)?84|CGCS[\s_-]*2000|EPSG:4326)?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{4})\D(\d{1,2})\D(\d{1,2})[\sT]+(\d{1,2})\D(\d{1,2})(?:\D(\d{1,2}))?")
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")


@dataclass
class Said:
    """What was found; None where the picture does not say it. Times are UTC, angles degrees clockwise from north."""

    lon: float | None = None
    lat: float | None = None
    why_no_position: str = "it carries no position"
    signs_assumed: bool = False
    """Degrees without N/S or E/W: taken as north and east."""
    void: bool = False
    """The receiver itself says that it had no fix."""
    altitude_m: float | None = None
    altitude_of: str | None = None
    heading_deg: float | None = None
    heading_north: str | None = None
    error_m: float | None = None
    map_datum: str | None = None
    taken_at: datetime | None = None
    time_basis: str | None = None
    """offset (the camera names its zone) | assumed (Asia/Shanghai) | gps (only the receiver's clock)."""
    gps_at: datetime | None = None
    make: str = ""
    model: str = ""
    software: str = ""
    turned: int = 1
    drone: dict[str, float] = field(default_factory=dict)
    """Numbers of the drone's XMP by lower-case name."""
    is_drone: bool = False
    xmp_position: tuple[float, float] | None = None

    def facts(self) -> dict[str, Any]:
        return {
            "taken_at": self.taken_at and self.taken_at.isoformat(),
            "time_basis": self.time_basis,
            "gps_at": self.gps_at and self.gps_at.isoformat(),
            "altitude_m": self.altitude_m,
            "altitude_of": self.altitude_of,
            "relative_height_m": self.drone.get("relativealtitude", self.drone.get("abovegroundaltitude")),
            "heading_deg": self.heading_deg,
            "heading_north": self.heading_north,
            "gimbal_pitch_deg": self.drone.get("gimbalpitchdegree"),
            "gimbal_yaw_deg": self.drone.get("gimbalyawdegree"),
            "error_m": self.error_m,
            "camera": " ".join(filter(None, (self.make, self.model))) or None,
            "software": self.software or None,
            "orientation": self.turned,
        }


def read(image: Image.Image) -> Said:
    """Everything that EXIF and XMP tell of the place, the time and the camera."""
    said = Said()
    main = _ifd(image, None)
    said.make, said.model, said.software = (_text(main.get(t)) for t in (Base.Make, Base.Model, Base.Software))
    turned = main.get(Base.Orientation)
    said.turned = turned if isinstance(turned, int) and 1 <= turned <= 8 else 1
    gps = _ifd(image, IFD.GPSInfo)
    _position(said, gps)
    _height_and_heading(said, gps)
    _times(said, main, _ifd(image, IFD.Exif), gps)
    _drone(said, image)
    return said


def _ifd(image: Image.Image, which: int | None) -> dict[int, Any]:
    """One directory of tags; a broken one is empty."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tags = image.getexif()
            return dict(tags if which is None else tags.get_ifd(which))
    except Exception:  # Pillow raises whatever the bytes provoke: struct, Syntax, Type, Key, Value errors
        return {}


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.removeprefix(b"ASCII\0\0\0").decode("utf-8", "replace")
    return " ".join(value.replace("\0", " ").split())[:200] if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    """A finite number of a rational, a plain number or the first of several; 0/0 is none."""
    if isinstance(value, (tuple, list)):
        value = value[0] if value else None
    if isinstance(value, bytes):
        value = value[0] if len(value) == 1 else None
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _degrees(value: Any) -> float | None:
    """Degrees of one to three parts; minutes and seconds must be such, a missing second part is nought."""
    parts = [_number(v) for v in (value if isinstance(value, (tuple, list)) else (value,))][:3]
    if not parts or any(p is None or p < 0 for p in parts) or any(p >= 60.0001 for p in parts[1:] if p is not None):
        return None
    return sum(p / 60**i for i, p in enumerate(parts) if p is not None)


def _position(said: Said, gps: dict[int, Any]) -> None:
    if GPS.GPSLatitude not in gps and GPS.GPSLongitude not in gps:
        return
    lat, lon = _degrees(gps.get(GPS.GPSLatitude)), _degrees(gps.get(GPS.GPSLongitude))
    if lat is None or lon is None or lat > 90 or lon > 180:
        said.why_no_position = "the position in it is no position (not degrees, or beyond 90 and 180)"
        return
    if max(lat, lon) < 1e-4:
        said.why_no_position = "its position is 0, 0: the receiver had no fix"
        return
    south, west = (_text(gps.get(t)).upper()[:1] for t in (GPS.GPSLatitudeRef, GPS.GPSLongitudeRef))
    said.signs_assumed = south not in {"N", "S"} or west not in {"E", "W"}
    said.lat, said.lon = (-lat if south == "S" else lat), (-lon if west == "W" else lon)
    said.void = _text(gps.get(GPS.GPSStatus)).upper()[:1] == "V"
    said.error_m = _number(gps.get(GPS.GPSHPositioningError))
    datum = _text(gps.get(GPS.GPSMapDatum))
    said.map_datum = None if _WGS84.fullmatch(datum) else datum


def _height_and_heading(said: Said, gps: dict[int, Any]) -> None:
    height, ref = _number(gps.get(GPS.GPSAltitude)), _number(gps.get(GPS.GPSAltitudeRef))
    if height is not None:
        # 0 and 1 count from the sea, 2 and 3 (EXIF 3) from the ellipsoid; odd ones are below
        said.altitude_m = -height if ref in (1, 3) else height
        said.altitude_of = {0: "sea_level", 1: "sea_level", 2: "ellipsoid", 3: "ellipsoid"}.get(
            int(ref) if ref is not None else -1
        )
    heading = _number(gps.get(GPS.GPSImgDirection))
    if heading is not None and 0 <= heading <= 360:
        said.heading_deg = heading % 360
        said.heading_north = {"T": "true", "M": "magnetic"}.get(_text(gps.get(GPS.GPSImgDirectionRef)).upper()[:1])


def _times(said: Said, main: dict[int, Any], inner: dict[int, Any], gps: dict[int, Any]) -> None:
    said.gps_at = _gps_time(gps)
    clocks = (
        (inner.get(Base.DateTimeOriginal), inner.get(Base.OffsetTimeOriginal)),
        (inner.get(Base.DateTimeDigitized), inner.get(Base.OffsetTimeDigitized)),
        (main.get(Base.DateTime), inner.get(Base.OffsetTime)),
    )
    for clock, offset in clocks:
        local = _clock(_text(clock))
        if local is None:
            continue
        zone = _OFFSET.fullmatch(_text(offset)) or re.fullmatch("(Z)", _text(offset))
        said.time_basis = "offset" if zone else "assumed"
        said.taken_at = (
            (local - _shift(zone)).replace(tzinfo=UTC) if zone else local.replace(tzinfo=REGION).astimezone(UTC)
        )
        return
    if said.gps_at is not None:
        said.taken_at, said.time_basis = said.gps_at, "gps"


def _shift(zone: re.Match[str]) -> timedelta:
    if zone[1] == "Z":
        return timedelta(0)
    east = timedelta(hours=int(zone[2]), minutes=int(zone[3]))
    return east if zone[1] == "+" else -east


def _clock(text: str) -> datetime | None:
    found = _CLOCK.match(text)
    try:
        if not found:
            return None
        year, month, day, hour, minute, second = (int(g or 0) for g in found.groups())
        return datetime(year, month, day, hour, minute, second) if year > 1 else None
    except ValueError:
        return None


def _gps_time(gps: dict[int, Any]) -> datetime | None:
    day, parts = _text(gps.get(GPS.GPSDateStamp)), gps.get(GPS.GPSTimeStamp)
    if not isinstance(parts, (tuple, list)) or len(parts) != 3:
        return None
    hour, minute, second = (_number(p) for p in parts)
    found = re.match(r"(\d{4})\D(\d{1,2})\D(\d{1,2})", day)
    if not found or hour is None or minute is None or second is None:
        return None
    try:
        start = datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC)
        return start + timedelta(hours=hour, minutes=minute, seconds=second) if 0 <= hour < 25 else None
    except (ValueError, OverflowError):
        return None


def _drone(said: Said, image: Image.Image) -> None:
    xmp = (
        image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or (getattr(image, "tag_v2", None) or {}).get(700)
    )
    text = xmp.decode("utf-8", "replace") if isinstance(xmp, bytes) else xmp if isinstance(xmp, str) else ""
    told = {m[1].lower(): (m[2] or m[3] or "").strip() for m in _DRONE.finditer(text[: 1 << 20])}
    said.drone = {k: n for k, v in told.items() if re.fullmatch(r"[+-]?[\d.]+", v) and (n := _number(v)) is not None}
    make = said.make.lower()
    said.is_drone = (
        bool({"relativealtitude", "gimbalpitchdegree", "flightyawdegree"} & set(said.drone))
        or make.startswith(_DRONE_MAKES)
        or (make.startswith(("dji", "hasselblad")) and bool(_DRONE_MODELS.match(said.model)))
    )
    lat = said.drone.get("gpslatitude", said.drone.get("latitude"))
    # one maker's firmware misspells it
    lon = said.drone.get("gpslongitude", said.drone.get("gpslongtitude", said.drone.get("longitude")))
    if lat is not None and lon is not None and abs(lat) <= 90 and abs(lon) <= 180 and max(abs(lat), abs(lon)) > 1e-4:
        said.xmp_position = (lon, lat)
    if said.heading_deg is None and "gimbalyawdegree" in said.drone:
        said.heading_deg = said.drone["gimbalyawdegree"] % 360
