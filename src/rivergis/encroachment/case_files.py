"""Many small checks at once: a folder of cases, each with boundary, candidates and permits, as one result file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from rivergis.encroachment import layer_files
from rivergis.encroachment.asked_files import Asking
from rivergis.encroachment.files import check
from rivergis.errors import CrsRefused, InputError
from rivergis.intake import vector
from rivergis.intake.delivery import Asked
from rivergis.rules import RuleView

_LAYERS = ("boundary", "candidates", "permits")
_TOGETHER = 12  # cases whose files are opened in one guarded process
_SUFFIXES = (".geojson", ".gpkg", ".shp", ".fgb", ".parquet")


def check_cases(
    folder: Path, view: RuleView, as_of: date, progress: Callable[[str], None] = lambda step: None
) -> dict[str, Any]:
    """Results by case name of every folder below ``folder`` (or ``folder/cases``) that holds a boundary and candidates.

    A case whose layer cannot be placed on earth has no findings and the diagnostic ``layer_rejected`` with its sentence; the
    others go on. Raises ``InputError`` where there is no case at all.
    """
    root = folder / "cases" if (folder / "cases").is_dir() else folder
    cases = (
        [d for d in sorted(root.iterdir()) if d.is_dir() and _file(d, "boundary") and _file(d, "candidates")]
        if root.is_dir()
        else []
    )
    if not cases:
        raise InputError(
            f"{folder} holds no folder with boundary.geojson and candidates.geojson: name the folder of the cases.",
            file=str(folder),
        )
    out = {}
    for first in range(0, len(cases), _TOGETHER):
        some = cases[first : first + _TOGETHER]
        paths = [p for case in some for name in _LAYERS if (p := _file(case, name)) is not None]
        opened = dict(zip(paths, vector.open_each(paths, Asked()), strict=True))
        for case in some:
            progress(case.name)
            out[case.name] = _case(case, view, as_of, opened)
    return out


def _file(case: Path, name: str) -> Path | None:
    return next((p for s in _SUFFIXES if (p := case / (name + s)).is_file()), None)


def _names(candidates: Path, opened: layer_files.Opened) -> list[str]:
    try:
        return layer_files.names(candidates, Asked(), opened)
    except InputError:  # the candidates themselves cannot be read
        return []


def _case(case: Path, view: RuleView, as_of: date, opened: layer_files.Opened) -> dict[str, Any]:
    boundary, candidates, permits = (_file(case, n) for n in _LAYERS)
    assert boundary is not None and candidates is not None
    try:
        done = check(Asking(boundary, candidates, permits, as_of, listed="all", opened=opened), view)
    except (CrsRefused, InputError) as refused:
        said = {"code": "layer_rejected", "sentence": str(refused)}
        open_ = [{"candidate": name, "reason": "undecided"} for name in _names(candidates, opened)]
        return {"findings": [], "not_findings": open_, "queue": [], "diagnostics": [said], "total_area_m2": 0.0}
    told = done.as_dict()
    return {k: told[k] for k in ("findings", "not_findings", "queue", "diagnostics", "total_area_m2")}
