"""Which way imports point (design: the house). One test keeps every arrow."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "rivergis"
DOMAINS = ("river", "boundary", "sourcezone", "outfall", "patrol", "encroachment")
WORDS = ("errors", "settings", "crs", "geometry", "layers", "rules", "lifecycle", "words", "lead")
SIDEWAYS = {
    "boundary": {"river"},
    "sourcezone": {"river"},
    "outfall": {"river", "sourcezone"},
    "patrol": {"river"},
    "encroachment": {"river", "boundary"},
}
# libraries that belong to one place only
ONLY_IN = {
    "fastapi": ("web",),
    "starlette": ("web",),
    "click": ("cli",),
    "rich": ("cli",),
    "folium": ("maps/atlas",),
    "psycopg2": ("db",),
    "dask": ("jobs/batch",),
}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__") or "rivergis"


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{a.name}" for a in node.names}
    return found


def level(module: str) -> int:
    top, _, rest = module.partition(".")
    if top in WORDS or module in ("rivergis", "__init__"):
        return 0
    if top in DOMAINS:
        last = rest.rpartition(".")[2]
        if last == "store" or last.endswith("_store"):
            return 3
        return (
            4
            if last in ("workflow", "files", "measuring", "tracing", "flood_inputs")
            or last.endswith(("_files", "_workflow"))
            else 1
        )
    return {"db": 2, "intake": 2, "maps": 5, "reports": 5, "jobs": 6, "web": 7, "cli": 7}[top]


def inner(path: Path) -> set[str]:
    """Modules of the house that a module imports, by dotted name without 'rivergis.'."""
    known = {name_of(p) for p in modules()}
    out = set()
    for name in imports(path):
        if name == "rivergis" or name.startswith("rivergis."):
            parts = name.split(".")[1:]
            while parts and ".".join(parts) not in known:
                parts = parts[:-1]
            out.add(".".join(parts) or "rivergis")
    return out


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_point_down(path: Path) -> None:
    me = name_of(path)
    mine, top = level(me), me.partition(".")[0]
    for other in inner(path):
        theirs, other_top = level(other), other.partition(".")[0]
        if other_top == top:
            continue
        assert theirs <= mine, f"{me} (level {mine}) imports {other} (level {theirs})"
        if mine == 1 and theirs == 1:
            assert other_top in SIDEWAYS.get(top, set()), f"{me} may not use {other_top}"
        if mine == 3:
            assert theirs in (0, 2), f"{me}: a store knows level 0 and db only, not {other}"
        if mine == 4 and theirs == 4:
            pytest.fail(f"{me}: a workflow reads other domains' stores, not their workflows ({other})")
        assert not (mine == 7 and theirs == 7), f"{me}: web and cli never use each other"
        assert not (top == "db" and other_top == "intake"), f"{me}: db does not know intake"


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_libraries_stay_in_their_place(path: Path) -> None:
    where = path.relative_to(SOURCE).with_suffix("").as_posix()
    for name in imports(path):
        library = name.partition(".")[0]
        for allowed in [ONLY_IN[library]] if library in ONLY_IN else []:
            assert any(where == a or where.startswith(a + "/") for a in allowed), f"{where} imports {library}"
        if library == "sqlalchemy":
            # the type of the connection that is handed through may be named; nothing else of the library
            annotation_only = name == "sqlalchemy.Connection" and level(name_of(path)) >= 4
            assert where.startswith("db/") or where.endswith("store") or annotation_only, f"{where} imports {name}"


def test_settings_are_read_at_the_edges_only() -> None:
    for path in modules():
        if level(name_of(path)) < 6:
            assert "settings.load(" not in path.read_text(encoding="utf-8"), f"{name_of(path)} reads the settings"


def test_import_rivergis_loads_nothing_heavy() -> None:
    heavy = ("numpy", "pandas", "geopandas", "shapely", "sqlalchemy", "fastapi", "folium", "rasterio", "click")
    code = f"import sys, rivergis; print([m for m in {heavy!r} if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_library_works_without_a_database() -> None:
    code = "import sys; from rivergis import river, patrol, encroachment, boundary, outfall; print('sqlalchemy' in sys.modules, 'psycopg2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == [
        "False",
        "False",
    ]


def test_no_module_grows_beyond_five_hundred_lines() -> None:
    long = {name_of(p): n for p in modules() if (n := len(p.read_text(encoding="utf-8").splitlines())) > 500}
    assert not long
