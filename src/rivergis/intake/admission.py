"""Rows against the database's own rules: what they refuse is found, named and set aside; the rest goes in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pandas as pd

from rivergis import layers
from rivergis.db import system
from rivergis.db.versions import Saved
from rivergis.intake.batch import Batch

# more rows than this refused one by one: the file as a whole is not what it says
MAX_REFUSED = 500
REFUSED = "refused_by_database"

Save = Callable[[pd.DataFrame], Saved]
Trial = Callable[[bool], AbstractContextManager[None]]


def admit(trial: Trial, batch: Batch, layer: layers.Layer, save: Save, before: int = 0) -> Saved:
    """Save the rows; those that the database's own rules refuse (a grade 9, a stretch of no length) are set aside.

    ``before``: rows refused in earlier pieces of the file; more than ``MAX_REFUSED`` in all raise the first refusal.
    """
    if batch.frame.empty:
        return Saved()
    try:
        with trial(True):
            return save(batch.frame)
    except system.RowRefused:
        refused = _refused(trial, batch.frame, save, before)
    bad = [i in refused for i in range(len(batch.frame))]
    sentences = [_said_of(layer, batch.frame.iloc[i], refused[i]) for i in sorted(refused)]
    batch.aside(bad, REFUSED, sentences)
    return save(batch.frame) if len(batch.frame) else Saved()


def _refused(trial: Trial, frame: pd.DataFrame, save: Save, before: int) -> dict[int, system.RowRefused]:
    """Position -> refusal of every row that the database refuses, found by halving; nothing of the trials stays."""
    found: dict[int, system.RowRefused] = {}
    todo = [(0, len(frame))]
    while todo:
        start, end = todo.pop()
        try:
            with trial(False):
                save(frame.iloc[start:end])
        except system.RowRefused as refusal:
            if end - start == 1:
                found[start] = refusal
            else:
                middle = (start + end) // 2
                todo += [(start, middle), (middle, end)]
        if len(found) + before > MAX_REFUSED:
            raise next(iter(found.values()))
    return found


def _said_of(layer: layers.Layer, row: pd.Series, refusal: system.RowRefused) -> str:
    """The refusal in the words of the layer: constraints are named <table>_<column>_check."""
    column = next((c for c in layer.columns if refusal.constraint == f"{layer.name}_{c.name}_check"), None)
    if column is None:
        return f"The database refuses it: {refusal.sentence}"
    return (
        f"{column.name} ({column.zh}) = {str(row.get(column.name))[:60]!r} is outside what may be recorded: correct it."
    )
