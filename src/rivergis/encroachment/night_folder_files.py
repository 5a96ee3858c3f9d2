"""A folder of nights as it lies on the disk: which files there are, what they say of limits, and their layers.

``DIR``: ``params.json`` (start day, limits over those of the rules), ``boundaries``, ``permits``, and for each night
``nights/NNN/candidates`` and ``nights/NNN/coverage``; a night may bring ``boundaries`` or ``permits`` of its own, which hold
from that night on. Any format the intake reads. A night is the start day plus its number.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from rivergis.encroachment import layer_files
from rivergis.encroachment.layer_files import Layer
from rivergis.encroachment.ledger import NightLimits
from rivergis.encroachment.overlay import Limits, limits_of
from rivergis.errors import InputError, RivergisError
from rivergis.intake import sources, vector
from rivergis.intake.delivery import Asked
from rivergis.rules import RuleView

# what params.json calls a limit -> its field
_NIGHT_PARAMS = {
    "gone_after_observed_nights": "gone_after",
    "rebound_within_nights": "rebound_within",
    "grown_ratio": "growth_ratio",
    "grown_min_m2": "growth_min_m2",
}
_OVERLAY_PARAMS = {"tol_m": "width_tolerance_m", "min_area_m2": "min_overlap_area_m2"}
_BESIDE = {
    ".dbf",
    ".shx",
    ".prj",
    ".cpg",
    ".sbn",
    ".sbx",
    ".qpj",
    ".qix",
    ".qmd",
    ".xml",
    ".part",
    ".gpkg-wal",
    ".gpkg-shm",
}
"""Endings of files that stand beside a layer and are none."""
_BATCH_BYTES, _BATCH_NIGHTS = 32 << 20, 30


@dataclass(frozen=True)
class Params:
    """What ``params.json`` says over the rules: the civil day of night 0 and the limits."""

    start: date
    nights: NightLimits
    overlay: Limits
    snap_m: float
    doubt_m: float
    place_tolerance_m: float


@dataclass(frozen=True)
class NightFolder:
    """One night as files; ``boundaries`` and ``permits`` only where the night brings new ones."""

    number: int
    candidates: Path
    coverage: Path
    boundaries: Path | None
    permits: Path | None

    @property
    def files(self) -> list[Path]:
        return [p for p in (self.candidates, self.coverage, self.boundaries, self.permits) if p is not None]

    @property
    def digest(self) -> str:
        """Hash over the content of everything the night reads."""
        return digest_of([f"{p.stem}:{sources.sha256(p)}" for p in self.files])


def digest_of(lines: Sequence[str]) -> str:
    """Hash of several lines."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def plain(params: Params) -> dict[str, Any]:
    """JSON-ready."""
    return asdict(params) | {"start": params.start.isoformat()}


def params_of(folder: Path, view: RuleView) -> Params:
    """``params.json`` over the values of the rules; ``InputError`` for what is no number or names no start day."""
    path = folder / "params.json"
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: give the one that holds params.json and nights/.", file=str(folder))
    try:
        told = json.loads(path.read_text(encoding="utf-8-sig"))  # editors on Windows write its mark
        start = date.fromisoformat(told["start"])
    except FileNotFoundError as error:
        raise InputError(
            f"{folder.name} holds no params.json with the start day of its nights.", file=str(path)
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: it must be JSON with a start day such as 2026-03-01.", file=str(path)) from error
    return Params(
        start,
        replace(NightLimits.of(view), **_numbers(told, _NIGHT_PARAMS, path)),
        replace(limits_of(view.number), **_numbers(told, _OVERLAY_PARAMS, path)),
        view.number("encroach.snap"),
        view.number("encroach.doubt_around"),
        view.number("encroach.permit.place_tolerance"),
    )


def _numbers(told: Mapping[str, Any], names: Mapping[str, str], path: Path) -> dict[str, Any]:
    found = {f: told[name] for name, f in names.items() if name in told}
    for name, f in names.items():
        value = found.get(f, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
            raise InputError(
                f"{path}: {name} is {value!r}, but a number from 0 to below 1e9 is needed.", file=str(path)
            )
        if name.endswith("_nights") and value != int(value):
            raise InputError(f"{path}: {name} is {value!r}, but nights are counted whole.", file=str(path))
    return found


def nights_of(folder: Path) -> list[NightFolder]:
    """The nights of a folder in their order; ``InputError`` where there are none, one stands twice or lacks a layer."""
    found = [p for p in (folder / "nights").glob("*") if p.is_dir() and p.name.isdigit()]
    if not found:
        raise InputError(
            f"{folder.name} holds no nights: folders nights/000, nights/001 ... are needed.", file=str(folder)
        )
    nights = [
        NightFolder(
            int(p.name),
            layer_of(p, "candidates"),
            layer_of(p, "coverage"),
            layer_of(p, "boundaries", needed=False),
            layer_of(p, "permits", needed=False),
        )
        for p in found
    ]
    nights.sort(key=lambda n: n.number)
    twice = [a.number for a, b in itertools.pairwise(nights) if a.number == b.number]
    if twice:
        raise InputError(f"{folder.name} holds night {twice[0]} twice: leave one of the folders.", file=str(folder))
    return nights


def layer_of(folder: Path, stem: str, needed: bool = True) -> Any:
    """The one file of that name, whatever its format; None where it is not needed and not there."""
    found = [p for p in sorted(folder.glob(f"{stem}.*")) if p.suffix.lower() not in _BESIDE]
    if len(found) > 1:
        raise InputError(
            f"{folder} holds {found[0].name} and {found[1].name}: leave the one that counts.", file=str(folder)
        )
    if not found and needed:
        raise InputError(f"{folder} holds no {stem} (as .geojson, .gpkg, .shp ...).", file=str(folder))
    return found[0] if found else None


def lasting(night: NightFolder) -> list[Path]:
    """What a night brings for all that follow."""
    return [p for p in (night.boundaries, night.permits) if p is not None]


def stem_of(path: Path, night: NightFolder) -> str:
    """Which layer of a night a file is."""
    names = {night.candidates: "candidates", night.coverage: "coverage"}
    return names.get(path, "boundaries" if path == night.boundaries else "permits")


def batches(nights: Sequence[NightFolder], done: set[int]) -> Iterator[list[NightFolder]]:
    """Nights whose files are read in one process, few enough to be held."""
    batch: list[NightFolder] = []
    held = 0
    for night in nights:
        size = 0 if night.number in done else sum(p.stat().st_size for p in night.files if p.is_file())
        if batch and (len(batch) == _BATCH_NIGHTS or held + size > _BATCH_BYTES):
            yield batch
            batch, held = [], 0
        batch.append(night)
        held += size
    if batch:
        yield batch


def read(paths: Sequence[Path], asked: Asked) -> list[Layer]:
    """Layers of files in EPSG:4490; the first that cannot be used, or feature without a usable shape, is an error."""
    return [_layer(path, opened, asked) for path, opened in zip(paths, vector.open_each(paths, asked), strict=True)]


def _layer(path: Path, opened: list[vector.Opened] | RivergisError, asked: Asked) -> Layer:
    layer = layer_files.chosen(path, asked, {path: opened})
    pieces = list(layer.pieces())
    for piece in pieces:
        for feature, (_, sentence) in piece.faults.items():
            raise InputError(
                f"{path.parent.name}/{path.name}, layer {layer.name}, feature {feature}: {sentence}",
                file=str(path),
                layer=layer.name,
                feature=str(feature),
            )
    frame = pd.concat([p.frame for p in pieces])
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(
            f"{path}, layer {layer.name} has no geometry: candidates, coverage and lines need one.", file=str(path)
        )
    return Layer(frame, {"file": path.name})
