"""Data sets made ready for GDAL: archives unpacked, Shapefiles mended, text that is not UTF-8 rewritten, always in a folder
of ours. GDAL never writes beside the user's files, and never opens what is of another kind than it was recognised as.
"""

from __future__ import annotations

import html
import re
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from rivergis.errors import InputError
from rivergis.intake import archive, shapefile, sources, text
from rivergis.intake.delivery import Asked, Defect
from rivergis.intake.limits import Limits

_XML_SAYS = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_MAPINFO_CHARSET = re.compile(rb'(?i)(charset\s+"?)([A-Za-z0-9_-]+)("?)')
_MAPINFO_NAMES = {
    "windowssimpchinese": "gb18030",
    "windowstradchinese": "big5",
    "windowslatin1": "cp1252",
    "iso8859_1": "iso-8859-1",
    "utf-8": "utf-8",
}
_MAPINFO_PARTS = {".tab", ".dat", ".map", ".id", ".ind", ".mif", ".mid"}
# what AutoCAD says from its release of 2007 on is UTF-8
_DXF_UTF8 = "AC1021"


@dataclass
class DataSet:
    """One data set of a delivery, ready to be opened at ``place``. ``name``: of the file or member, for people."""

    name: str
    place: str
    form: sources.Format
    stem: str
    """What its only layer is called."""
    raw_text: bool = False
    """GDAL hands out every byte of text as the character of that number: the encoding is for us to find."""
    declared: str | None = None
    how: str = ""
    text: text.Text | None = None
    """Where the whole file is text: its encoding, already judged."""
    shape: shapefile.Shapefile | None = None
    renamed: dict[str, str] = field(default_factory=dict)
    """Field names GDAL would make underscores of: the name it was given instead -> the name in the file."""
    links: tuple[str, ...] = ()
    """Where a KML points for data it does not hold."""
    empty: bool = False
    """A KML without a single place."""
    declared_crs: str | None = None
    """What a GeoJSON's crs member names; empty where it says null."""
    defects: list[Defect] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)


@contextmanager
def staged(path: Path, asked: Asked, limits: Limits) -> Iterator[tuple[str, list[DataSet]]]:
    """The format in words and the data sets of a file or archive, for as long as the context lasts.

    ``InputError`` for what cannot be opened at all.
    """
    form = sources.recognise(path, limits)
    if not form.drivers and form.name not in ("GeoParquet", "ZIP archive"):
        raise InputError(f"{path.name} is a {form.name}, not a vector file.", file=str(path))
    with tempfile.TemporaryDirectory(prefix="rivergis-") as scratch:
        folder = Path(scratch)
        if form.name in ("ZIP archive", "KMZ"):
            made = list(_from_archive(path, folder, asked, limits))
        else:
            made = [_prepare(path, path.name, path.stem, form, folder / "1", asked, limits)]
        yield form.name, made


def _from_archive(path: Path, folder: Path, asked: Asked, limits: Limits) -> Iterator[DataSet]:
    members = archive.members(path, limits)
    groups = _groups(members)
    if not groups:
        held = ", ".join(sorted({m.base for m in members})[:6]) or "nothing"
        raise InputError(f"{path.name} holds no vector file that can be read (it holds {held}).", file=str(path))
    targets = {n: folder / "unpacked" / str(i) for i, n in enumerate(groups)}
    archive.unpack(path, [(m, targets[n] / inner) for n, ms in groups.items() for m, inner in ms], limits)
    stems = [PurePosixPath(n).stem for n in groups]
    for i, (name, target) in enumerate(targets.items()):
        shown = PurePosixPath(name)
        stem = shown.stem if stems.count(shown.stem) == 1 else str(shown.with_suffix(""))
        main = target / f"data{shown.suffix.lower()}" if shown.suffix.lower() != ".gdb" else target
        form_inside = sources.recognise(main, limits)
        made = _prepare(main, f"{path.name}/{name}", stem, form_inside, folder / str(i), asked, limits)
        if len(groups) > 1:
            # the first file of a KMZ may only list the others in it
            made.links = tuple(link for link in made.links if "://" in link)
        if not made.empty or made.links or len(groups) == 1:
            yield made


def _groups(members: list[archive.Member]) -> dict[str, list[tuple[archive.Member, str]]]:
    """Data set -> its members, each with the plain name it is unpacked under."""
    groups: dict[str, list[tuple[archive.Member, str]]] = {}
    for member in members:
        if (root := _geodatabase(member, members)) is not None:
            groups.setdefault(root, []).append((member, member.base))
    for member in members:
        form = sources.format_of(member.name)
        plain = _geodatabase(member, members) is None and not _is_part(member, members)
        if (
            plain
            and form
            and (form.drivers or form.name == "GeoParquet")
            and form.name not in ("table", "Excel table", "KMZ")
        ):
            groups[member.name] = [
                (m, "data" + PurePosixPath(m.name).suffix.lower()) for m in _siblings(member, members)
            ]
    return groups


def _geodatabase(member: archive.Member, members: list[archive.Member]) -> str | None:
    """The FileGDB a member lies in: a folder called .gdb, or one that holds a FileGDB's catalogue."""
    parent = str(PurePosixPath(member.name).parent)
    if parent.lower().endswith(".gdb"):
        return parent
    prefix = "" if parent == "." else f"{parent}/"
    if any(m.name.lower() == f"{prefix}a00000001.gdbtable".lower() for m in members):
        return "geodatabase.gdb" if parent == "." else f"{parent}.gdb"
    return None


def _is_part(member: archive.Member, members: list[archive.Member]) -> bool:
    name = PurePosixPath(member.name)
    owners = {".dbf": ".shp", ".dat": ".tab", ".mid": ".mif"}
    owner = owners.get(name.suffix.lower())
    return owner is not None and any(m.name.lower() == str(name.with_suffix(owner)).lower() for m in members)


def _siblings(member: archive.Member, members: list[archive.Member]) -> list[archive.Member]:
    """A member and what shares its name but for the ending; of several in other case, the first."""
    stem = str(PurePosixPath(member.name).with_suffix("")).lower()
    found = {
        PurePosixPath(m.name).suffix.lower(): m
        for m in reversed(members)
        if str(PurePosixPath(m.name).with_suffix("")).lower() == stem
    }
    return list((found | {PurePosixPath(member.name).suffix.lower(): member}).values())


# ---- one data set ---------------------------------------------------------------------------------------------------


def _prepare(
    path: Path, name: str, stem: str, form: sources.Format, folder: Path, asked: Asked, limits: Limits
) -> DataSet:
    folder.mkdir(parents=True, exist_ok=True)
    made = DataSet(name, str(path), form, stem)
    if form.name in ("Shapefile", "dBase table"):
        _shapefile(path, folder, made)
    elif form.drivers == ("MapInfo File",):
        _mapinfo(path, folder, made)
    elif form.name == "DXF":
        _dxf(path, folder, made)
    elif form.name in ("KML", "GML", "OpenStreetMap XML") or "JSON" in form.name:
        _plain_text(path, folder, made, asked, limits)
    elif form.name in ("GeoPackage", "SQLite"):
        _check_tables(path, name)
    elif form.name == "FileGDB":
        _geodatabase_folder(path, folder, made)
    made.place = _plain_place(made, folder)
    _check_pointers(made)
    return made


def _geodatabase_folder(path: Path, folder: Path, made: DataSet) -> None:
    if not path.is_dir():
        raise InputError(
            f"{made.name} is a file; a FileGDB is a folder: ask for the whole folder, zipped.", file=made.name
        )
    if any(not (p.is_file() or p.is_dir()) for p in path.iterdir()):
        raise InputError(f"{made.name} holds pipes, devices or broken links: copy it again.", file=made.name)
    if path.suffix.lower() != ".gdb":
        link = folder / "data.gdb"
        link.symlink_to(path.resolve(), target_is_directory=True)
        made.place = str(link)


def _plain_place(made: DataSet, folder: Path) -> str:
    """A place that is nothing but a path: GDAL and pyogrio take ``WFS:...``, ``a!b`` and ``a;b`` for other addresses."""
    place = Path(made.place).absolute()
    if str(place).isprintable() and not any(mark in str(place) for mark in "!?;"):
        return str(place)
    link = folder / f"layer{place.suffix.lower() if place.suffix.isascii() else ''}"
    link.symlink_to(place)
    return str(link)


# what GDAL takes, wherever it stands in a file's beginning and whatever its ending, for the order to read something else
_POINTERS = re.compile(
    rb"<OGRVRTDataSource|<VRTDataset|<OGRWFSDataSource|WFS_Capabilities|<GDAL_WMS|<WMS_|<GDALTileIndex|gdal_streamed_alg"
    rb"|<Product_Observational"
)


def _check_pointers(made: DataSet) -> None:
    """``InputError`` if what GDAL would open only points at other files, addresses or commands."""
    place = Path(made.place)
    if not place.is_file():
        return
    with place.open("rb") as handle:
        found = None if made.form.begins else _POINTERS.search(handle.read(1 << 16))
    if found is not None:
        what = found.group().decode("ascii").lstrip("<")
        raise InputError(
            f"{made.name} is no {made.form.name}: it only points at data elsewhere ({what}), which is not followed; "
            "hand in the data themselves.",
            file=made.name,
        )


# kinds of virtual tables that hold nothing but what lies in the database itself
_OWN_TABLES = {"rtree", "rtree_i32", "geopoly", "fts3", "fts4", "fts5"}
_OWN_TABLES |= {f"virtual{n}" for n in ("spatialindex", "elementary", "knn", "knn2", "bbox", "network", "routing")}


def _check_tables(path: Path, name: str) -> None:
    """``InputError`` if a database has virtual tables that read other files: a table's contents would be theirs."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as base:
            base.text_factory = lambda raw: raw.decode("utf-8", "replace")
            rows = base.execute("SELECT name, sql FROM sqlite_master WHERE sql LIKE '%virtual%'").fetchall()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise InputError(
            f"{name} cannot be opened as a database ({str(error)[:100]}): it is damaged; ask for it again.", file=name
        ) from error
    for table, sql in rows:
        plain = re.sub(r"/\*[\s\S]*?(\*/|$)|--[^\n]*", " ", sql)
        kinds = {k.lower() for k in re.findall(r"(?i)\bUSING\W*(\w+)", plain)}
        if re.match(r"(?i)\s*CREATE\s+VIRTUAL", plain) and (not kinds or kinds - _OWN_TABLES):
            raise InputError(
                f"{name}: its table {table[:60]!r} is a virtual one, whose contents come from other files: it is refused; "
                "ask for the table itself.",
                file=name,
            )


def _shapefile(path: Path, folder: Path, made: DataSet) -> None:
    if path.suffix.lower() not in (".shp", ".dbf"):
        # a Shapefile under another ending: its parts cannot be told
        link = folder / "renamed.shp"
        link.symlink_to(path.resolve())
        path = link
        folder = folder / "in"
        folder.mkdir()
    shape = shapefile.prepare(path, folder)
    made.shape, made.place, made.raw_text = shape, str(shape.place), True
    made.declared, made.how = shape.declared, shape.how
    made.defects += shape.defects


def _mapinfo(path: Path, folder: Path, made: DataSet) -> None:
    """Links to the parts; the head, which names the character set, rewritten so that text comes byte by byte."""
    for part in sorted(path.parent.iterdir()):
        if (
            part.stem.lower() == path.stem.lower()
            and part.suffix.lower() in _MAPINFO_PARTS
            and part.suffix.lower() != path.suffix.lower()
            and part.is_file()
        ):
            (folder / f"layer{part.suffix.lower()}").symlink_to(part.resolve())
    ending = ".mif" if made.form.name == "MapInfo exchange" else ".tab"
    raw = path.read_bytes()
    if re.search(rb"(?i)^\s*(open\s+table|create\s+view)\b|IsSeamless", raw[: 1 << 16], re.MULTILINE):
        raise InputError(
            f"{made.name} only joins other tables (a view or seamless table), which are not followed: hand in the tables themselves.",
            file=made.name,
        )
    said = _MAPINFO_CHARSET.search(raw[:4096])
    made.declared = _MAPINFO_NAMES.get(said.group(2).decode("latin-1").lower()) if said else None
    made.how, made.raw_text = "its character set", True
    head = _MAPINFO_CHARSET.sub(rb"\g<1>ISO8859_1\g<3>", raw[:4096])
    target = folder / f"layer{ending}"
    target.write_bytes(head + raw[4096:])
    made.place = str(target)


def _dxf(path: Path, folder: Path, made: DataSet) -> None:
    with path.open("rb") as handle:
        head = handle.read(1 << 20)
    if head.startswith(b"AutoCAD Binary DXF"):
        path = _text_dxf(path, folder / "text.dxf", made)
        head = path.read_bytes()[: 1 << 20]
    if path.suffix.lower() != ".dxf":
        link = folder / "layer.dxf"
        link.symlink_to(path.resolve())
        path = link
    made.place, made.raw_text = str(path), True
    release, page = _dxf_says(head, b"$ACADVER"), _dxf_says(head, b"$DWGCODEPAGE")
    made.declared, made.how = ("UTF-8", "a DXF since 2007") if release >= _DXF_UTF8 else (page or None, "$DWGCODEPAGE")
    if page.upper() == "ANSI_1252" and release < _DXF_UTF8:
        # what converters write without asking
        made.declared = None
    units = _dxf_says(head, b"$INSUNITS")
    made.facts["drawing_units"] = {
        "1": "inches",
        "2": "feet",
        "4": "millimetres",
        "5": "centimetres",
        "6": "metres",
        "7": "kilometres",
    }.get(units, "not said")


def _dxf_says(head: bytes, variable: bytes) -> str:
    found = re.search(rb"\s9\s*\n\s*" + re.escape(variable) + rb"\s*\n\s*\d+\s*\n([^\n]*)", head)
    return found.group(1).decode("latin-1").strip() if found else ""


def _text_dxf(path: Path, target: Path, made: DataSet) -> Path:
    import ezdxf  # takes longer to load than most files to read

    try:
        ezdxf.filemanagement.readfile(path).saveas(target)
    except (OSError, ezdxf.DXFError, ValueError, IndexError, KeyError, AttributeError) as error:
        raise InputError(
            f"{made.name} is a binary DXF that cannot be read: ask for a text DXF (ASCII).", file=str(path)
        ) from error
    return target


def _plain_text(path: Path, folder: Path, made: DataSet, asked: Asked, limits: Limits) -> None:
    """Files that are text as a whole: their encoding judged, and a copy in UTF-8 where they are in another."""
    raw = path.read_bytes()
    if len(raw) > limits.text_bytes:
        raise InputError(
            f"{made.name} is larger than {limits.text_bytes >> 20} MB of text: ask for it in parts.", file=str(path)
        )
    json = "JSON" in made.form.name
    if json:
        sources.check_depth(path, raw, limits)
    said = None if json else _XML_SAYS.search(raw[:1024])
    declared = "UTF-8" if said is None else said.group(1).decode("latin-1")
    how = "its standard" if json else "XML declaration" if said else "its standard"
    made.text = text.find_encoding(raw, asked=asked.encoding, declared=declared, how=how)
    if said is None and not json:
        made.text = _unsaid(raw, asked, made.text)
    crs = _CRS_MEMBER.search(raw[: 1 << 16]) or _CRS_MEMBER.search(raw[-(1 << 12) :]) if json else None
    made.declared_crs = _crs_member(crs) if crs else None
    odd_names = _look_into_kml(made.text.read(raw), made) if made.form.name == "KML" else False
    if made.text.codec not in ("utf-8", "utf-8-sig") or made.text.defects or b"\0" in raw or odd_names:
        _rewrite(raw, folder, made)
    elif made.form.name == "GML":
        made.place = str(folder / "layer.gml")
        Path(made.place).write_bytes(_without_schema(raw))
    elif not path.name.lower().endswith(made.form.endings):
        link = folder / f"layer{made.form.endings[0]}"
        link.symlink_to(path.resolve())
        made.place = str(link)
    else:
        made.place = str(path)
    if made.form.name == "GML" and path.with_suffix(".xsd").is_file():
        # the types of its fields; a .gfs is only what GDAL once guessed of another file
        (folder / "layer.xsd").write_bytes(_without_schema(path.with_suffix(".xsd").read_bytes()))


def _look_into_kml(plain: str, made: DataSet) -> bool:
    """Note where a KML only points elsewhere; whether it has field names that GDAL would spoil."""
    made.links = tuple(link.strip() for link in _KML_LINK.findall(plain))
    made.empty = re.search(r"<(\w+:)?(Placemark|Track|MultiTrack)\b", plain) is None
    return _KML_DATA.search(plain) is not None


def _unsaid(raw: bytes, asked: Asked, found: text.Text) -> text.Text:
    """XML without a declaration that is not UTF-8 contradicts nothing it said: the encoding was guessed."""
    return text.find_encoding(raw, asked=asked.encoding) if found.codec not in ("utf-8", "utf-8-sig") else found


def _without_schema(raw: bytes) -> bytes:
    """A GML or schema that names no other schema: GDAL would open whatever path or address stands there."""
    for codec in ("ascii", "utf-16-le", "utf-16-be"):
        raw = raw.replace("schemaLocation".encode(codec), "schemaLocated_".encode(codec))
    return raw


def _rewrite(raw: bytes, folder: Path, made: DataSet) -> None:
    assert made.text is not None
    plain = made.text.read(_without_schema(raw) if made.form.name == "GML" else raw).lstrip("\ufeff")
    if made.form.root:
        plain = re.sub(r"""(<\?xml[^>]{0,200}?encoding\s*=\s*["'])[^"']*""", r"\1UTF-8", plain, count=1)
        # characters no XML may hold, which broken exports leave in
        plain = _KML_DATA.sub(lambda m: m.group(1) + _plain_name(m.group(2), made) + '"', plain)
        plain = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "", plain)
    target = folder / f"layer{made.form.endings[0]}"
    target.write_text(plain, "utf-8")
    made.place = str(target)


_KML_LINK = re.compile(r"<(?:\w+:)?NetworkLink\b[\s\S]{0,4000}?<(?:\w+:)?href>([^<]{0,500})<")
# names of extended data that are more than ASCII letters, digits and underscores
_KML_DATA = re.compile(r"""(<(?:\w+:)?Data\s+name=")(?![A-Za-z_][A-Za-z0-9_]*")([^"]{1,200})\"""")


def _plain_name(name: str, made: DataSet) -> str:
    """A name GDAL lets stand, the same for the same name; the frame gets the file's own back."""
    real = html.unescape(name)
    known = next((k for k, v in made.renamed.items() if v == real), None)
    if known is None:
        known = f"field_{len(made.renamed) + 1}_of_ours"
        made.renamed[known] = real
    return known


_CRS_MEMBER = re.compile(rb'"crs"\s*:\s*(null|\{[^{}]{0,400}?\{[^{}]{0,4000}?\}\s*\})')
_CRS_NAME = re.compile(r'"(?:name|href)"\s*:\s*"([^"]{1,400})"')


def _crs_member(found: re.Match[bytes]) -> str:
    """The name a crs member gives, as it stands; empty for null (the file says: unknown)."""
    if found.group(1) == b"null":
        return ""
    name = _CRS_NAME.search(found.group(1).decode("utf-8", "replace"))
    return name.group(1) if name else found.group(1).decode("utf-8", "replace")
