"""Reads what a pocket map holds, as its page does: in Python, so that laws can compare it with what was packed."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np


def head_of(html: str) -> dict[str, Any]:
    """What stands in the page in clear."""
    return dict(json.loads(re.search(r'id="pocket-head">(.*?)</script>', html, re.DOTALL)[1]))  # type: ignore[index]


def block_of(html: str) -> bytes:
    return base64.b64decode(re.search(r'id="pocket-data">(.*?)</script>', html, re.DOTALL)[1])  # type: ignore[index]


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, list[list[np.ndarray]]]]:
    """The JSON, and of each layer the parts of each feature in degrees."""
    raw = gzip.decompress(data)
    length = int.from_bytes(raw[:4], "little")
    told = json.loads(raw[4 : 4 + length])
    shapes = {}
    for layer in told["layers"]:
        numbers = read(raw[4 + length + layer["at"] :])
        shapes[layer["id"]] = _features(numbers, layer["n"], told)
    return told, shapes


def read(octets: bytes) -> list[int]:
    numbers, value, shift = [], 0, 0
    for octet in octets:
        value |= (octet & 127) << shift
        shift += 7
        if octet < 128:
            numbers.append(value)
            value, shift = 0, 0
    return numbers


def _features(numbers: Sequence[int], count: int, told: dict[str, Any]) -> list[list[np.ndarray]]:
    (x, y), at, features = told["origin"], 0, []
    for _ in range(count):
        parts, at = [], at + 1
        for _ in range(numbers[at - 1]):
            points, at = [], at + 1
            for _ in range(numbers[at - 1]):
                dx, dy = numbers[at], numbers[at + 1]
                x, y, at = x + ((dx >> 1) ^ -(dx & 1)), y + ((dy >> 1) ^ -(dy & 1)), at + 2
                points.append((x * told["step"], y * told["step"]))
            parts.append(np.array(points))
        features.append(parts)
    return features
