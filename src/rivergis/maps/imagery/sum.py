"""Sums over bands (波段运算), such as NDWI: a closed grammar, read once and reckoned with arrays.

Numbers, bands (``b1`` … or their names), ``+ - * /``, brackets, and ``abs sqrt log min max``; nothing else is understood,
and nothing that is written here is ever run as program.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rivergis.errors import UsageError

INDICES = {
    "ndwi": "(green - nir) / (green + nir)",
    "mndwi": "(green - swir1) / (green + swir1)",
    "ndvi": "(nir - red) / (nir + red)",
    "ndbi": "(swir1 - nir) / (swir1 + nir)",
}
"""Known sums by name: open water (水体), water against built-up land, plants (植被), built-up land (建筑)."""
_LONGEST, _MOST = 200, 60
_TWO: dict[type, Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}
_CALLS: dict[str, tuple[int, Callable[..., Any]]] = {
    "abs": (1, np.abs), "sqrt": (1, np.sqrt), "log": (1, np.log), "min": (2, np.minimum), "max": (2, np.maximum)
}  # fmt: skip


@dataclass(frozen=True)
class Sum:
    """A sum that was understood: its text and the bands it needs, by name."""

    text: str
    bands: tuple[str, ...]
    _tree: ast.expr

    def of(self, bands: Mapping[str, np.ndarray]) -> np.ndarray:
        """The sum of arrays (float); where it has no value (a division by nothing, a root below nothing) it is NaN."""
        with np.errstate(all="ignore"):
            out = np.asarray(_value(self._tree, bands), dtype="float32")
        out = np.broadcast_to(out, next(iter(bands.values())).shape).copy()
        out[~np.isfinite(out)] = np.nan
        return out


def read(text: str) -> Sum:
    """The sum that a text writes, or that a name stands for (``ndwi``); ``UsageError`` says what is not understood."""
    written = INDICES.get(text.strip().lower(), text.strip())
    if not written or len(written) > _LONGEST:
        raise UsageError(f"A sum of bands has 1 to {_LONGEST} characters.")
    try:
        tree = ast.parse(written, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(
            f"{written[:60]!r} is no sum of bands: write it like (green - nir) / (green + nir)."
        ) from error
    nodes = list(ast.walk(tree))
    if len(nodes) > _MOST:
        raise UsageError("The sum of bands has too many parts.")
    bands: dict[str, None] = {}
    _understand(tree, bands)
    if not bands:
        raise UsageError(f"{written[:60]!r} names no band: write b1, or the name of a band.")
    return Sum(written, tuple(bands), tree)


def _understand(node: ast.expr, bands: dict[str, None]) -> None:
    if isinstance(node, ast.BinOp) and type(node.op) in _TWO:
        _understand(node.left, bands)
        _understand(node.right, bands)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        _understand(node.operand, bands)
    elif isinstance(node, ast.Name):
        bands[node.id.lower()] = None
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        count, _ = _CALLS.get(node.func.id, (0, None))
        if len(node.args) != count:
            raise UsageError(
                f"{node.func.id!r} is not known in a sum of bands, or wants another number of values; known are {', '.join(_CALLS)}."
            )
        for value in node.args:
            _understand(value, bands)
    elif not (isinstance(node, ast.Constant) and type(node.value) in (int, float)):
        raise UsageError(
            f"A sum of bands holds numbers, bands, + - * /, brackets and {', '.join(_CALLS)}; {ast.unparse(node)[:40]!r} is none of them."
        )


def _value(node: ast.expr, bands: Mapping[str, np.ndarray]) -> Any:
    if isinstance(node, ast.BinOp):
        return _TWO[type(node.op)](_value(node.left, bands), _value(node.right, bands))
    if isinstance(node, ast.UnaryOp):
        return np.negative(_value(node.operand, bands))
    if isinstance(node, ast.Name):
        return bands[node.id.lower()]
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        return _CALLS[node.func.id][1](*(_value(v, bands) for v in node.args))
    assert isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    return np.float32(node.value)
