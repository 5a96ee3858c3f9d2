"""What an inspector does in QGIS with the service, step by step: run by the system's Python, which has PyQGIS; told in JSON.

    python3 session.py FOLDER URL NAME KEY STEP...      each step prints one line: {"step": ..., what came of it}

Nothing of rivergis is imported.
"""

# ruff: noqa: E402
from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER, URL, NAME, KEY = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("XDG_RUNTIME_DIR", str(FOLDER))
os.environ["QGIS_AUTH_DB_DIR_PATH"] = str(FOLDER)

from qgis.core import (
    QgsApplication,
    QgsAuthMethodConfig,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeatureRequest,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsNetworkAccessManager,
    QgsProject,
    QgsRectangle,
    QgsVectorLayer,
    QgsVectorTileLayer,
)
from qgis.PyQt.QtCore import QSize, QUrl
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtNetwork import QNetworkRequest

BOX = QgsRectangle(106.0019, 29.3899, 106.0101, 29.3921)
HEADER = {"bearer": False}


def configured() -> str:
    """The id of an authentication kept in QGIS: name, and the key as password."""
    manager = QgsApplication.authManager()
    manager.setMasterPassword("only here", True)
    config = QgsAuthMethodConfig("Basic")
    config.setName("rivergis")
    config.setConfig("username", NAME)
    config.setConfig("password", KEY)
    done, kept = manager.storeAuthenticationConfig(config)
    assert done, "the authentication could not be kept"
    return str(kept.id())


AUTH: list[str] = []


def features(name: str, more: str = "", auth: bool = True) -> QgsVectorLayer:
    """A collection as QGIS loads it from its dialog."""
    key = f" authcfg={AUTH[0]}" if auth and AUTH else ""
    return QgsVectorLayer(
        f"url='{URL}/ogc' typename='{name}' pagingEnabled='true' pageSize='1000'{key} {more}", name, "OAPIF"
    )


def tiles(name: str) -> QgsVectorTileLayer:
    key = f"&authcfg={AUTH[0]}" if AUTH else ""
    return QgsVectorTileLayer(f"type=xyz&url={URL}/tiles/{name}/{{z}}/{{x}}/{{y}}.mvt&zmin=0&zmax=16{key}", name)


def load() -> dict[str, Any]:
    """Features with an authentication of QGIS, page after page."""
    AUTH[:] = [configured()]
    layer = features("candidate")
    names = [f["name"] for f in layer.getFeatures()]
    return {
        "valid": layer.isValid(), "count": len(names),
        "different": len(set(names)), "crs": layer.crs().authid(), "fields": [f.name() for f in layer.fields()],
        "wkb": layer.wkbType(), "first": sorted(names)[0],
    }  # fmt: skip


def narrow() -> dict[str, Any]:
    """What lies in a window, and what a filter lets through."""
    layer = features("candidate")
    inside = sum(1 for _ in layer.getFeatures(QgsFeatureRequest(BOX)))
    layer.setSubsetString("\"kind\" = 'dump'")
    return {"inside": inside, "heaps": sum(1 for _ in layer.getFeatures()), "state": layer.subsetString()}


def systems() -> dict[str, Any]:
    """The layer on the fly in the local zone: a square stays where it is and keeps its size."""
    layer = features("candidate")
    move = QgsCoordinateTransform(layer.crs(), QgsCoordinateReferenceSystem("EPSG:4544"), QgsProject.instance())
    shape = next(f for f in layer.getFeatures() if f["code"] == "Q0000").geometry()
    corner = shape.boundingBox()
    shape.transform(move)
    return {
        "west": corner.xMinimum(),
        "south": corner.yMinimum(),
        "area_m2": shape.area(),
        "east_m": shape.centroid().asPoint().x(),
    }


def edit() -> dict[str, Any]:
    """QGIS 3.22 reads OGC API Features and does not edit them."""
    layer = features("boundary_draft_line")
    return {
        "lines": layer.featureCount(),
        "starts": layer.startEditing(),
        "can": int(layer.dataProvider().capabilities() & layer.dataProvider().ChangeGeometries),
    }


def shut() -> dict[str, Any]:
    """Without a key nothing is there."""
    return {"valid": features("candidate", auth=False).isValid()}


def header() -> dict[str, Any]:
    """A key as a bearer, put on every request to the service by four lines of Python (startup.py of the profile)."""
    host = QUrl(URL).host()

    def with_key(request: QNetworkRequest) -> None:
        if request.url().host() == host:
            request.setRawHeader(b"Authorization", f"Bearer {KEY}".encode())

    id_ = QgsNetworkAccessManager.setRequestPreprocessor(with_key)
    try:
        layer = features("reach", auth=False)
        return {"valid": layer.isValid(), "count": sum(1 for _ in layer.getFeatures())}
    finally:
        QgsNetworkAccessManager.removeRequestPreprocessor(id_)


def drawn(layers: list[Any], name: str, box: QgsRectangle) -> dict[str, Any]:
    """Layers as the window draws them."""
    view = QgsMapSettings()
    view.setLayers(layers)
    view.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    move = QgsCoordinateTransform(
        QgsCoordinateReferenceSystem("EPSG:4326"), view.destinationCrs(), QgsProject.instance()
    )
    view.setExtent(move.transformBoundingBox(box))
    view.setOutputSize(QSize(800, 600))
    view.setBackgroundColor(QColor("white"))
    job = QgsMapRendererParallelJob(view)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(str(FOLDER / f"{name}.png"))
    inked = sum(image.pixelColor(x, y) != QColor("white") for x in range(0, 800, 4) for y in range(0, 600, 4))
    return {"errors": [e.message for e in job.errors()], "inked": inked / (200 * 150)}


def picture() -> dict[str, Any]:
    """Features over vector tiles, and the tiles alone."""
    box = QgsRectangle(105.9995, 29.3895, 106.0205, 29.4105)
    under, over = tiles("candidate"), features("boundary_line")
    alone = drawn([under], "tiles", box)
    return {"valid": [under.isValid(), over.isValid()], "tiles": alone, "both": drawn([over, under], "both", box)}


STEPS: dict[str, Callable[[], dict[str, Any]]] = {
    f.__name__: f for f in (load, narrow, systems, edit, shut, header, picture)
}

if __name__ == "__main__":
    application = QgsApplication([], True, str(FOLDER / "profile"))
    application.initQgis()
    for step in sys.argv[5:]:
        sys.stdout.write(json.dumps({"step": step, **STEPS[step]()}, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    application.exitQgis()
