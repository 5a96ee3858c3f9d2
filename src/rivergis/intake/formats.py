"""The formats that are known: names, endings, how they begin, who reads them, and what is only a part of another file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Format:
    """A kind of file: the endings it goes by, how its content begins, and who reads it."""

    name: str
    endings: tuple[str, ...]
    kinds: tuple[str, ...]
    """vector track raster table photo document; ``foreign``: known by name only, to be exported by its own software."""
    begins: tuple[bytes, ...] = ()
    """Signatures at the first byte; none: text, where nothing is certain."""
    drivers: tuple[str, ...] = ()
    """GDAL drivers that may answer: another one would open what the file points at, not the file."""
    root: tuple[str, ...] = ()
    """Names of the root element of XML formats, in lower case without namespace."""

    @property
    def is_text(self) -> bool:
        """Whether the whole file is text, in an encoding to be found out."""
        return not self.begins and self.name not in _BINARY_WITHOUT_SIGN


_BINARY_WITHOUT_SIGN = {"FileGDB", "dBase table", "SRTM height", "FIT", "OpenStreetMap PBF", "HEIC photo"}
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
OLE = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",)
SQLITE = (b"SQLite format 3\0",)
FORMATS = (
    Format("GeoPackage", (".gpkg",), ("vector",), SQLITE, ("GPKG",)),
    Format("Shapefile", (".shp",), ("vector",), (b"\0\0\x27\x0a",), ("ESRI Shapefile",)),
    Format("GeoJSON", (".geojson", ".json"), ("vector", "track"), (), ("GeoJSON",)),
    Format(
        "GeoJSON text sequence",
        (".geojsonl", ".geojsons", ".geojsonseq", ".ndjson", ".jsonl"),
        ("vector",),
        (),
        ("GeoJSONSeq",),
    ),
    Format("TopoJSON", (".topojson",), ("vector",), (), ("TopoJSON",)),
    Format("Esri JSON", (".esrijson",), ("vector",), (), ("ESRIJSON",)),
    Format("FlatGeobuf", (".fgb",), ("vector",), (b"fgb\x03",), ("FlatGeobuf",)),
    Format("GeoParquet", (".parquet", ".geoparquet"), ("vector",), (b"PAR1",)),
    Format("KML", (".kml", ".ovkml"), ("vector", "track"), (), ("LIBKML", "KML"), ("kml",)),
    Format("GML", (".gml",), ("vector",), (), ("GML",), ("featurecollection", "wfs:featurecollection", "gml")),
    Format("MapInfo", (".tab",), ("vector",), (), ("MapInfo File",)),
    Format("MapInfo exchange", (".mif",), ("vector",), (), ("MapInfo File",)),
    Format("DXF", (".dxf",), ("vector",), (), ("DXF",)),
    Format("SQLite", (".sqlite", ".db"), ("vector",), SQLITE, ("SQLite",)),
    Format("OpenStreetMap PBF", (".pbf",), ("vector",), (), ("OSM",)),
    Format("OpenStreetMap XML", (".osm",), ("vector",), (), ("OSM",), ("osm",)),
    Format("dBase table", (".dbf",), ("vector",), (), ("ESRI Shapefile",)),
    Format("table", (".csv", ".txt", ".dat", ".xyz", ".tsv"), ("vector", "track", "table"), (), ("CSV",)),
    Format("Excel table", (".xlsx", ".xlsm"), ("vector", "table", "track"), ZIP, ("XLSX",)),
    Format("Excel 97 table", (".xls", ".et"), ("table",), OLE),
    Format("OpenDocument table", (".ods",), ("table",), ZIP),
    Format("Word document", (".docx",), ("document",), ZIP),
    Format("Word 97 document", (".doc", ".wps"), ("foreign",), OLE),
    Format("HTML page", (".html", ".htm", ".mht"), ("document",), (), (), ("html",)),
    Format("PDF document", (".pdf",), ("foreign",), (b"%PDF",)),
    Format("KMZ", (".kmz", ".ovkmz"), ("vector", "track"), ZIP, ("LIBKML",)),
    Format("FileGDB", (".gdb",), ("vector",), (), ("OpenFileGDB",)),
    Format("ZIP archive", (".zip",), ("vector",), ZIP),
    Format("RAR archive", (".rar",), ("foreign",), (b"Rar!",)),
    Format("7-Zip archive", (".7z",), ("foreign",), (b"7z\xbc\xaf\x27\x1c",)),
    Format("gzip file", (".gz", ".tgz"), ("foreign",), (b"\x1f\x8b",)),
    Format("GPX", (".gpx",), ("track",), (), (), ("gpx",)),
    Format("TCX", (".tcx",), ("track",), (), (), ("trainingcenterdatabase",)),
    Format("FIT", (".fit",), ("track",)),
    Format("IGC", (".igc",), ("track",)),
    Format("NMEA", (".nmea", ".nma"), ("track",)),
    Format("GeoTIFF", (".tif", ".tiff"), ("raster",), (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    Format("ERDAS image", (".img",), ("raster",), (b"EHFA_HEADER_TAG",)),
    Format("ASCII grid", (".asc",), ("raster",)),
    Format("SRTM height", (".hgt",), ("raster",)),
    Format("JPEG photo", (".jpg", ".jpeg"), ("photo",), (b"\xff\xd8\xff",)),
    Format("PNG picture", (".png",), ("photo",), (b"\x89PNG\r\n\x1a\n",)),
    Format("HEIC photo", (".heic", ".heif"), ("photo",)),
    Format("DWG drawing", (".dwg",), ("foreign",), (b"AC10", b"AC1.", b"AC2.")),
    Format(
        "Access database", (".mdb", ".accdb"), ("foreign",), (b"\0\1\0\0Standard Jet DB", b"\0\1\0\0Standard ACE DB")
    ),
    Format("SuperMap UDBX", (".udbx",), ("foreign",), SQLITE),
    Format("SuperMap UDB", (".udb", ".udd"), ("foreign",), (b"SuperMap",)),
    Format("MapGIS", (".wt", ".wl", ".wp", ".mpj", ".hdf", ".hdb"), ("foreign",), (b"WMAP",)),
)
# parts of a Shapefile and what goes with other files: not files of their own
SIDE = {
    ".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".qpj", ".fbn", ".fbx", ".ain", ".aih", ".atx", ".ixs", ".mxs", ".cst",
    ".tfw", ".tifw", ".jgw", ".pgw", ".ovr", ".gfs", ".xsd", ".map", ".id", ".ind", ".mid", ".rrd", ".aux", ".lock",
    ".gpkg-wal", ".gpkg-shm", ".gpkg-journal", ".qmd", ".qml", ".sld", ".lyr", ".md",
}  # fmt: skip
# of these: texts and styles that belong to no data set in particular
BESIDE = {".md", ".qmd", ".qml", ".sld", ".lyr", ".xsd"}
JUNK = {"thumbs.db", ".ds_store", "desktop.ini"}
# what an orphan of these endings is a part of
ORPHANS = {".shx": (".shp",), ".prj": (".shp", ".dbf", ".tif"), ".mid": (".mif",), ".map": (".tab",)}


def endings(kind: str) -> set[str]:
    return {e for f in FORMATS if kind in f.kinds for e in f.endings}


def named(name: str) -> Format:
    """The format of that name in ``FORMATS``."""
    return next(f for f in FORMATS if f.name == name)


def format_of(name: str) -> Format | None:
    """The format that goes by a file name's ending."""
    ending = PurePosixPath(name).suffix.lower()
    return next((f for f in FORMATS if ending in f.endings), None)


# how text begins -> format
BEGINNINGS = (
    (r"(?:999[ \t\r]*\n[^\n]*\n[ \t]*)*0[ \t\r]*\n\s*SECTION\b", "DXF"),
    (r"AutoCAD Binary DXF", "DXF"),
    (r"Version\s+\d+\s+Charset", "MapInfo exchange"),
    (r"!table\b", "MapInfo"),
    (r"\$(G[PNLAB]|BD)[A-Z]{3},", "NMEA"),
    (r"A[A-Z]{3}[\s\S]{0,4000}?\nHFDTE", "IGC"),
    (r"ncols\s+\d+\s+nrows\s", "ASCII grid"),
)
