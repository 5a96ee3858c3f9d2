"""WMS, WFS, WMTS and tile addresses as old clients use them: Debian's GDAL (3.6), the GDAL inside pyogrio, and OWSLib."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pyogrio
import pytest
from owslib.util import Authentication
from owslib.wfs import WebFeatureService
from owslib.wms import WebMapService
from owslib.wmts import WebMapTileService
from PIL import Image

from rivergis.web.legacy import mapserver
from tests.clients.conftest import MANY, Served
from tests.pyqgis import PYTHON, why_not

GDAL = pytest.mark.skipif(
    shutil.which("gdalinfo") is None, reason="Debian's gdal-bin is not here (scripts/setup --dev)"
)
pytestmark = pytest.mark.skipif(mapserver.program() is None, reason="MapServer is not here (scripts/setup --dev)")
WEST, SOUTH, EAST, NORTH = 106.0, 29.389, 106.022, 29.411


def gdal(served: Served, *args: str) -> str:
    # what it fetched before must not answer for the service
    with tempfile.TemporaryDirectory(prefix="rivergis-wms-") as cache:
        env = {**os.environ, "GDAL_HTTP_HEADERS": served.header(), "GDAL_DEFAULT_WMS_CACHE_PATH": cache}
        done = subprocess.run(args, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def seen(picture: Image.Image | Path) -> np.ndarray:
    """Share of each sixteenth of a picture that shows something dark or coloured."""
    image = Image.open(picture) if isinstance(picture, Path) else picture
    rgba = np.asarray(image.convert("RGBA")).astype(int)
    dark = (rgba[..., 3] > 0) & (rgba[..., :3].min(axis=-1) < 235)
    rows, columns = dark.shape
    return dark[: rows // 4 * 4, : columns // 4 * 4].reshape(4, rows // 4, 4, columns // 4).mean(axis=(1, 3))


@GDAL
def test_gdal_lists_the_layers_of_wms(served: Served) -> None:
    said = gdal(served, "gdalinfo", f"WMS:{served.url}/wms?")
    assert "LAYERS=candidate&" in said and "待核对象" in said and "LAYERS=boundary_line&" in said


@GDAL
def test_gdal_draws_the_same_ground_by_wms_in_both_systems_and_by_wmts(served: Served, tmp_path: Path) -> None:
    """Latitude first in 4490, metres in 3857, tiles of 天地图: the same squares in the same corners."""
    box = ["-projwin", str(WEST), str(NORTH), str(EAST), str(SOUTH)]
    wms = f"WMS:{served.url}/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetMap&LAYERS=candidate&CRS=EPSG:4490&BBOX=29,105.9,30,106.2&FORMAT=image/png&TRANSPARENT=TRUE"
    wmts = f"WMTS:{served.url}/wmts/1.0.0/WMTSCapabilities.xml,layer=candidate,tilematrixset="
    sources = {
        "wms_4490": (wms, box),
        "wmts_4490": (wmts + "c", box),
        "wmts_3857": (f"{wmts}GoogleMapsCompatible", [*box, "-projwin_srs", "EPSG:4490"]),
    }
    shares = {}
    for name, (source, window) in sources.items():
        out = tmp_path / f"{name}.png"
        gdal(served, "gdal_translate", "-q", "-of", "PNG", "-outsize", "440", "440", *window, source, str(out))
        shares[name] = seen(out)
    for name, share in shares.items():
        assert share.max() > 0.05, name
        assert np.abs(share - shares["wms_4490"]).max() < 0.12, name


@GDAL
def test_gdal_reads_wfs_page_after_page(served: Served) -> None:
    said = gdal(
        served, "ogrinfo", "-ro", "-so", f"WFS:{served.url}/wfs", "candidate", "--config", "OGR_WFS_PAGE_SIZE", "700"
    )
    assert f"Feature Count: {MANY}" in said and 'ID["EPSG",4490]' in said and "kind: String" in said
    heaps = gdal(
        served,
        "ogrinfo",
        "-ro",
        "-q",
        f"WFS:{served.url}/wfs",
        "candidate",
        "-where",
        "kind='dump'",
        "--config",
        "OGR_WFS_PAGE_SIZE",
        "300",
    )
    assert heaps.count("OGRFeature(") == MANY // 5 and "building" not in heaps


def test_pyogrio_reads_wfs_with_the_key_in_the_address(served: Served) -> None:
    layer = f"WFS:{served.url}/k/{served.keys['planner']}/wfs"
    frame = pyogrio.read_dataframe(
        layer, layer="rivergis:candidate", bbox=(106.0019, 29.3899, 106.0101, 29.3921), use_arrow=False
    )
    assert len(frame) and frame.crs.to_epsg() == 4490
    west, south, east, north = frame.total_bounds
    assert 106 < west < east < 106.011 and 29.38 < south < north < 29.393


def test_owslib_by_name_and_key(served: Served) -> None:
    """Basic authentication, the key in the place of the password."""
    login = Authentication(username="planner", password=served.keys["planner"])
    wms = WebMapService(f"{served.url}/wms", version="1.3.0", auth=login)
    layer = wms["candidate"]
    assert "待核对象" in layer.title and "EPSG:4490" in layer.crsOptions and layer.boundingBoxWGS84[0] > 105
    picture = wms.getmap(
        layers=["candidate"],
        srs="EPSG:4490",
        bbox=(WEST, SOUTH, EAST, NORTH),
        size=(440, 440),
        format="image/png",
        transparent=True,
    )
    assert seen(Image.open(io.BytesIO(picture.read()))).max() > 0.05
    wfs = WebFeatureService(f"{served.url}/wfs", version="2.0.0", auth=login)
    assert "rivergis:candidate" in wfs.contents
    page = wfs.getfeature(typename=["rivergis:candidate"], maxfeatures=5).read().decode()
    assert page.count("<wfs:member>") == 5
    tiles = WebMapTileService(f"{served.url}/wmts", auth=login)
    assert {"GoogleMapsCompatible", "c"} <= set(tiles.tilematrixsets)
    one = tiles.gettile(layer="candidate", tilematrixset="c", tilematrix="12", row=689, column=3254, format="image/png")
    assert Image.open(io.BytesIO(one.read())).size == (256, 256)


_QGIS = """
import json, os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from qgis.core import QgsApplication, QgsCoordinateReferenceSystem, QgsMapRendererParallelJob, QgsMapSettings, QgsRasterLayer, QgsRectangle, QgsVectorLayer
from qgis.PyQt.QtCore import QSize
base, folder = sys.argv[1:]
app = QgsApplication([], False)
app.initQgis()
drawn = {
    "wms": f"contextualWMSLegend=0&crs=EPSG:4490&dpiMode=7&format=image/png&layers=candidate&styles=&url={base}/wms",
    "wmts": "crs=EPSG:4490&dpiMode=7&format=image/png&layers=candidate&styles=default&tileMatrixSet=c"
    f"&url={base}/wmts?SERVICE%3DWMTS%26REQUEST%3DGetCapabilities",
    "png": f"type=xyz&url={base}/tiles/candidate/%7Bz%7D/%7Bx%7D/%7By%7D.png&zmax=20&zmin=0",
}
said = {}
for name, uri in drawn.items():
    layer = QgsRasterLayer(uri, name, "wms")
    said[name] = layer.isValid()
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4490"))
    settings.setExtent(QgsRectangle(106.0, 29.389, 106.022, 29.411))
    settings.setOutputSize(QSize(440, 440))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(f"{folder}/{name}.png")
things = QgsVectorLayer(f"pagingEnabled='true' srsname='EPSG:4490' typename='rivergis:candidate' url='{base}/wfs' version='2.0.0'", "wfs", "WFS")
box = things.extent()
said["wfs"] = [things.isValid(), len({f["code"] for f in things.getFeatures()}), box.xMinimum() > 105 and box.yMinimum() < 30]
print(json.dumps(said))
app.exitQgis()
"""


@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_qgis_loads_all_of_them(served: Served, tmp_path: Path) -> None:
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")}
    asked = [PYTHON, "-c", _QGIS, f"{served.url}/k/{served.keys['planner']}", str(tmp_path)]
    done = subprocess.run(asked, env=env, capture_output=True, text=True, timeout=180)
    said = json.loads(next(r for r in done.stdout.splitlines() if r.startswith("{")))
    assert said == {"wms": True, "wmts": True, "png": True, "wfs": [True, MANY, True]}, done.stderr[-800:]
    shares = {name: seen(tmp_path / f"{name}.png") for name in ("wms", "wmts", "png")}
    for name, share in shares.items():
        # tiles come at another size than they are shown: where something is counts, not how much of it
        assert share.max() > 0.05 and np.array_equal(share > 0.02, shares["wms"] > 0.02), name
