"""Command line: ``rivergis <noun> <verb>``; one small module per noun, loaded when asked for."""

from __future__ import annotations

import importlib
import json
import logging
import os
import re
import sys
from typing import Any

import click

from rivergis import __version__
from rivergis.errors import RivergisError, legible

NOUNS: dict[str, tuple[str, str]] = {
    "db": ("rivergis.cli.db", "The private PostGIS cluster: start, stop, status, upgrade, backup, restore."),
    "rules": ("rivergis.cli.rules", "Rules as data: show a value and why it holds, list, check."),
    "inspect": ("rivergis.cli.inspect", "Look at survey files: format, encoding, coordinate system, every defect."),
    "import": ("rivergis.cli.import_", "Bring a file in as a layer, tracks or imagery."),
    "imagery": ("rivergis.cli.imagery", "Scenes and terrain: list them, make them ready for tiles."),
    "export": ("rivergis.cli.export", "A layer out as a file: GeoPackage, Shapefile, DXF, coordinate table …"),
    "quarantine": ("rivergis.cli.quarantine", "Features set aside at imports: list, show, export, return, dismiss."),
    "river": ("rivergis.cli.river", "Chainage (桩号) and reaches."),
    "terrain": ("rivergis.cli.terrain", "Where water runs on a DEM (数字高程模型): flow, streams, heights, flood."),
    "boundary": ("rivergis.cli.boundary", "Boundary lines (管理范围线): surrogate, check."),
    "patrol": ("rivergis.cli.patrol", "Patrol tracks (巡河): score."),
    "encroachment": ("rivergis.cli.encroachment", "Suspected leads (疑似问题线索): check files, list, show."),
    "feed": (
        "rivergis.cli.feed",
        "Feeds (数据来源): form, cadence, last arrival; folders read: add, change, list, show, take-in.",
    ),
    "nightly": ("rivergis.cli.nightly", "The overnight run: run, show, explain."),
    "map": ("rivergis.cli.map_", "Folium maps as single files."),
    "public": ("rivergis.cli.public", "What the public part of the service shows."),
    "user": ("rivergis.cli.user", "Users, roles and keys."),
    "serve": ("rivergis.cli.serve", "Serve maps and pages."),
    "demo": ("rivergis.cli.demo", "Load the fictional demo county."),
}


# drivers that read what a file points at, run what it says or ask the network: no command needs them
_ELSEWHERE = (
    "ADBC,AmigoCloud,Carto,CSW,EEDA,EEDAI,Elasticsearch,GDALG,GNMDatabase,GNMFile,GPSBabel,GTI,HTTP,NGW,OAPIF,OGCAPI,OGR_VRT,"
    "PDS4,PLMOSAIC,PLSCENES,STACIT,STACTA,VRT,WCS,WFS,WMS,WMTS"
)


class _Nouns(click.Group):
    """Loads a noun's module only when it is called, so that ``rivergis --help`` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in NOUNS:
            return None
        command: click.Command = importlib.import_module(NOUNS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Nouns"):
            formatter.write_dl([(name, about) for name, (_, about) in NOUNS.items()])


@click.group(cls=_Nouns, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="rivergis")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def rivergis(ctx: click.Context, debug: bool) -> None:
    """rivergis: geospatial checks and maps for the river chief system (河长制).

    \b
    Example:
      rivergis db start
      rivergis import reach rivers.gpkg --crs EPSG:4544
      rivergis nightly run --date 2026-05-20
    """
    ctx.obj = {"debug": debug}


def main(argv: list[str] | None = None) -> None:
    """Entry point: errors become one sentence on stderr and a stable exit code; no traceback without --debug."""
    args = sys.argv[1:] if argv is None else argv
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # names of files need not be text
    os.environ.setdefault("GDAL_SKIP", _ELSEWHERE)
    if "--debug" not in args:
        # a connection that breaks is told in one sentence of ours, not by what the pool says of it as well
        logging.getLogger("sqlalchemy").addHandler(logging.NullHandler())
    sys.exit(_run(args))


def _run(args: list[str]) -> int:
    try:
        result: Any = rivergis.main(args=args, prog_name="rivergis", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return 2
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("Interrupted; nothing of the unfinished step was kept. 已中断。", err=True)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except RivergisError as error:
        if "--debug" in args:
            raise
        if "--json" in args:
            click.echo(legible(json.dumps(error.as_dict(), ensure_ascii=False, default=str)))
        click.echo(f"{error.zh} · {error.sentence}", err=True)
        if "defect" in error.details:
            from rivergis.cli import common

            common.advise(error.details["defect"], "  ", err=True)
        return error.exit_code
    except Exception as error:
        if "--debug" in args:
            raise
        if isinstance(error, UnicodeEncodeError) and any(not _is_text(a) for a in args):
            click.echo("用法有误 · An argument holds bytes that are no text in UTF-8: type it again.", err=True)
            return 2
        text = legible(" ".join(str(error).split())[:300])
        click.echo(
            f"程序自身故障 · A fault of rivergis itself: {type(error).__name__}: {text} (run again with --debug for the details).",
            err=True,
        )
        return 70


def _is_text(argument: str) -> bool:
    return not re.search("[\ud800-\udfff]", argument)
