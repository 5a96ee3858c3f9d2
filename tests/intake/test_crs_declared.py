"""What declared systems mean, in every dialect; and what words near the data say."""

from __future__ import annotations

import re

import numpy as np
import pytest
import shapely
from pyproj import CRS, Transformer

from rivergis import crs
from rivergis.errors import CrsRefused
from rivergis.intake.crs_declared import meridian_of, understand
from rivergis.intake.crs_evidence import judge
from rivergis.intake.crs_verdict import place
from rivergis.intake.crs_words import hint
from rivergis.intake.delivery import Asked
from tests.intake.places import Place, delivered, projected

ESRI = (
    'PROJCS["CGCS2000_3_Degree_GK_CM_105E",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",'
    'SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
    'PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],'
    'PARAMETER["Central_Meridian",105.0],PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)
AT = Place(105.9, 29.35)


@pytest.mark.parametrize("dialect", ["WKT1_ESRI", "WKT1_GDAL", "WKT2_2015", "WKT2_2019"])
@pytest.mark.parametrize("epsg", [*range(4490, 4555), 4326, 3857, *range(32643, 32654)])
def test_every_chinese_code_is_known_in_every_dialect(epsg: int, dialect: str) -> None:
    assert understand(CRS.from_epsg(epsg).to_wkt(dialect)).epsg == epsg


@pytest.mark.parametrize("epsg", [4214, 4610, 4555, *range(2327, 2391), *range(2401, 2443), *range(21413, 21424)])
def test_old_datums_are_never_usable(epsg: int) -> None:
    meaning = understand(CRS.from_epsg(epsg).to_wkt("WKT1_ESRI"))
    assert meaning.family in ("xian80", "beijing54") and not meaning.usable
    with pytest.raises(CrsRefused):
        crs.into_storage(CRS.from_epsg(epsg))


def test_central_meridians() -> None:
    for epsg in range(4491, 4555):
        operation = CRS.from_epsg(epsg).coordinate_operation
        said = {p.name: p.value for p in operation.params} if operation else {}
        assert meridian_of(epsg) == said["Longitude of natural origin"]


@pytest.mark.parametrize(
    ("change", "epsg", "doubted"),
    [
        (lambda w: w, 4544, False),
        (lambda w: w.replace(",", " , ").replace("[", "[ "), 4544, False),
        (lambda w: "\ufeff" + w + "\n\n", 4544, False),
        (lambda w: w.replace("500000.0", "35500000.0"), 4523, False),
        (lambda w: w.replace("500000.0", "5e5"), 4544, False),
        (lambda w: w.replace("GCS_China_Geodetic_Coordinate_System_2000", "GCS_China_2000").replace("D_China_2000", "China 2000"), 4544, False),
        (lambda w: w.replace('UNIT["Meter",1.0]]', 'UNIT["Meter",1.0],AUTHORITY["EPSG","4545"]]'), 4544, False),
        (lambda w: w.replace('"Central_Meridian",105.0', '"Central_Meridian",108.0'), 4545, True),
        (lambda w: w.replace("CGCS2000_3_Degree", "Xian_1980_3_Degree"), 4544, True),
        (lambda w: w.replace('"Scale_Factor",1.0', '"Scale_Factor",0.9996'), None, False),
        (lambda w: w.replace('"Central_Meridian",105.0', '"Central_Meridian",106.5'), None, True),
        (lambda w: w.replace('"Central_Meridian",105.0', '"Central_Meridian",106.5').replace("CM_105E", "CM_106.5E"), None, False),
        (lambda w: w.replace('UNIT["Meter",1.0]]', 'UNIT["Foot_US",0.3048006096012192]]'), None, True),
    ],
)  # fmt: skip
def test_numbers_decide_and_contradicting_names_are_doubts(change, epsg: int | None, doubted: bool) -> None:
    meaning = understand(change(ESRI))
    assert (meaning.family, meaning.epsg, bool(meaning.doubts)) == ("cgcs2000", epsg, doubted)


@pytest.mark.parametrize("name", ["False_Easting", "Central_Meridian"])
def test_a_missing_parameter_is_missing_not_zero(name: str) -> None:
    meaning = understand(re.sub(rf'PARAMETER\["{name}",[\d.]+\],', "", ESRI))
    assert not meaning.usable and name.split("_")[0].lower() in meaning.reasons[0]
    verdict = judge(delivered(projected(AT.lines(), 4544), re.sub(rf'PARAMETER\["{name}",[\d.]+\],', "", ESRI)))
    assert not verdict.certain and "crs_mismatch" in {d.code for d in verdict.defects}


@pytest.mark.parametrize("kept", range(10, len(ESRI), 23))
def test_a_truncated_prj_is_never_certain_without_the_place(kept: int) -> None:
    layer = delivered(projected(AT.lines(), 4544), ESRI[:kept])
    assert not judge(layer).certain
    found = judge(layer, AT.reference)
    assert found.epsg in (None, 4544, 4507) and "crs_missing" in {d.code for d in found.defects}


@pytest.mark.parametrize(
    "wkt",
    [
        'LOCAL_CS["重庆独立坐标系",UNIT["metre",1]]',
        "Projection TRANSVERSE\nUnits METERS\nSpheroid KRASOVSKY\nParameters\n105 0 0\n500000",
        ESRI.replace("D_China_2000", "D_Krasovsky_1940").replace("CGCS2000", "Krasovsky_1940").replace("6378137.0,298.257222101", "6378245.0,298.3"),
        ESRI.replace("D_China_2000", "D_IAG75").replace("6378137.0,298.257222101", "6378140.0,298.257"),
        "西安80坐标系 3度带",
    ],
)  # fmt: skip
def test_what_no_layer_may_be_in_is_refused_with_or_without_a_place(wkt: str) -> None:
    for reference in (None, AT.reference):
        verdict = judge(delivered(projected(AT.lines(), 4544), wkt), reference)
        assert verdict.verdict == "refused" and {"datum_unsupported", "local_grid"} & {d.code for d in verdict.defects}


def test_an_unnamed_datum_of_the_right_ellipsoid_needs_the_place() -> None:
    wkt = ESRI.replace("GCS_China_Geodetic_Coordinate_System_2000", "User_Define").replace(
        "D_China_2000", "D_User_Define"
    )
    wkt = wkt.replace("CGCS2000_3_Degree_GK_CM_105E", "User_Define").replace(
        'SPHEROID["CGCS2000"', 'SPHEROID["User_Define"'
    )
    assert understand(wkt).family == "unnamed" and understand(wkt).epsg is None
    layer = delivered(projected(AT.lines(), 4544), wkt)
    assert not judge(layer).certain
    assert judge(layer, AT.reference).epsg in (4544, 4507)


def test_converters_name_gcj02_and_older_names_of_web_mercator_are_known() -> None:
    gcj = 'GEOGCS["GCS_GCJ_02",DATUM["D_GCJ_02",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
    verdict = judge(delivered(AT.stakes(), gcj))
    assert (verdict.verdict, verdict.datum) == ("suspected", "gcj02")
    assert understand(CRS.from_epsg(3785).to_wkt("WKT1_ESRI")).epsg == 3857


def test_other_countries_datums_are_shifted_not_passed_through() -> None:
    """OSGB36, MGI and RD lie about 100 m from WGS 84; to CGCS2000 PROJ itself knows no way and would apply none."""
    for epsg, x, y in ((27700, 529_090.0, 179_645.0), (31287, 400_000.0, 400_000.0), (28992, 155_000.0, 463_000.0)):
        here = crs.into_storage(CRS.from_epsg(epsg))(np.array([[x, y]]))
        back = crs.out_of_storage(CRS.from_epsg(epsg))(here)
        assert np.hypot(*(back - [x, y])[0]) < 0.05
        lon, lat = Transformer.from_crs(epsg, CRS.from_epsg(epsg).geodetic_crs, always_xy=True).transform(x, y)
        assert 40 < crs.GEOD.inv(lon, lat, *here[0])[2] < 250


@pytest.mark.parametrize(
    ("words", "family", "meridian", "zone"),
    [
        ("2000国家大地坐标系,3度带,中央子午线105°", "cgcs2000", 105.0, None),
        ("CGCS2000 第36带", "cgcs2000", None, 36),
        ("采用1980西安坐标系,1985国家高程基准", "xian80", None, None),
        ("中央子午线为106°30′的独立坐标系", "local", 106.5, None),
        ("坐标系统:WGS-84", "wgs84", None, None),
        ("1985国家高程基准", "none", None, None),
        ("2024年度河道管理范围", "none", None, None),
    ],
)
def test_words(words: str, family: str, meridian: float | None, zone: int | None) -> None:
    said = hint(words)
    assert (said.family, said.meridian, said.zone) == (family, meridian, zone)


def test_prj_variants_of_the_field_are_right_or_refused(test_data) -> None:
    expected = {
        "beijing54_cm111_authority": None, "beijing54_cm114": None, "xian80_cm105_spaces": None, "xian80_zone40": None, "krasovsky_albers_china": None,
        "cgcs2000_zone36": 4524, "cgcs2000_zone39": 4527, "micaps_cgcs_2000_geographic": 4490, "cgcs2000_cm117_short_incomplete": None,
    }  # fmt: skip
    for path in (test_data / "messy_vector" / "prj_variants").glob("*.prj"):
        meaning = understand(path.read_text(encoding="utf-8"))
        assert (meaning.epsg if meaning.usable else None) == expected[path.stem], path.name


BJ54_GIVEN = "+proj=tmerc +lat_0=0 +lon_0=105 +k=1 +x_0=500000 +y_0=0 +ellps=krass +towgs84=12.3,-113.4,-56.7 +units=m +no_defs +type=crs"


def test_a_documented_transformation_of_an_old_datum_is_used_and_not_told() -> None:
    """The values are invented: true ones are restricted."""
    home = Transformer.from_crs(4326, BJ54_GIVEN, always_xy=True)
    old = [shapely.Point(home.transform(p.x, p.y)) for p in AT.stakes()]
    layer = delivered(old, CRS.from_epsg(2433).to_wkt("WKT1_ESRI"))
    assert judge(layer, AT.reference).verdict == "refused"
    verdict = judge(layer, AT.reference, Asked(crs=BJ54_GIVEN))
    assert verdict.verdict == "declared" and not verdict.defects
    there, true = (shapely.get_coordinates(s) for s in (place(verdict, layer.shapes), np.array(AT.stakes())))
    assert float(np.max(crs.GEOD.inv(there[:, 0], there[:, 1], true[:, 0], true[:, 1])[2])) < 0.01
    told = f"{verdict.as_dict()} {verdict.source_crs} {[d.as_dict() for d in verdict.defects]}"
    assert not any(number in told for number in ("12.3", "113.4", "56.7"))


def test_a_files_own_parameters_are_nobodys_word() -> None:
    wkt = (
        CRS.from_epsg(2433)
        .to_wkt("WKT1_GDAL")
        .replace('SPHEROID["Krassowsky 1940"', 'TOWGS84[15.8,-154.4,-82.3,0,0,0,0],SPHEROID["Krassowsky 1940"')
    )
    assert judge(delivered(projected(AT.stakes(), 4544), wkt), AT.reference).verdict == "refused"
