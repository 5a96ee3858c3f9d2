"""``rivergis river build``: from raw centre lines to a directed network with nodes, rivers and a list of what was wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rivergis.cli import common

FILE = click.Path(path_type=Path)


def _fields(_context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """``role=FIELD`` pairs as a mapping."""
    out = {}
    for pair in given:
        role, sign, name = pair.partition("=")
        if not (role and sign and name):
            raise click.BadParameter(f"{pair!r} names no field: write ROLE=FIELD, as in name=RIVER_NAME.")
        out[role] = name
    return out


@click.command()
@click.argument("lines", type=FILE)
@click.option("--layer", default=None, help="Layer of the centre lines in their file.")
@click.option("--crs", "crs_", default=None, callback=common.known_system, help="EPSG:CODE where the file names none.")
@click.option("--id-field", default=None, help="Field with the source's own code of a line; reach_id is made of it.")
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="ROLE=FIELD",
    callback=_fields,
    help="Field that plays a role (kind, covered, level, name, flow, id, next, rank, width, ...); may be given again.",
)
@click.option("--areas", type=FILE, default=None, help="Water areas: lakes, reservoirs and wide rivers.")
@click.option("--areas-layer", default=None, help="Layer of the water areas in their file.")
@click.option("--dem", type=FILE, default=None, help="Heights, to tell directions and upstream areas.")
@click.option("--outlets", type=FILE, default=None, help="Points where water is known to leave the network.")
@click.option("--outlets-layer", default=None, help="Layer of the outlets in their file.")
@click.option("--snap", "snap_m", type=float, default=None, help="Metres within which ends are one node (rule).")
@click.option(
    "--gap", "gap_m", type=float, default=None, help="Metres up to which a missed confluence is mended (rule)."
)
@click.option("--place", default="000000", metavar="ADCODE", help="Place whose rules hold (default: national).")
@click.option("--out", type=FILE, default=None, help="network.gpkg to write; left out: into the database.")
@click.option("--overwrite", is_flag=True, help="Replace --out if it is there.")
@click.option("--namespace", default=None, help="Whose codes these are; needed to build into the database.")
@click.option(
    "--fail-on", type=click.Choice(["error", "warning"]), default=None, help="Exit 1 if defects are that bad."
)
@common.actor_option
@common.json_option
def build(
    out: Path | None,
    overwrite: bool,
    namespace: str | None,
    actor: str | None,
    place: str,
    fail_on: str | None,
    as_json: bool,
    crs_: str | None,
    **asked: Any,
) -> int:
    """Build a network from LINES: nodes, directions, rivers, chainage, order, and every defect with its place.

    Which way water runs is told by attributes, else by the way lines were drawn (as far as the file as a whole proves
    right), else by the DEM, else by what makes a network of them; every reach says which and how surely.

    \b
    Exit codes: 0 done; 1 defects as bad as --fail-on says; 3 unusable input.
    Example:
      rivergis river build rivers.gpkg --layer waterways --areas lakes.gpkg --dem dem.tif --out network.gpkg
      rivergis river build streams.shp --crs EPSG:4544 --id-field CODE --out network.gpkg
    """
    from datetime import date

    from rivergis import rules
    from rivergis.errors import UsageError
    from rivergis.river import files, workflow

    if out is None and namespace is None:
        raise UsageError("Say where the network goes: --out network.gpkg, or --namespace for the database.")
    request = files.Asked(crs=crs_, **asked)
    if out is not None:
        files.check_out(out, overwrite)
        common.not_its_source(out)
    book = rules.load(common.settings().rules_dir)
    view = book.at(rules.path_of(place), date.today())
    network = files.build_network(request, view, lambda step: _progress(step, as_json))
    saved = None
    if out is not None:
        files.write(network, out, overwrite=overwrite)
    else:
        db = common.database()
        who = common.acting(db, actor, "import")
        saved = workflow.save_network(db, network, book, namespace=str(namespace), actor=who)
    _show(network, out, saved, as_json)
    worst = set(network.built.defects["severity"])
    return int(bool(fail_on and worst & {"error", fail_on}))


def _progress(step: str, quiet: bool) -> None:
    from rivergis import words

    if not quiet:
        click.echo(words.both(f"river_build.{step}"), err=True)


def _show(network: Any, out: Path | None, saved: Any, as_json: bool) -> None:
    if as_json:
        common.emit({**network.summary, "saved": saved}, True)
        return
    from rivergis import words

    f = network.built.figures
    common.say(
        f"{f['reaches']} 河段 reaches, {f['nodes']} 节点 nodes, {f['rivers']} 河流 rivers, {f['length_m'] / 1000:.3f} km"
        + (f" → {out}" if out else "")
    )
    if saved is not None:
        common.say(
            f"入库 in the database: {saved.imported} 新增或变更 new or changed, {saved.unchanged} 未变 unchanged, "
            f"{saved.ended} 失效 ended"
        )
        if saved.untraceable:
            common.say(f"暂不能溯源 traces are not possible yet: {saved.untraceable}")
    share = f"{f['drawn_downstream']:.0%}"
    common.say(
        f"顺流数字化 drawn downstream: {share}; 掉头 turned: {f['turned']}; 流向为推测 guessed: {f['direction_guessed']}"
    )
    for line in dict.fromkeys(f"字段 field {taken['field']} → {taken['role']}" for taken in network.taken):
        common.say(line)
    for over in network.passed_over:
        common.say(f"未采用字段 field {over['field']} not taken as {over['role']}: {over['reason']}")
    for line in network.heights:
        common.say(line)
    defects = network.built.defects.groupby(["severity", "code"]).size().reset_index(name="n")
    if defects.empty:
        common.say(words.both("intake.no_defects"))
    else:
        common.table(
            ("级别 severity", "缺陷 defect", "含义 meaning", "数 n"),
            [
                (words.both(f"intake.{r.severity}"), r.code, words.both(f"network_defect.{r.code}"), r.n)
                for r in defects.itertuples()
            ],
        )
    unsure = [r["key"] for r in network.rules if r["status"] != "confirmed"]
    if unsure:
        common.say(f"未经证实的规则值 unconfirmed rule values used: {', '.join(unsure)}")
