"""Prepared pieces as one Arrow IPC file, memory-mapped: opened in milliseconds, and only what is asked for is ever read.

The file names what it was prepared from, so that whoever opens it can tell whether it still holds.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
from pyproj import CRS

from rivergis.boundary.ground.pieces import MAX_VERTICES, Pieces
from rivergis.boundary.ground.squares import Index, Squares
from rivergis.boundary.ground.zoned import Key, Zoned
from rivergis.errors import EnvironmentFault, InputError

FORM = f"1/{MAX_VERTICES}"
"""Of the file and of the pieces in it; one of another form is prepared again."""
_INTS, _NUMBERS = pa.large_list(pa.int32()), pa.large_list(pa.float64())
# a row holds some shapes of a zone, or what tells where they are; the row of no zone, where on the ground anything is near
_SCHEMA = pa.schema(
    {
        "zone": pa.int64(),
        "shapes": pa.large_list(pa.large_binary()),
        "area": pa.large_list(pa.int64()),
        "bounds": _NUMBERS,
        "frame": _NUMBERS,
        "taken": _INTS,
        "start": _INTS,
        "held": _INTS,
    }
)
_GROUND = -1


def save(path: Path, ground: Zoned, meta: dict[str, Any]) -> None:
    """Write prepared pieces, whole or not at all.

    ``meta``: what must be the same for them to be used again (hash of the boundary file, rule values ...), JSON-ready.
    Raises ``EnvironmentFault`` where the place refuses it.
    """
    zones = [zone.to_wkt() for zone in ground.zones]
    told: dict[str, Any] = {"form": FORM, "zones": zones, "keys": ground.keys, "meta": meta}
    beside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with pa.ipc.new_file(beside, _SCHEMA.with_metadata({"rivergis": json.dumps(told)})) as file:
            for i, pieces in enumerate(ground.pieces):
                for shapes in pieces.arrays:
                    _write(file, i, shapes=shapes)
                # not kept: those of a whole province would stand beside its pieces
                index = pieces.squares or Index.over(pieces.bounds)
                _write(
                    file, i, index.squares, area=pieces.area, bounds=pieces.bounds, start=index.start, held=index.held
                )
            _write(file, _GROUND, ground.squares)
        beside.replace(path)
    except OSError as error:
        raise EnvironmentFault(
            f"{path} cannot be written ({error.strerror or os.strerror(error.errno or 0)}): choose another place."
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def _write(file: Any, zone: int, squares: Squares | None = None, **values: Any) -> None:
    columns: dict[str, Any] = dict.fromkeys(_SCHEMA.names) | {"zone": zone} | values
    if squares is not None:
        columns |= {
            "frame": np.array([squares.west, squares.south, squares.side, squares.shape[1]]),
            "taken": squares.taken,
        }
    row = [_cell(columns[f.name], f.type) for f in _SCHEMA]
    file.write_batch(pa.record_batch(row, schema=_SCHEMA))


def _cell(value: Any, kind: pa.DataType) -> pa.Array:
    """A column of one row."""
    if value is None or isinstance(value, int):
        return pa.array([value], kind)
    flat = value if isinstance(value, pa.Array) else pa.array(np.asarray(value).reshape(-1))
    return pa.LargeListArray.from_arrays(pa.array([0, len(flat)], pa.int64()), flat)


def load(path: Path) -> Zoned:
    """Stored pieces, memory-mapped; ``meta`` says what they were prepared from.

    Raises ``InputError`` where there is no such file, it is cut short, or another version of the program wrote it.
    """
    if not path.is_file():
        raise InputError(f"{path} is not there: prepare the boundary first.", file=str(path))
    try:
        file = pa.ipc.open_file(pa.memory_map(str(path)))
        told = json.loads((file.schema.metadata or {}).get(b"rivergis", b"{}"))
        rows = [file.get_batch(i) for i in range(file.num_record_batches)] if told.get("form") == FORM else []
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(
            f"{path.name} is no whole file of prepared boundaries: give another name, or delete it if it is one that was cut short.",
            file=str(path),
        ) from error
    if not rows:
        raise InputError(
            f"{path.name} was prepared by another version of rivergis: delete it and prepare the boundary again.",
            file=str(path),
        )
    zones = [CRS.from_wkt(wkt) for wkt in told["zones"]]
    keys: list[Key] | None = told["keys"] and [(float(a), float(b)) for a, b in told["keys"]]
    pieces = [_pieces([r for r in rows if r["zone"][0].as_py() == i]) for i in range(len(zones))]
    return Zoned(zones, pieces, _squares(rows[-1]), keys, told["meta"])


def _pieces(rows: list[pa.RecordBatch]) -> Pieces:
    *shapes, where = rows
    index = Index(_squares(where), _numbers(where, "start"), _numbers(where, "held"))
    bounds = _numbers(where, "bounds").reshape(-1, 4)
    return Pieces([row["shapes"][0].values for row in shapes], _numbers(where, "area"), bounds, index)


def _squares(row: pa.RecordBatch) -> Squares:
    west, south, side, columns = _numbers(row, "frame")
    return Squares(float(west), float(south), float(side), _numbers(row, "taken").reshape(-1, int(columns) + 1))


def _numbers(row: pa.RecordBatch, name: str) -> Any:
    return row[name][0].values.to_numpy(zero_copy_only=True)
