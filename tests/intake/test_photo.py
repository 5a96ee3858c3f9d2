"""Photos: pictures made in the test, with every way to be wrong about where, when and of what they were taken."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from PIL.ExifTags import GPS, IFD, Base
from PIL.TiffImagePlugin import IFDRational

from rivergis.errors import InputError
from rivergis.intake import photo
from rivergis.intake.delivery import Asked, Delivered
from rivergis.intake.limits import Limits

LON, LAT = 105.9012, 29.3512


def dms(value: float) -> tuple[float, float, float]:
    degrees = int(value)
    minutes = int((value - degrees) * 60)
    return degrees, minutes, round(((value - degrees) * 60 - minutes) * 60, 4)


def gps(lon: float = LON, lat: float = LAT, **more: Any) -> dict[int, Any]:
    tags = {
        GPS.GPSLatitudeRef: "N" if lat >= 0 else "S",
        GPS.GPSLatitude: dms(abs(lat)),
        GPS.GPSLongitudeRef: "E" if lon >= 0 else "W",
        GPS.GPSLongitude: dms(abs(lon)),
    }
    return tags | {GPS[k]: v for k, v in more.items()}


def scenery(seed: int = 1, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """Something like a landscape: soft shapes of several sizes, different for every seed."""
    rng = np.random.default_rng(seed)
    grey = np.zeros(size[::-1])
    for cells in (4, 8, 16, 40):
        coarse = Image.fromarray((rng.random((cells, cells)) * 255).astype("uint8"))
        grey += np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), float) / cells**0.5
    grey = (grey - grey.min()) / np.ptp(grey) * 255
    return Image.fromarray(np.stack([grey, grey * 0.8, grey * 0.5], axis=2).astype("uint8"))


def picture(
    path: Path,
    place: dict[int, Any] | None = None,
    *,
    taken: str | None = "2026:05:20 09:30:00",
    offset: str | None = "+08:00",
    main: dict[int, Any] | None = None,
    xmp: str | None = None,
    image: Image.Image | None = None,
    **save: Any,
) -> Path:
    exif = Image.Exif()
    for tag, value in (main or {}).items():
        exif[tag] = value
    inner = exif.get_ifd(IFD.Exif)
    if taken:
        inner[Base.DateTimeOriginal] = taken
    if offset:
        inner[Base.OffsetTimeOriginal] = offset
    if place:
        exif.get_ifd(IFD.GPSInfo).update(place)
    extra = {"xmp": xmp.encode()} if xmp else {}
    (image or scenery()).save(path, exif=exif.tobytes(), **extra, **save)
    return path


def read(path: Path, limits: Limits | None = None) -> Delivered:
    reading = photo.read_photo(path, Asked(), limits or Limits())
    assert len(reading.layers) == 1 and reading.layers[0].count == 1
    return reading.layers[0]


def codes(layer: Delivered) -> set[str]:
    return {d.code for d in layer.defects}


def alarms(layer: Delivered) -> set[str]:
    return {d.code for d in layer.defects if d.severity != "info"}


@settings(max_examples=25, deadline=None)
@given(st.floats(-179.9, 179.9), st.floats(-89.9, 89.9))
def test_positions_come_back(tmp_path_factory: pytest.TempPathFactory, lon: float, lat: float) -> None:
    layer = read(picture(tmp_path_factory.mktemp("p") / "a.jpg", gps(lon, lat)))
    if max(abs(lon), abs(lat)) > 1e-3:
        point = layer.shapes[0]
        assert point.x == pytest.approx(lon, abs=1e-6) and point.y == pytest.approx(lat, abs=1e-6)
        assert layer.declared.wkt == "EPSG:4326" and layer.declared.where == "format"


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
def test_a_clean_photo_raises_no_alarm(tmp_path: Path, ending: str) -> None:
    place = gps(GPSAltitude=IFDRational(2104, 10), GPSAltitudeRef=b"\0", GPSImgDirection=IFDRational(1234, 10), GPSImgDirectionRef="T",
                GPSHPositioningError=IFDRational(5, 1), GPSDateStamp="2026:05:20", GPSTimeStamp=(1, 30, 2), GPSMapDatum="WGS-84")  # fmt: skip
    layer = read(picture(tmp_path / f"a.{ending}", place, main={Base.Make: "HUAWEI", Base.Model: "P60"}))
    assert layer.defects == []
    facts = layer.facts
    assert datetime.fromisoformat(facts["taken_at"]) == datetime(2026, 5, 20, 1, 30, tzinfo=UTC)
    assert (facts["altitude_m"], facts["altitude_of"]) == (210.4, "sea_level")
    assert (facts["heading_deg"], facts["heading_north"]) == (pytest.approx(123.4), "true")
    assert (facts["position_of"], facts["position_grade"], facts["camera"]) == ("camera", "measured", "HUAWEI P60")
    assert layer.frame is not None and len(layer.frame) == 1


@pytest.mark.parametrize(
    ("label", "place", "why"),
    [
        ("chat picture", None, "no position"),
        ("no fix", gps(0.0, 0.0), "0, 0"),
        ("0/0", gps() | {GPS.GPSLatitude: (IFDRational(0, 0),) * 3}, "no position"),
        ("1/0", gps() | {GPS.GPSLatitude: (IFDRational(29, 1), IFDRational(1, 0), IFDRational(0, 1))}, "no position"),
        ("beyond the pole", gps() | {GPS.GPSLatitude: (97.0, 0.0, 0.0)}, "beyond"),
        ("70 minutes", gps() | {GPS.GPSLatitude: (29.0, 70.0, 0.0)}, "not degrees"),
        ("half", {GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: dms(LAT)}, "not degrees"),
    ],
)
def test_a_photo_without_a_place_is_kept_for_placing_by_hand(tmp_path: Path, label: str, place: Any, why: str) -> None:
    layer = read(picture(tmp_path / "a.jpg", place))
    assert layer.shapes is not None and layer.shapes[0] is None
    assert alarms(layer) == {"photo_no_position"} and why in layer.defects[0].message
    assert layer.facts["position_grade"] == "hand_placed" and layer.declared.where == "none"


def test_a_screenshot_tells_nothing(tmp_path: Path) -> None:
    scenery().save(tmp_path / "微信图片_20260520.png")
    layer = read(tmp_path / "微信图片_20260520.png")
    assert codes(layer) == {"photo_no_position", "photo_no_time"} and layer.facts["taken_at"] is None


@pytest.mark.parametrize(
    ("place", "code", "alarm"),
    [
        ({k: v for k, v in gps().items() if k not in (GPS.GPSLatitudeRef, GPS.GPSLongitudeRef)}, "gps_ref_missing", False),
        (gps(GPSStatus="V"), "gps_fix_void", True),
        (gps(GPSHPositioningError=IFDRational(800, 1)), "position_imprecise", False),
        (gps(GPSMapDatum="TOKYO"), "photo_datum", True),
        (gps(GPSDateStamp="2026:05:20", GPSTimeStamp=(9, 30, 0)), "photo_time_conflict", True),
        (gps(GPSDateStamp="2026:05:20", GPSTimeStamp=(1, 50, 0)), "photo_time_conflict", False),
        (gps(GPSDateStamp="2025:05:20", GPSTimeStamp=(1, 30, 0)), "photo_time_conflict", True),
    ],
)  # fmt: skip
def test_doubts_are_said(tmp_path: Path, place: Any, code: str, alarm: bool) -> None:
    layer = read(picture(tmp_path / "a.jpg", place))
    assert codes(layer) == {code} and (alarms(layer) == {code}) == alarm
    assert layer.shapes is not None and layer.shapes[0].equals_exact(shapely.Point(LON, LAT), 1e-6)


def test_another_datum_is_declared_as_it_stands(tmp_path: Path) -> None:
    layer = read(picture(tmp_path / "a.jpg", gps(GPSMapDatum="GCJ-02")))
    assert layer.declared.wkt is None and "GCJ-02" in layer.declared.text


@pytest.mark.parametrize("datum", ["WGS-84", "WGS84", "wgs 84 ", "WGS1984", "CGCS2000", ""])
def test_spellings_of_the_usual_datum_are_no_doubt(tmp_path: Path, datum: str) -> None:
    assert read(picture(tmp_path / "a.jpg", gps(GPSMapDatum=datum))).defects == []


@pytest.mark.parametrize(
    ("height", "ref", "metres", "of"),
    [
        (210.5, b"\0", 210.5, "sea_level"),
        (2.5, b"\1", -2.5, "sea_level"),
        (210.5, b"\2", 210.5, "ellipsoid"),
        (31.0, b"\3", -31.0, "ellipsoid"),
        (210.5, None, 210.5, None),
        (IFDRational(0, 0), b"\0", None, None),
    ],
)
def test_heights_say_from_where_they_count(tmp_path: Path, height: Any, ref: Any, metres: Any, of: Any) -> None:
    place = gps(GPSAltitude=IFDRational(height) if isinstance(height, float) else height)
    layer = read(picture(tmp_path / "a.jpg", place | ({GPS.GPSAltitudeRef: ref} if ref else {})))
    assert (layer.facts["altitude_m"], layer.facts["altitude_of"]) == (metres, of)


@pytest.mark.parametrize(
    ("taken", "offset", "hour", "basis", "code"),
    [
        ("2026:05:20 09:30:00", "+08:00", 1, "offset", None),
        ("2026:05:20 09:30:00", "+00:00", 9, "offset", None),
        ("2026-05-20T09:30:00", "Z", 9, "offset", None),
        ("2026:05:20 09:30:00", None, 1, "assumed", "time_zone_assumed"),
        ("2026:05:20 09:30:00", "   :  ", 1, "assumed", "time_zone_assumed"),
        ("0000:00:00 00:00:00", None, None, None, "photo_no_time"),
        ("    :  :     :  :  ", None, None, None, "photo_no_time"),
        ("2026:13:45 09:30:00", None, None, None, "photo_no_time"),
        ("1980:01:01 00:00:00", "+08:00", 16, "offset", "photo_time_implausible"),
        ("2099:01:01 09:30:00", "+08:00", 1, "offset", "photo_time_implausible"),
    ],
)
def test_times_are_utc_and_say_how_they_came_about(
    tmp_path: Path, taken: str, offset: str | None, hour: int | None, basis: str | None, code: str | None
) -> None:
    layer = read(picture(tmp_path / "a.jpg", gps(), taken=taken, offset=offset))
    assert codes(layer) == ({code} if code else set()) and layer.facts["time_basis"] == basis
    if hour is not None:
        assert datetime.fromisoformat(layer.facts["taken_at"]).astimezone(UTC).hour == hour


def test_the_receivers_clock_serves_where_the_camera_has_none(tmp_path: Path) -> None:
    layer = read(picture(tmp_path / "a.jpg", gps(GPSDateStamp="2026:05:20", GPSTimeStamp=(1, 30, 2)), taken=None))
    assert layer.facts["time_basis"] == "gps" and layer.facts["taken_at"] == "2026-05-20T01:30:02+00:00"


DJI = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/" {attributes}/></rdf:RDF></x:xmpmeta>'
)


def dji(**values: Any) -> str:
    return DJI.format(attributes=" ".join(f'drone-dji:{k}="{v}"' for k, v in values.items()))


def test_a_drones_photo_tells_the_drones_place(tmp_path: Path) -> None:
    xmp = dji(AbsoluteAltitude="+331.20", RelativeAltitude="+120.50", GimbalPitchDegree="-45.00", GimbalYawDegree="-90.0", GpsLatitude=LAT, GpsLongtitude=LON)  # fmt: skip
    layer = read(picture(tmp_path / "DJI_0001.JPG", gps(), xmp=xmp, main={Base.Make: "DJI", Base.Model: "FC6310"}))
    assert codes(layer) == {"drone_position"} and not alarms(layer)
    assert "120 m" in layer.defects[0].message and "45 degrees below level" in layer.defects[0].message
    facts = layer.facts
    assert (facts["position_of"], facts["relative_height_m"], facts["gimbal_pitch_deg"]) == ("drone", 120.5, -45.0)
    assert facts["heading_deg"] == 270.0


@pytest.mark.parametrize(
    "xmp",
    [
        dji(RelativeAltitude="+50.0", GpsLatitude=LAT, GpsLongitude=LON),
        f"<drone-dji:RelativeAltitude>+50.0</drone-dji:RelativeAltitude><drone-dji:GpsLatitude>{LAT}</drone-dji:GpsLatitude>"
        f"<drone-dji:GpsLongitude>{LON}</drone-dji:GpsLongitude> not <well> formed &",
    ],
)
def test_the_xmp_serves_where_exif_has_no_position(tmp_path: Path, xmp: str) -> None:
    layer = read(picture(tmp_path / "a.jpg", None, xmp=xmp))
    assert layer.shapes is not None and layer.shapes[0].equals_exact(shapely.Point(LON, LAT), 1e-9)
    assert layer.facts["position_of"] == "drone" and not alarms(layer)


def test_two_positions_of_one_photo_are_said(tmp_path: Path) -> None:
    xmp = dji(RelativeAltitude="50", GpsLatitude=LAT + 0.01, GpsLongitude=LON)
    assert alarms(read(picture(tmp_path / "a.jpg", gps(), xmp=xmp))) == {"two_positions"}


def test_a_hand_held_camera_of_a_drone_maker_is_a_camera(tmp_path: Path) -> None:
    layer = read(picture(tmp_path / "a.jpg", gps(), main={Base.Make: "DJI", Base.Model: "Osmo Pocket 3"}))
    assert layer.facts["position_of"] == "camera" and layer.defects == []


# --- what cannot be read


def test_a_picture_that_ends_early_is_said(tmp_path: Path) -> None:
    whole = picture(tmp_path / "a.jpg", gps(), image=scenery(size=(1600, 1200))).read_bytes()
    (tmp_path / "b.jpg").write_bytes(whole[: len(whole) // 2])
    layer = read(tmp_path / "b.jpg")
    assert alarms(layer) == {"picture_cut_off"} and layer.shapes is not None and layer.shapes[0] is not None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"hello", "cannot be read as a picture"),
        (b"\xff\xd8\xff", "cannot be read as a picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC picture.*JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "cannot be read as a picture"),
    ],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(InputError, match=sentence) as caught:
        read(tmp_path / "a.jpg")
    assert "\n" not in caught.value.sentence


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    with (tmp_path / "a.png").open("wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n")
        PngImagePlugin.putchunk(out, b"IHDR", header)
        PngImagePlugin.putchunk(out, b"IDAT", b"x\x9c")
        PngImagePlugin.putchunk(out, b"IEND", b"")
    with pytest.raises(InputError, match="60000 x 60000 pixels"):
        read(tmp_path / "a.png")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_photos_are_read_or_refused_in_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    whole = bytearray(picture(folder / "a.jpg", gps(GPSAltitude=IFDRational(3, 1)), xmp=dji(RelativeAltitude=5), image=scenery(size=(64, 48))).read_bytes())  # fmt: skip
    for at in data.draw(st.lists(st.integers(0, min(len(whole), 900) - 1), min_size=1, max_size=12)):
        whole[at] = data.draw(st.integers(0, 255))
    (folder / "b.jpg").write_bytes(whole)
    try:
        layer = read(folder / "b.jpg")
    except InputError as error:
        assert "\n" not in error.sentence
    else:
        point = layer.shapes[0] if layer.shapes is not None else None
        assert point is None or (abs(point.x) <= 180 and abs(point.y) <= 90)


# --- one picture used twice


def twice(*paths: Path) -> list[tuple[str, Any]]:
    return photo.same_pictures([(str(p), read(p).facts) for p in paths])


def resaved(path: Path, out: Path, size: tuple[int, int] | None = None, quality: int = 60, **exif: Any) -> Path:
    with Image.open(path) as image:
        image.load()
        return picture(out, image=image.resize(size) if size else image, quality=quality, **exif)


def test_different_pictures_are_not_taken_for_one(tmp_path: Path) -> None:
    assert twice(*(picture(tmp_path / f"{i}.jpg", gps(), image=scenery(i)) for i in range(40))) == []


def test_blank_pictures_look_like_nothing(tmp_path: Path) -> None:
    blank = [Image.new("RGB", (64 + i, 48), (10 * i, 10 * i, 10 * i)) for i in range(3)]
    assert twice(*(picture(tmp_path / f"{i}.jpg", gps(), image=b) for i, b in enumerate(blank))) == []


def test_the_same_file_twice_is_noticed(tmp_path: Path) -> None:
    a = picture(tmp_path / "a.jpg", gps())
    (tmp_path / "b.jpg").write_bytes(a.read_bytes())
    found = twice(a, tmp_path / "b.jpg")
    assert [(Path(f).name, d.code, d.place) for f, d in found] == [
        ("a.jpg", "photo_used_twice", "b.jpg"),
        ("b.jpg", "photo_used_twice", "a.jpg"),
    ]
    assert "same file" in found[0][1].message


@pytest.mark.parametrize(
    ("size", "quality"), [(None, 90), (None, 25), ((320, 240), 60), ((1280, 960), 80), ((200, 150), 40)]
)
def test_a_picture_saved_again_is_noticed(tmp_path: Path, size: Any, quality: int) -> None:
    for seed in range(8):
        a = picture(tmp_path / "a.jpg", gps(), image=scenery(seed), quality=92)
        found = twice(a, resaved(a, tmp_path / "b.jpg", size, quality, place=gps()))
        assert [d.code for _, d in found] == ["photo_used_twice"] * 2


def test_other_times_and_places_of_one_picture_are_said(tmp_path: Path) -> None:
    a = picture(tmp_path / "a.jpg", gps())
    b = resaved(a, tmp_path / "b.jpg", place=gps(LON + 0.01), taken="2026:05:21 09:30:00")
    (_, said), _ = twice(a, b)
    assert said.code == "photo_used_twice_altered" and said.severity == "warning"
    assert "24.0 hours" in said.message and "971 m" in said.message


def test_a_chats_upright_copy_is_noticed(tmp_path: Path) -> None:
    a = picture(tmp_path / "a.jpg", gps(), main={Base.Orientation: 6})
    with Image.open(a) as image:
        upright = image.transpose(Image.Transpose.ROTATE_270)
    b = picture(tmp_path / "b.jpg", None, image=upright, taken=None, offset=None)
    assert [d.code for _, d in twice(a, b)] == ["photo_used_twice"] * 2


def test_a_stamped_copy_is_noticed(tmp_path: Path) -> None:
    """Camera apps stamp time and place into the picture; the same picture with another stamp is the interesting case."""
    stamped = np.asarray(scenery(3)).copy()
    stamped[-60:, :210] = 255
    a = picture(tmp_path / "a.jpg", gps(), image=scenery(3))
    b = picture(tmp_path / "b.jpg", gps(), image=Image.fromarray(stamped), taken="2026:05:27 09:30:00")
    assert [d.code for _, d in twice(a, b)] == ["photo_used_twice_altered"] * 2


def test_photos_in_a_row_are_no_alarm(tmp_path: Path) -> None:
    a = picture(tmp_path / "a.jpg", gps(), image=scenery(3))
    b = picture(tmp_path / "b.jpg", gps(), image=scenery(3), quality=80, taken="2026:05:20 09:30:04")
    assert [(d.code, d.severity) for _, d in twice(a, b)] == [("photo_in_a_row", "info")] * 2


@pytest.mark.realdata
def test_one_place_on_two_days_is_two_pictures(test_data: Path, tmp_path: Path) -> None:
    files = sorted((test_data / "imagery_nanjing_landsat").glob("nanjing_tm_*.tif"))
    if len(files) < 2:
        pytest.skip("the Nanjing scenes are not there")
    paths = []
    for path in files:
        with rasterio.open(path) as scene:
            data = scene.read([3, 2, 1]).transpose(1, 2, 0)
        paths.append(picture(tmp_path / f"{path.stem}.jpg", gps(), image=Image.fromarray(data)))
    assert twice(*paths) == []
