"""``rivergis encroachment``: the group."""

from __future__ import annotations

import click

from rivergis.cli import (
    encroachment_baseline,
    encroachment_campaign,
    encroachment_canonical,
    encroachment_check,
    encroachment_ledger,
    encroachment_life,
    encroachment_lists,
    encroachment_look_back,
    encroachment_nights,
    encroachment_patches,
    encroachment_replay,
    encroachment_report,
    encroachment_sample,
    encroachment_superior,
)


@click.group("encroachment")
def command() -> None:
    """Suspected leads (疑似问题线索): the machine points, people decide."""


for verb in (
    *encroachment_baseline.COMMANDS,
    *encroachment_campaign.COMMANDS,
    *encroachment_canonical.COMMANDS,
    *encroachment_check.COMMANDS,
    *encroachment_ledger.COMMANDS,
    *encroachment_life.COMMANDS,
    *encroachment_lists.COMMANDS,
    *encroachment_look_back.COMMANDS,
    *encroachment_nights.COMMANDS,
    *encroachment_patches.COMMANDS,
    *encroachment_replay.COMMANDS,
    *encroachment_report.COMMANDS,
    *encroachment_sample.COMMANDS,
    *encroachment_superior.COMMANDS,
):
    command.add_command(verb)
