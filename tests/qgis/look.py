"""Opens a project as QGIS does and tells what became of its layers: run by the system's Python, which has PyQGIS; answers in JSON.

python3 look.py PROJECT FOLDER [USER KEY]      FOLDER is free to write; USER and KEY make the login that the project names
"""

# ruff: noqa: E402
from __future__ import annotations

import json
import os
import sys
from pathlib import Path

PROJECT, FOLDER, *LOGIN = sys.argv[1:]
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["QGIS_AUTH_DB_DIR_PATH"] = FOLDER
os.environ.setdefault("XDG_RUNTIME_DIR", FOLDER)

from qgis.core import (
    QgsApplication,
    QgsAuthMethodConfig,
    QgsFeature,
    QgsGeometry,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsPointXY,
    QgsProject,
    QgsVectorLayer,
    QgsVectorLayerUtils,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

project = QgsProject.instance()


def sign_in(user: str, key: str) -> None:
    """The login that a person makes once under Settings, Authentication."""
    manager = QgsApplication.authManager()
    assert manager.setMasterPassword("for this test", True)
    login = QgsAuthMethodConfig("Basic")
    login.setId("rivergs")
    login.setName("rivergis")
    login.setConfig("username", user)
    login.setConfig("password", key)
    assert manager.storeAuthenticationConfig(login)


def told(layer: QgsVectorLayer) -> dict:
    rows = list(layer.getFeatures()) if layer.isValid() else []
    return {
        "valid": layer.isValid(),
        "rows": len(rows),
        "read_only": layer.readOnly(),
        "labels": {f.name(): f.alias() for f in layer.fields()},
        "renderer": layer.renderer().type() if layer.renderer() else "",
    }


def picture() -> int:
    """How many colours the map has when it is drawn."""
    view = QgsMapSettings()
    view.setLayers([n.layer() for n in project.layerTreeRoot().findLayers() if n.isVisible()])
    view.setDestinationCrs(project.crs())
    view.setExtent(project.viewSettings().defaultViewExtent())
    view.setOutputSize(QSize(400, 300))
    view.setBackgroundColor(QColor("white"))
    job = QgsMapRendererParallelJob(view)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    image.save(str(Path(FOLDER) / "map.png"))
    return len({image.pixel(x, y) for x in range(0, 400, 2) for y in range(0, 300, 2)})


def report(layer: QgsVectorLayer) -> dict:
    """Fill in a report with the form's own defaults, as a person does who only chooses what it is."""
    place = project.viewSettings().defaultViewExtent().center()
    made: QgsFeature = QgsVectorLayerUtils.createFeature(layer, QgsGeometry.fromPointXY(QgsPointXY(place)), {})
    made["kind"] = "dump"
    made["photo"] = "DCIM/heap.jpg"
    layer.startEditing()
    done = layer.addFeature(made) and layer.commitChanges()
    kinds = [k for one in layer.editorWidgetSetup(layer.fields().indexOf("kind")).config()["map"] for k in one]
    return {
        "saved": done,
        "at": made["at"],
        "kinds": kinds,
        "photo": layer.editorWidgetSetup(layer.fields().indexOf("photo")).type(),
    }


if __name__ == "__main__":
    application = QgsApplication([], True)
    application.initQgis()
    if LOGIN:
        sign_in(*LOGIN)
    assert project.read(PROJECT), project.error()
    layers = {k.id().removeprefix("rivergis_"): k for k in project.mapLayers().values()}
    answer = {
        "layers": {n: told(k) for n, k in layers.items() if isinstance(k, QgsVectorLayer)},
        "others": {n: k.isValid() for n, k in layers.items() if not isinstance(k, QgsVectorLayer)},
        "colours": picture(),
        "sources": sorted(k.source() for k in layers.values()),
    }
    if "field_report" in layers:
        answer["report"] = report(layers["field_report"])
    sys.stdout.write("\n" + json.dumps(answer, ensure_ascii=False))
    project.clear()
    application.exitQgis()
