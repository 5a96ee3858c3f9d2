"""Photos: where and when they were taken as far as they say, and whose place that is; one picture used twice is noticed.

A drone's photo tells where the drone was, not what it looked at. A picture out of a chat tells nothing: it is placed by hand,
and that is a lower grade of evidence.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from PIL import Image, ImageFile, UnidentifiedImageError

from rivergis import crs
from rivergis.errors import InputError
from rivergis.intake import exif, sources
from rivergis.intake.delivery import Asked, Declared, Defect, Delivered, Reading, defect
from rivergis.intake.limits import Limits

_FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF")
_HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_T = Image.Transpose
TURNS = {
    2: _T.FLIP_LEFT_RIGHT,
    3: _T.ROTATE_180,
    4: _T.FLIP_TOP_BOTTOM,
    5: _T.TRANSPOSE,
    6: _T.ROTATE_270,
    7: _T.TRANSVERSE,
    8: _T.ROTATE_90,
}
"""What EXIF's orientation asks for."""
_CONTRAST = 3.0
"""Standard deviation of grey below which a picture looks like nothing: night, sky, a blank page."""
_COLUMNS = (
    "taken_at", "time_basis", "position_of", "position_grade", "error_m", "altitude_m", "altitude_of", "relative_height_m",
    "heading_deg", "heading_north", "gimbal_pitch_deg", "camera",
)  # fmt: skip
"""Attributes of the one feature, where the photo tells them."""

_CLOCKS_APART = timedelta(minutes=5)
_IMPRECISE_M = 50.0
_SAME_M = 30.0
_SAME_TIME = timedelta(seconds=2)
_BURST = timedelta(minutes=1)
# bits of the two hashes that re-saving, scaling and a chat's compression turn over; the same place on two days turns over 57
_DIFFERENCE_BITS, _COSINE_BITS = 24, 6
_SURE_BITS = 12
"""So few of the first that the second may say what it likes: a time stamped into the picture changes its slow waves."""
_HASH_BYTES = 40


def read_photo(path: Path, asked: Asked, limits: Limits) -> Reading:
    """A photo as one Point in EPSG:4326 degrees (None where it tells no place), with times in UTC and its defects.

    ``facts``: position_of (camera | drone), position_grade (measured | hand_placed), taken_at, gps_at, time_basis, altitude_m,
    altitude_of, relative_height_m, heading_deg, heading_north, gimbal_pitch_deg, error_m, camera, lon, lat, picture_hash, sha256.
    ``InputError`` when it is no picture, or one that cannot be read here.
    """
    _refuse_unreadable(path)
    with opened(path, limits) as image:
        said = exif.read(image)
        layer = Delivered(path.stem, "vector", 1, geometry_types=("Point",))
        layer.facts = {"width": image.width, "height": image.height, **said.facts()}
        form = str(image.format)
        layer.facts["picture_hash"] = _look(path, image, said.turned, layer)
    layer.facts["sha256"] = sources.sha256(path)
    _place(path, said, layer)
    layer.add(*_times(path, said), *_doubts(path, said))
    layer.frame = pd.DataFrame([{k: v for k in _COLUMNS if (v := layer.facts.get(k)) is not None}], index=[1])
    return Reading(f"{form} photo", [layer])


def _refuse_unreadable(path: Path) -> None:
    with path.open("rb") as handle:
        head = handle.read(64)
    if not head:
        raise InputError(f"{path.name} is empty (0 bytes): ask for it again.", file=str(path))
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC:
        raise InputError(
            f"{path.name} is a HEIC picture, which cannot be read here: export it as JPEG with its location "
            "(iPhone: 设置-相机-格式-兼容性最佳, or share it as JPEG with 选项-所有照片数据).",
            file=str(path),
        )


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[Image.Image]:
    """A picture whose size is known and allowed; Pillow's own bound is lifted for the moment of opening, ours holds.

    Libraries that draw (WeasyPrint) tell Pillow to be content with half a picture; here it is not.
    """
    Image.init()
    content, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        with _bounded(path, limits) as image:
            yield image
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = content


@contextmanager
def _bounded(path: Path, limits: Limits) -> Iterator[Image.Image]:
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(path, formats=_FORMATS)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, OverflowError, MemoryError) as error:
        raise InputError(
            f"{path.name} cannot be read as a picture: it is damaged or of another kind; ask for it again.",
            file=str(path),
        ) from error
    finally:
        Image.MAX_IMAGE_PIXELS = before
    with image:
        if image.width * image.height > limits.pixels:
            raise InputError(
                f"{path.name} claims {image.width} x {image.height} pixels; the limit for a photo is {limits.pixels:,}.",
                file=str(path),
            )
        yield image


def _look(path: Path, image: Image.Image, turned: int, layer: Delivered) -> str | None:
    """The whole picture decoded, small: its hash, or a defect where it is cut off."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image.draft("L", (256, 256))
            grey = image.convert("L").resize((64, 64), Image.Resampling.BOX)
    except (OSError, ValueError, SyntaxError, MemoryError, TypeError, LookupError, ArithmeticError) as error:
        message = f"The picture in {path.name} is cut off or damaged ({' '.join(str(error).split())[:80]})."
        layer.add(defect("picture_cut_off", "error", message, "Ask for the original file again."))
        return None
    # a chat's copy is turned for good and has forgotten how the camera was held
    return _hash(grey.transpose(TURNS[turned]) if turned in TURNS else grey)


def _hash(grey: Image.Image) -> str | None:
    """320 bits (hex) of what the picture looks like, whatever its size, packing and metadata; None without contrast.

    256 say where brightness grows to the right, 64 how the slowest waves lie (difference and perceptual hash).
    """
    from scipy.fft import dctn  # of photos alone

    if np.asarray(grey).std() < _CONTRAST:
        return None
    rows = np.asarray(grey.resize((17, 16), Image.Resampling.BOX), float)
    waves = dctn(np.asarray(grey.resize((32, 32), Image.Resampling.BOX), float), norm="ortho")[:8, :8]
    bits = np.concatenate([(rows[:, 1:] > rows[:, :-1]).ravel(), (waves > np.median(waves)).ravel()])
    return np.packbits(bits).tobytes().hex()


def _place(path: Path, said: exif.Said, layer: Delivered) -> None:
    """The point, whose place it is, and how good: measured, or to be set by hand."""
    if said.lon is None and said.xmp_position is not None:
        said.lon, said.lat = said.xmp_position
    layer.facts["position_of"] = "drone" if said.is_drone else "camera"
    if said.lon is None:
        layer.shapes = np.array([None], dtype=object)
        layer.facts |= {"position_of": None, "position_grade": "hand_placed"}
        message = (
            f"{path.name} cannot be placed: {said.why_no_position} (a chat, a screenshot or an editor removes it)."
        )
        layer.add(
            defect(
                "photo_no_position",
                "warning",
                message,
                "Ask for the original file (原图), or place it by hand: lower grade.",
            )
        )
        return
    layer.shapes = np.array([shapely.Point(said.lon, said.lat)], dtype=object)
    layer.facts |= {"position_grade": "measured", "lon": said.lon, "lat": said.lat}
    layer.declared = Declared("EPSG:4326", "format", degrees=True)
    if said.map_datum:
        layer.declared = Declared(None, "none", degrees=True, text=f"GPSMapDatum {said.map_datum}")
    if said.is_drone:
        layer.add(_drone_position(path, said))


def _drone_position(path: Path, said: exif.Said) -> Defect:
    facts = said.facts()
    height, pitch = facts["relative_height_m"], facts["gimbal_pitch_deg"]
    over = f", {height:.0f} m above its take-off" if height is not None else ""
    looking = (
        ""
        if pitch is None
        else ", looking straight down"
        if pitch < -80
        else f", looking {-pitch:.0f} degrees below level"
    )
    message = f"The position of {path.name} is that of the drone{over}{looking}, not of what it shows."
    return defect("drone_position", "info", message, "Mark the object itself on the map.")


def _times(path: Path, said: exif.Said) -> list[Defect]:
    out = []
    if said.taken_at is None:
        return [
            defect(
                "photo_no_time",
                "info",
                f"{path.name} does not say when it was taken.",
                "Ask for the original file (原图).",
            )
        ]
    if said.time_basis == "assumed":
        message = f"{path.name} names no time zone; its clock is taken as Asia/Shanghai."
        out.append(defect("time_zone_assumed", "info", message))
    if said.taken_at > datetime.now(UTC) + timedelta(days=1) or said.taken_at.year < 1995:
        message = f"{path.name} was taken at {said.taken_at:%Y-%m-%d %H:%M} UTC by its clock, which was not set."
        out.append(defect("photo_time_implausible", "warning", message, "Ask when it was taken."))
    if said.gps_at is not None and said.time_basis != "gps":
        out += _clocks(path, said.taken_at, said.gps_at)
    return out


def _clocks(path: Path, taken_at: datetime, gps_at: datetime) -> list[Defect]:
    """Two clocks in one picture; the receiver's may be minutes old, hours are a wrong zone or an edited time."""
    apart = abs(taken_at - gps_at)
    if apart <= _CLOCKS_APART:
        return []
    hours = apart / timedelta(hours=1)
    zone = abs(hours - round(hours)) < 0.09 and 1 <= round(hours) <= 14
    why = "; a whole number of hours: one of them is in another time zone" if zone else ""
    message = (
        f"{path.name} has two times: {taken_at:%Y-%m-%d %H:%M:%S} UTC by the camera and {gps_at:%Y-%m-%d %H:%M:%S} UTC by its "
        f"receiver, {_span(apart)} apart{why}."
    )
    return [defect("photo_time_conflict", "info" if hours < 1 - 0.09 else "warning", message, "Ask when it was taken.")]


def _span(apart: timedelta) -> str:
    minutes = apart / timedelta(minutes=1)
    if minutes < 2:
        return f"{apart.total_seconds():.0f} seconds"
    if minutes < 120:
        return f"{minutes:.0f} minutes"
    return f"{minutes / 60:.1f} hours" if minutes < 2880 else f"{minutes / 1440:.0f} days"


def _doubts(path: Path, said: exif.Said) -> list[Defect]:
    """What the picture itself says against its position."""
    out: list[Defect] = []
    if said.lon is None or said.lat is None:
        return out
    if said.map_datum:
        message = f"{path.name} says that its position is in {said.map_datum!r}, not in WGS 84."
        out.append(defect("photo_datum", "warning", message, "Ask which coordinates the camera or app writes."))
    if said.signs_assumed:
        message = f"The position of {path.name} does not say north or south, east or west; north and east are taken."
        out.append(defect("gps_ref_missing", "info", message))
    if said.void:
        message = f"The receiver that placed {path.name} marked its position as void (no fix): it may be an old one."
        out.append(defect("gps_fix_void", "warning", message, "Check the place on the map."))
    if said.error_m is not None and said.error_m > _IMPRECISE_M:
        out.append(
            defect("position_imprecise", "info", f"The position of {path.name} is uncertain by {said.error_m:.0f} m.")
        )
    if said.xmp_position and (apart := _metres((said.lon, said.lat), said.xmp_position)) > _SAME_M:
        message = f"{path.name} has two positions, {apart:,.0f} m apart (EXIF and the drone's XMP); the first is used."
        out.append(defect("two_positions", "warning", message, "Ask for the original file: it was edited."))
    return out


def _metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(crs.GEOD.inv(*a, *b)[2])


def same_pictures(pictures: Sequence[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, Defect]]:
    """The same picture used twice, though re-saved, scaled or with other EXIF: pairs of file and defect, both files of each.

    ``pictures``: file and the facts of its layer. Whether times or positions differ is said: one picture with two of them
    proves neither.
    """
    found = []
    for i, j in _alike([facts for _, facts in pictures]):
        for one, other in ((pictures[i], pictures[j]), (pictures[j], pictures[i])):
            found.append((one[0], _twice(one, other)))
    return found


def _alike(facts: list[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Pairs of the same look, every picture with those after it, and of the same bytes where a look is missing."""
    looks = [i for i, f in enumerate(facts) if f.get("picture_hash")]
    rows = [np.frombuffer(bytes.fromhex(facts[i]["picture_hash"]), np.uint8) for i in looks]
    bits = np.unpackbits(np.array(rows, np.uint8).reshape(len(rows), _HASH_BYTES), axis=1)
    pairs = set()
    for n, i in enumerate(looks):
        turned = bits[n + 1 :] != bits[n]
        rough, slow = turned[:, :256].sum(axis=1), turned[:, 256:].sum(axis=1)
        near = (rough <= _SURE_BITS) | ((rough <= _DIFFERENCE_BITS) & (slow <= _COSINE_BITS))
        pairs |= {(i, looks[n + 1 + int(k)]) for k in np.flatnonzero(near)}
    first: dict[str, int] = {}
    for i, f in enumerate(facts):
        before = first.setdefault(str(f.get("sha256")), i)
        pairs |= {(before, i)} if f.get("sha256") and before != i else set()
    return sorted(pairs)


def _twice(mine: tuple[str, Mapping[str, Any]], other: tuple[str, Mapping[str, Any]]) -> Defect:
    (name, a), (twin, b) = ((Path(file).name, facts) for file, facts in (mine, other))
    how = "is the same file as" if a.get("sha256") and a["sha256"] == b.get("sha256") else "looks the same as"
    apart, metres = _apart(a, b)
    differ = [f"its time differs by {_span(apart)}"] if apart > _SAME_TIME else []
    differ += [f"its position lies {metres:,.0f} m away"] if metres > _SAME_M else []
    but = f", but {' and '.join(differ)}" if differ else ""
    if differ and apart <= _BURST and metres <= _SAME_M:
        return defect(
            "photo_in_a_row", "info", f"{name} {how} {twin}{but}: taken in a row.", "Keep one of them.", place=twin
        )
    code = "photo_used_twice_altered" if differ else "photo_used_twice"
    ask = "Ask for both originals (原图): one picture proves one place and one time."
    return defect(code, "warning", f"{name} {how} {twin}{but}.", ask if differ else "Keep one of them.", place=twin)


def _apart(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[timedelta, float]:
    """Time and metres between two pictures, nought where one of them does not tell."""
    times = [datetime.fromisoformat(f["taken_at"]) for f in (a, b) if f.get("taken_at")]
    places = [(f["lon"], f["lat"]) for f in (a, b) if f.get("lon") is not None]
    return (
        abs(times[0] - times[1]) if len(times) == 2 else timedelta(0),
        _metres(*places) if len(places) == 2 else 0.0,
    )
