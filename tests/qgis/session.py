"""What a planner does in QGIS, step by step: run by the system's Python, which has PyQGIS; told and answered in JSON.

    python3 session.py FOLDER STEP...      each step prints one line: {"step": ..., what came of it}

QGIS's own edit buffer is used, as its window does; nothing of rivergis is imported.
"""

# ruff: noqa: E402
from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

FOLDER = Path(sys.argv[1])
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["PGSERVICEFILE"] = str(FOLDER / "pg_service.conf")
os.environ.setdefault("XDG_RUNTIME_DIR", str(FOLDER))

from qgis.core import (
    QgsApplication,
    QgsFeature,
    QgsGeometry,
    QgsLayoutExporter,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsPointXY,
    QgsProject,
    QgsVectorLayer,
    QgsVectorLayerUtils,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

DRAFT = "rivergis_boundary_draft_line"
project = QgsProject.instance()


def layer(name: str = DRAFT) -> QgsVectorLayer:
    return project.mapLayer(name)


def feature(of: QgsVectorLayer, bank: str) -> QgsFeature:
    return min((f for f in of.getFeatures() if f["bank"] == bank), key=lambda f: f[0])


def bend(of: QgsVectorLayer, bank: str, by: float) -> None:
    """Move the middle of a line, in the edit buffer."""
    one = feature(of, bank)
    shape = QgsGeometry(one.geometry())
    middle = shape.interpolate(shape.length() / 2).asPoint()
    if len(shape.asPolyline()) < 3:
        shape.insertVertex(middle.x(), middle.y() + by, 1)
    else:
        shape.moveVertex(middle.x(), middle.y() + by, 1)
    assert of.changeGeometry(one.id(), shape)


def saved(of: QgsVectorLayer) -> dict:
    """Commit as the save button does."""
    done = of.commitChanges(False)
    told = {"saved": done, "errors": " ".join(of.commitErrors())}
    of.rollBack()
    return told


def colleague() -> QgsVectorLayer:
    """The same layer in the project of another planner, over another service."""
    other = QgsVectorLayer(layer().source().replace("service='rivergis'", "service='colleague'"), "other", "postgres")
    other.setDefaultValueDefinition(
        other.fields().indexOf("edition"), layer().defaultValueDefinition(layer().fields().indexOf("edition"))
    )
    assert other.isValid(), other.error().summary()
    return other


def look() -> dict:
    """What the project is, as QGIS read it."""
    form = layer().editFormConfig()
    fields = layer().fields()
    snapped = project.snappingConfig().individualLayerSettings()
    return {
        "crs": project.crs().authid(),
        "topological": project.topologicalEditing(),
        "snapping": sorted(s.id() for s in snapped if snapped[s].enabled())
        if project.snappingConfig().enabled()
        else [],
        "invalid": [k.id() for k in project.mapLayers().values() if not k.isValid()],
        "read_only": sorted(k.id() for k in project.mapLayers().values() if k.readOnly()),
        "hidden": sorted(n.layerId() for n in project.layerTreeRoot().findLayers() if not n.isVisible()),
        "labels": {f.name(): f.alias() for f in fields},
        "tabs": [t.name() for t in form.tabs()],
        "fixed": [f.name() for i, f in enumerate(fields) if form.readOnly(i)],
        "banks": {
            k: v for one in layer().editorWidgetSetup(fields.indexOf("bank")).config()["map"] for k, v in one.items()
        },
        "rules": [r.label() for r in layer().renderer().rootRule().children()],
        "river": next(f["name"] for f in layer("rivergis_river").getFeatures()),
    }


def edit() -> dict:
    """Bend a line and write a note, save; and again in the same session, on the feature that is still on the screen."""
    here = layer()
    one = feature(here, "left")
    here.startEditing()
    bend(here, "left", 1e-4)
    here.changeAttributeValue(one.id(), here.fields().indexOf("note"), "第一次")
    first = here.commitChanges(False)
    here.changeAttributeValue(one.id(), here.fields().indexOf("note"), "第二次")
    second = here.commitChanges(True)
    now = here.getFeature(one.id())
    return {
        "saved": [first, second],
        "errors": here.commitErrors(),
        "note": now["note"],
        "edition": now["edition"],
        "by": now["changed_by"],
    }


def draw() -> dict:
    """Draw a new line with the form's defaults; then split it with the split tool: one is shortened, the other a copy."""
    here = layer()
    known = {f["segment_id"] for f in here.getFeatures()}
    shape = QgsGeometry(feature(here, "right").geometry())
    shape.translate(0, -0.001)
    made = QgsVectorLayerUtils.createFeature(here, shape, {})
    made["river_id"] = feature(here, "right")["river_id"]
    here.startEditing()
    assert here.addFeature(made)
    first = here.commitChanges(False)
    new = next(f for f in here.getFeatures() if f["segment_id"] not in known)
    here.selectByIds([new.id()])  # the tool cuts what is selected
    box = shape.boundingBox()
    here.splitFeatures(
        [QgsPointXY(box.center().x(), box.yMinimum() - 5e-4), QgsPointXY(box.center().x(), box.yMaximum() + 5e-4)]
    )
    second = here.commitChanges(True)
    parts = sorted((f for f in here.getFeatures() if f["segment_id"] not in known), key=lambda f: f["from_m"])
    return {
        "saved": [first, second],
        "errors": here.commitErrors(),
        "parts": [[f["bank"], f["drawn_by"], round(f["from_m"]), round(f["to_m"])] for f in parts],
    }


def two() -> dict:
    """Two planners on one stretch; and on different ones."""
    mine, theirs = layer(), colleague()
    mine.startEditing(), theirs.startEditing()
    bend(mine, "left", 2e-4)
    bend(theirs, "left", 3e-4)
    first, second = saved(mine), saved(theirs)
    theirs.dataProvider().reloadData()
    mine.startEditing(), theirs.startEditing()
    bend(mine, "left", 1e-4)
    bend(theirs, "right", -1e-4)
    return {"first": first, "second": second, "apart": [saved(mine), saved(theirs)]}


def take_out() -> dict:
    """Delete a line that somebody else changed meanwhile; then the one that is there."""
    mine, theirs = layer(), colleague()
    line = feature(theirs, "right")["segment_id"]
    theirs.startEditing()
    theirs.deleteFeature(feature(theirs, "right").id())
    mine.startEditing()
    bend(mine, "right", -2e-4)
    told = {"first": saved(mine), "stale": saved(theirs)}
    theirs.dataProvider().reloadData()
    theirs.startEditing()
    theirs.deleteFeature(next(f.id() for f in theirs.getFeatures() if f["segment_id"] == line))
    return told | {"deleted": saved(theirs), "there": line in {f["segment_id"] for f in theirs.getFeatures()}}


def told() -> dict:
    """A colleague's save reaches the open project by itself."""
    heard = []
    layer().dataChanged.connect(lambda: heard.append(1))
    theirs = colleague()
    theirs.startEditing()
    bend(theirs, "left", 4e-4)
    done, until = saved(theirs), time.monotonic() + 10
    while not heard and time.monotonic() < until:
        QgsApplication.processEvents()
        time.sleep(0.02)
    return {"save": done, "heard": bool(heard)}


def bend_submitted() -> dict:
    layer().setSubsetString("\"state\" = 'submitted'")
    layer().startEditing()
    bend(layer(), "left", 1e-4)
    return saved(layer())


def law() -> dict:
    """What the line in force says to who tries all the same."""
    line = layer("rivergis_boundary_line_in_force")
    shut = line.startEditing()
    line.setReadOnly(False)
    line.startEditing()
    bend(line, "left", 1e-4)
    return {"opened": shut} | saved(line)


def picture() -> dict:
    """The map as the window draws it."""
    view = QgsMapSettings()
    view.setLayers([n.layer() for n in project.layerTreeRoot().findLayers() if n.isVisible() and n.layer().isSpatial()])
    view.setDestinationCrs(project.crs())
    view.setEllipsoid(project.ellipsoid())
    view.setExtent(project.viewSettings().defaultViewExtent())
    view.setOutputSize(QSize(900, 500))
    view.setOutputDpi(96)
    view.setBackgroundColor(QColor("white"))
    view.setFlag(QgsMapSettings.DrawLabeling, True)
    view.setLabelingEngineSettings(project.labelingEngineSettings())
    job = QgsMapRendererParallelJob(view)
    job.start()
    job.waitForFinished()
    labels = [k.labelText for k in job.takeLabelingResults().labelsWithinRect(view.extent())]
    job.renderedImage().save(str(FOLDER / "map.png"))
    return {"errors": [e.message for e in job.errors()], "labels": labels}


def sheet() -> dict:
    """The print layout, on paper."""
    (layout,) = project.layoutManager().printLayouts()
    settings = QgsLayoutExporter.ImageExportSettings()
    settings.dpi = 50
    done = QgsLayoutExporter(layout).exportToImage(str(FOLDER / "sheet.png"), settings)
    return {
        "name": layout.name(),
        "exported": done == QgsLayoutExporter.Success,
        "notice": layout.itemById("notice").currentText(),
    }


STEPS = {f.__name__: f for f in (look, edit, draw, two, take_out, told, bend_submitted, law, picture, sheet)}

if __name__ == "__main__":
    application = QgsApplication([], True)
    application.initQgis()
    assert project.read(str(FOLDER / "rivergis.qgs")), project.error()
    for step in sys.argv[2:]:
        sys.stdout.write(json.dumps({"step": step, **STEPS[step]()}, ensure_ascii=False) + "\n")
    project.clear()
    application.exitQgis()
