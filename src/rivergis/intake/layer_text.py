"""The text of a layer's attributes: in which encoding, cut at the width of its fields, readable or not."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from rivergis.intake import text
from rivergis.intake.delivery import Asked, Defect, defect
from rivergis.intake.features import Piece, bare
from rivergis.intake.staging import DataSet


def is_latin(name: str) -> bool:
    """Whether a name can stand for bytes, each character for the byte of its number."""
    return all(ord(c) < 256 for c in name)


def name_of(data: DataSet, column: str, how: text.Text) -> str:
    """What a column is called, as the file has it: names may come as bytes, and may come twice."""
    said = bare(column)
    said = how.read(said.encode("latin-1")) if data.raw_text and is_latin(said) else said
    # NUL is in no name: neither a database nor a screen holds it
    return data.renamed.get(said, said).replace("\0", "") or "_"


def repeated(data: DataSet, pieces: list[Piece], how: text.Text) -> list[Defect]:
    """Fields that are called the same: in a Shapefile, whose names hold ten bytes, long Chinese names often are."""
    names = Counter(name_of(data, c, how) for c in (pieces[0].columns if pieces else []))
    twice = [n for n, times in names.items() if times > 1]
    if not twice:
        return []
    why = f"Several fields are called {', '.join(twice[:6])}."
    return [defect("names_repeated", "info", why, "They get a number behind their name.", count=len(twice))]


def encoding_of(data: DataSet, pieces: list[Piece], asked: Asked) -> text.Text:
    """The encoding of a layer's text: known of the whole file, or by the bytes of its values and field names."""
    if data.text is not None:
        return data.text
    if not data.raw_text and not any(p.texts for p in pieces):
        return text.Text("utf-8", "declared (its standard)")
    widths = _widths(data, pieces)
    whole: list[bytes] = []
    cut: list[bytes] = []
    for piece in pieces:
        for name, values in piece.texts.items():
            width = widths.get(name, 1 << 30)
            for value in values:
                if isinstance(value, bytes) and value and not value.isascii():
                    (cut if len(value) > width - 4 else whole).append(value)
    names = pieces[0].columns if pieces and data.raw_text else []
    cut += [bare(n).encode("latin-1") for n in names if is_latin(n)]
    said, how = (data.declared, data.how) if data.raw_text else ("UTF-8", "the format")
    return text.decode_evidence(whole, cut=cut, asked=asked.encoding, declared=said, how=how)


def _widths(data: DataSet, pieces: list[Piece]) -> dict[str, int]:
    """Width in bytes of a Shapefile's text fields, by the name its column came under."""
    if data.shape is None or data.shape.table is None or not pieces:
        return {}
    fields, columns = data.shape.table.fields, pieces[0].columns
    if len(fields) == len(columns):
        return {c: w for c, (_, kind, w) in zip(columns, fields, strict=True) if kind == "C"}
    return {n.decode("latin-1"): w for n, kind, w in fields if kind == "C"}


def truncated(data: DataSet, pieces: list[Piece], how: text.Text) -> list[Defect]:
    """Fields whose values were cut at their width."""
    said = []
    ids = [i for p in pieces for i in p.ids.tolist()]
    for name, width in _widths(data, pieces).items():
        values = [v if isinstance(v, bytes) else b"" for p in pieces for v in p.texts.get(name, [])]
        cut = text.cut_values(values, width, how.codec)
        if cut:
            shown = name_of(data, name, how)
            why = f"Field {shown}: {len(cut)} values were cut at its width of {width} bytes, for instance {how.read(values[cut[0]])!r}."
            action = "The rest of them is lost: ask for a wider field, or for a GeoPackage."
            said.append(defect("text_truncated", "warning", why, action, [ids[i] for i in cut], place=f"field {shown}"))
    return said


def unread(frame: pd.DataFrame) -> list[Defect]:
    """Values with characters that could not be read."""
    said = []
    for name in frame.columns:
        column = frame[name]
        if not (column.dtype == object or pd.api.types.is_string_dtype(column.dtype)):
            continue
        bad = [i for i, v in zip(frame.index, column, strict=True) if isinstance(v, str) and "\ufffd" in v]
        if bad:
            why = f"Field {name}: {len(bad)} values hold characters that cannot be read."
            said.append(
                defect(
                    "text_unreadable",
                    "warning",
                    why,
                    "They are shown as \ufffd; ask for the file again.",
                    bad,
                    place=f"field {name}",
                )
            )
    return said
