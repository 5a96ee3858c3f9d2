"""Data sets in files: which layers there are, where GDAL finds them, and whether file and text are whole."""

from __future__ import annotations

import codecs
import warnings
from pathlib import Path, PurePosixPath

import pandas as pd
import pyogrio
from shapely.errors import ShapelyError

from rivergis.errors import CrsRefused, InputError, UsageError
from rivergis.intake import sources

# what the reading libraries raise on damaged files
FAULTS = (RuntimeError, ValueError, ShapelyError, OSError)


def layer_names(path: Path, encoding: str | None = None) -> list[str]:
    """Names of the layers in a vector file; ``InputError`` if it cannot be opened."""
    return list(_layers(path, encoding))


def _layers(path: Path, encoding: str | None) -> dict[str, str]:
    """Layer name -> GDAL path of the data set it is in; a ZIP archive may hold several."""
    sources.check(path, sources.VECTOR, "vector file")
    found: dict[str, str] = {}
    for member in _members(path):
        dataset = f"/vsizip/{{{path}}}/{member}" if member else str(path)
        for name in _names_in(dataset, member or path.name, path, encoding):
            found[name if name not in found else str(PurePosixPath(member).with_suffix(""))] = dataset
    return found


def _members(path: Path) -> list[str]:
    """What GDAL is to open: the file itself (an empty name), or the data sets inside an archive."""
    if path.suffix.lower() != ".zip":
        if path.suffix.lower() == ".shp":
            _shapefile_parts(path, {p.name.lower() for p in path.parent.iterdir()})
            _not_cut_off(path)
        return [""]
    names = sources.members(path)
    folders = sorted({n[: n.lower().index(".gdb/") + 4] for n in names if ".gdb/" in n.lower()})
    files = [
        n
        for n in names
        if ".gdb/" not in n.lower() and (f := sources.format_of(n)) and f.drivers and "vector" in f.kinds
    ]
    for name in files:
        _shapefile_parts(Path(name), {PurePosixPath(n).name.lower() for n in names})
    if not folders and not files:
        held = ", ".join(sorted({PurePosixPath(n).name for n in names if not n.endswith("/")})[:6]) or "nothing"
        raise InputError(f"{path.name} holds no vector file that can be read (it holds {held}).", file=str(path))
    return folders + files


def _shapefile_parts(path: Path, there: set[str]) -> None:
    if path.suffix.lower() != ".shp":
        return
    missing = [e for e in (".shx", ".dbf") if (path.stem + e).lower() not in there]
    if missing:
        raise InputError(
            f"{path.name} is not whole: its {' and '.join(missing)} part is missing; a Shapefile is .shp, .shx, .dbf and .prj together.",
            file=str(path),
        )


def _not_cut_off(path: Path) -> None:
    """A Shapefile says in its header how long it is; a broken copy of a delivery is no delivery."""
    with path.open("rb") as handle:
        says = int.from_bytes(handle.read(28)[24:28], "big") * 2
    has = path.stat().st_size
    if has < says:
        raise InputError(
            f"{path.name} was cut off: it should have {says} bytes and has {has}; copy it again.", file=str(path)
        )


def _names_in(dataset: str, shown: str, path: Path, encoding: str | None) -> list[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            names = [str(n) for n in pyogrio.list_layers(dataset)[:, 0]]
            driver = pyogrio.read_info(dataset, layer=names[0], encoding=encoding)["driver"] if names else None
    except (pyogrio.errors.CRSError, UnboundLocalError) as error:
        # the second is how pyogrio 0.13 stumbles over a .prj that is not UTF-8 (Chinese names in GBK)
        raise CrsRefused(
            f"{shown}: its coordinate system cannot be read ({short(error)}): remove its .prj and name the system with --crs."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{shown} holds text in another encoding than {error.encoding}: say which with --encoding (GBK, for instance).",
            file=str(path),
        ) from error
    except FAULTS as error:
        raise InputError(
            f"{shown} cannot be opened as a vector file ({short(error)}): it is damaged or of another kind; ask for it again.",
            file=str(path),
        ) from error
    form = sources.format_of(shown)
    if driver is not None and form is not None and driver not in form.drivers:
        raise InputError(
            f"{shown} cannot be opened as a {form.name}: its content is of another kind ({driver}).", file=str(path)
        )
    return names


def short(error: Exception) -> str:
    """The library's words, without paths and advice for programmers."""
    said = " ".join(str(error).split()).split("; It might help")[0].split(". Set SHAPE_RESTORE_SHX")[0]
    return " ".join(w.rsplit("/", 1)[-1] if "/" in w else w for w in said.split())[:160].rstrip(".")


def choose(path: Path, source_layer: str | None, encoding: str | None) -> tuple[str, str]:
    found = _layers(path, encoding)
    names = ", ".join(found)
    if source_layer is not None and source_layer not in found:
        raise InputError(
            f"{path.name} has no layer {source_layer!r}; it has {names}.", file=str(path), layer=source_layer
        )
    if source_layer is None and len(found) > 1:
        raise InputError(f"{path.name} has several layers ({names}): say which with --source-layer.", file=str(path))
    if not found:
        raise InputError(f"{path.name} has no layer at all: ask for it again.", file=str(path))
    name = source_layer or next(iter(found))
    return name, found[name]


def check_encoding(encoding: str | None) -> None:
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError as error:
        raise UsageError(f"There is no encoding {encoding!r}: name one such as UTF-8, GBK or GB18030.") from error


def check_text(path: Path, dataset: str, name: str, encoding: str | None, table: pd.DataFrame) -> None:
    """A Shapefile that names no encoding is read byte by byte; text beyond ASCII would become other characters unnoticed."""
    if encoding or not dataset.lower().endswith(".shp") or _has_cpg(path, dataset):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if pyogrio.read_info(dataset, layer=PurePosixPath(name).name)["encoding"] != "ISO-8859-1":
            return
    for column in table.columns:
        words = [str(column), *(v for v in table[column] if isinstance(v, str))]
        strange = next((w for w in words if not w.isascii()), None)
        if strange is not None:
            raise InputError(
                f"{path.name} holds text beyond ASCII (field {column}: {strange[:20]!r}) and names no encoding: say which with "
                "--encoding (Chinese survey offices mostly write GBK, others UTF-8).",
                file=str(path),
                layer=name,
                field=str(column),
            )


def _has_cpg(path: Path, dataset: str) -> bool:
    wanted = dataset.rsplit("/", 1)[-1][:-4].lower() + ".cpg"
    there = sources.members(path) if path.suffix.lower() == ".zip" else [p.name for p in path.parent.iterdir()]
    return wanted in {PurePosixPath(n).name.lower() for n in there}
