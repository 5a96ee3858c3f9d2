"""Spans of a line - metres of a reach, chainages of a river, moments of a day - joined, cut and summed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Span = tuple[float, float]
Spans = list[Span]

LEAST_M = 1e-6  # shorter pieces are rounding


def union(parts: Iterable[Span]) -> Iterator[Span]:
    """Spans without overlap, in order."""
    current: Span | None = None
    for a, b in sorted(parts):
        if current is None or a > current[1]:
            if current is not None:
                yield current
            current = (a, b)
        else:
            current = (current[0], max(current[1], b))
    if current is not None:
        yield current


def total(parts: Iterable[Span]) -> float:
    """Length that lies in at least one span."""
    return sum((b - a for a, b in union(parts)), 0.0)


def minus(whole: Span, cuts: Iterable[Span]) -> Spans:
    """What is left of a span when others are cut out of it, in order."""
    out, at = [], whole[0]
    for a, b in sorted(cuts):
        if a > at + LEAST_M:
            out.append((at, min(a, whole[1])))
        at = max(at, b)
        if at >= whole[1]:
            return [(a, b) for a, b in out if b > a]
    out.append((at, whole[1]))
    return [(a, b) for a, b in out if b - a > LEAST_M]


def common(whole: Span, others: Iterable[Span]) -> Iterator[Span]:
    """The parts of a span that others cover, each once."""
    at = whole[0]
    for a, b in minus(whole, others):
        if a - at > LEAST_M:
            yield at, a
        at = b
    if whole[1] - at > LEAST_M:
        yield at, whole[1]
