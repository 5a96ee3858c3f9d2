"""Reads vector tiles as the standard says (MVT 2.1), for tests: features with their number, attributes and parts in tile units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Feature:
    id: int | None
    kind: str
    attributes: dict[str, Any]
    parts: list[list[tuple[int, int]]]

    @property
    def n(self) -> int:
        """How many things it stands for."""
        return int(self.attributes.get("n", 1))


_KINDS = {1: "Point", 2: "LineString", 3: "Polygon"}


def read(tile: bytes) -> dict[str, list[Feature]]:
    """Layer -> its features."""
    return dict(_layer(body) for number, body in _fields(tile) if number == 3)


def _layer(body: bytes) -> tuple[str, list[Feature]]:
    fields = list(_fields(body))
    keys = [v.decode() for n, v in fields if n == 3]
    values = [_value(v) for n, v in fields if n == 4]
    name = next(v for n, v in fields if n == 1).decode()
    return name, [_feature(v, keys, values) for n, v in fields if n == 2]


def _feature(body: bytes, keys: list[str], values: list[Any]) -> Feature:
    fields = dict(_fields(body))
    tags = list(_numbers(fields.get(2, b"")))
    said = {keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)}
    return Feature(fields.get(1), _KINDS[fields[3]], said, _parts(list(_numbers(fields[4]))))


def _parts(commands: list[int]) -> list[list[tuple[int, int]]]:
    parts: list[list[tuple[int, int]]] = []
    x = y = i = 0
    while i < len(commands):
        command, count = commands[i] & 7, commands[i] >> 3
        i += 1
        if command == 7:
            parts[-1].append(parts[-1][0])
            continue
        for _ in range(count):
            x, y = x + _signed(commands[i]), y + _signed(commands[i + 1])
            i += 2
            if command == 1:
                parts.append([])
            parts[-1].append((x, y))
    return parts


def _signed(n: int) -> int:
    return (n >> 1) ^ -(n & 1)


def _value(body: bytes) -> Any:
    number, value = next(iter(_fields(body)))
    return value.decode() if number == 1 else _signed(value) if number == 6 else value


def _varint(body: bytes, at: int) -> tuple[int, int]:
    n = shift = 0
    while True:
        byte = body[at]
        n |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return n, at


def _numbers(body: bytes) -> Any:
    at = 0
    while at < len(body):
        n, at = _varint(body, at)
        yield n


def _fields(body: bytes) -> Any:
    at = 0
    while at < len(body):
        key, at = _varint(body, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(body, at)
        elif wire == 2:
            size, at = _varint(body, at)
            value, at = body[at : at + size], at + size
        else:
            size = {1: 8, 5: 4}[wire]
            value, at = body[at : at + size], at + size
        yield key >> 3, value
