"""The one palette: ``gis/styles/classes.csv``, what each class of each layer is called and how it is drawn."""

from __future__ import annotations

import csv
import re
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rivergis.errors import NotFound, RuleError
from rivergis.settings import gis_dir

MARKERS = ("", "circle", "square", "triangle", "drop", "ring", "pin")
_COLOUR = re.compile(r"#[0-9a-f]{6}([0-9a-f]{2})?")
_DASH = re.compile(r"\d+( \d+)*")


@dataclass(frozen=True)
class Style:
    """How one class is drawn (图例): colours ``#rrggbb[aa]``, dash and width in pixels, marker for points."""

    layer: str
    code: str
    zh: str
    en: str
    stroke: str
    fill: str
    dash: str
    width: float
    marker: str

    def as_dict(self) -> dict[str, Any]:
        return {k: v for k, v in asdict(self).items() if k != "layer"}


@dataclass(frozen=True)
class Palette:
    """All styles, in drawing order (bottom first)."""

    styles: dict[tuple[str, str], Style]

    @property
    def layers(self) -> list[str]:
        return list(dict.fromkeys(layer for layer, _ in self.styles))

    def of(self, layer: str, code: str = "") -> Style:
        """Style of a class, or of its layer where the class has no row; ``NotFound`` for an unknown layer."""
        found = self.styles.get((layer, code)) or self.styles.get((layer, ""))
        if found is None:
            raise NotFound(f"The layer {layer!r} has no row in gis/styles/classes.csv; add one to draw it.")
        return found


@lru_cache(maxsize=8)
def load(path: Path | None = None) -> Palette:
    """The palette of a file (by default the shipped one); ``RuleError`` names file, line and what is wrong."""
    path = path or gis_dir() / "styles" / "classes.csv"
    styles: dict[tuple[str, str], Style] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        for row in rows:
            style = _style(row, f"{path.name} line {rows.line_num}")
            if (style.layer, style.code) in styles:
                raise RuleError(f"{path.name} line {rows.line_num}: {style.layer} {style.code} stands there twice.")
            styles[style.layer, style.code] = style
    for layer, code in styles:
        if (layer, "") not in styles:
            raise RuleError(f"{path.name}: the layer {layer} has a class {code!r} but no row of its own (empty code).")
    return Palette(styles)


def _style(row: dict[str, str], where: str) -> Style:
    try:
        style = Style(**{**row, "width": float(row["width"])})  # type: ignore[arg-type]
    except (TypeError, KeyError, ValueError) as error:
        wanted = ", ".join(Style.__dataclass_fields__)
        raise RuleError(f"{where}: the columns must be {wanted}, and the width a number.") from error
    if not style.layer or not style.zh or not style.en:
        raise RuleError(f"{where}: layer, zh and en must be filled.")
    for colour in filter(None, (style.stroke, style.fill)):
        if not _COLOUR.fullmatch(colour):
            raise RuleError(f"{where}: {colour!r} is not a colour; write #rrggbb or #rrggbbaa in small letters.")
    if style.dash and not _DASH.fullmatch(style.dash):
        raise RuleError(f"{where}: the dash {style.dash!r} must be whole pixels, like '6 3'.")
    if style.marker not in MARKERS:
        raise RuleError(f"{where}: the marker {style.marker!r} is not one of {', '.join(filter(None, MARKERS))}.")
    return style
