"""`dialback pbx …`: the Asterisk that we bring along, from the command line.

Reads: the click context object, whose `.settings` has pbx, trunks, agi and ami.
Gives: the click group `pbx`.
Knows nothing of: how settings are read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol

import click
import rich_click

from pbx.errors import PbxError
from pbx.settings import Settings

Arguments = ParamSpec("Arguments")


class Context(Protocol):
    """What cli.py hangs on click's context."""

    @property
    def settings(self) -> Settings: ...


def with_settings(
    command: Callable[Concatenate[Settings, Arguments], None],
) -> Callable[Arguments, None]:
    """Hand the settings to a command, and turn its PbxErrors into exit codes."""

    @wraps(command)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        holder: Context = click.get_current_context().obj
        try:
            command(holder.settings, *args, **kwargs)
        except PbxError as error:
            click.echo(f"Error: {error}", err=True)
            raise click.exceptions.Exit(error.exit_code) from error

    return run


@rich_click.group()
def pbx() -> None:
    """Bring an Asterisk 22 along: start, check, stop it, or show its configuration."""


@pbx.command(epilog="Example: dialback pbx up")
@with_settings
def up(settings: Settings) -> None:
    """Write the configuration, start Asterisk, wait until it is ready, print its ports."""
    from pbx.bringup import bring_up

    click.echo("Preparing Asterisk and its prompts …", err=True)
    asterisk = bring_up(settings)
    own = settings.pbx
    if asterisk.installation.note:
        click.echo(f"Not used: {asterisk.installation.note}", err=True)
    click.echo(f"Asterisk {asterisk.installation.version} is ready (pid {asterisk.pid})")
    click.echo(f"  SIP      {own.host}:{own.sip_port}/udp")
    click.echo(f"  media    {own.rtp_start}-{own.rtp_end}/udp")
    click.echo(f"  manager  {settings.ami.host}:{settings.ami.port}")
    click.echo(f"  switch   agi://{settings.agi.host}:{settings.agi.port}")
    click.echo(f"  folder   {asterisk.layout.folder}")


@pbx.command(epilog="Example: dialback pbx down")
@with_settings
def down(settings: Settings) -> None:
    """Stop the Asterisk of this folder; calls in progress end."""
    from pbx.bringup import asterisk_of

    asterisk = asterisk_of(settings)
    pid = asterisk.pid
    asterisk.stop()
    click.echo(f"no Asterisk runs in {settings.pbx.folder}" if pid is None else f"stopped (pid {pid})")


@pbx.command(epilog="Example: dialback pbx check --output json")
@click.option(
    "--output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to print: for people, or for programs.",
)
@with_settings
def check(settings: Settings, output: str) -> None:
    """Look at version, modules, rights, ports, evidence and prompts of the running Asterisk."""
    from pbx.bringup import asterisk_of, prompt_texts
    from pbx.checks import findings

    found = findings(asterisk_of(settings), settings, prompt_texts())
    if output == "json":
        rows = [{"what": f.what, "good": f.good, "says": f.says} for f in found]
        click.echo(json.dumps(rows, indent=2))
    else:
        for finding in found:
            click.echo(f"{'ok ' if finding.good else 'BAD'}  {finding.what:<18} {finding.says}")
    if not all(finding.good for finding in found):
        click.get_current_context().exit(1)


@pbx.command("show-config", epilog="Example: dialback pbx show-config pjsip.conf")
@click.argument("name", required=False)
@with_settings
def show_config(settings: Settings, name: str | None) -> None:
    """Print the file NAME as `up` would write it, or the names of all; secrets are left out."""
    from pbx.bringup import asterisk_of
    from pbx.configuration import files, without_secrets

    texts = files(settings, asterisk_of(settings).installation)
    if name is None:
        click.echo("\n".join(sorted(texts)))
    elif name in texts:
        click.echo(without_secrets(texts[name]), nl=False)
    else:
        raise click.UsageError(f"no file {name!r}; there are {', '.join(sorted(texts))}")


@pbx.command("drop-in", epilog="Example: dialback pbx drop-in --into /etc/asterisk/dialback")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the files here instead of printing them; secrets are in them only then.",
)
@with_settings
def drop_in(settings: Settings, into: Path | None) -> None:
    """Give the files that an Asterisk of your own needs to work with Dialback."""
    from pbx import configuration
    from pbx.fixed import DROP_IN_README

    texts = {**configuration.drop_in(settings), "README": DROP_IN_README}
    if into is None:
        for name, text in texts.items():
            click.echo(f"# ---- {name}\n{configuration.without_secrets(text)}")
        return
    try:
        configuration.write(texts, into)
    except OSError as error:
        raise click.UsageError(f"--into {into}: {error.strerror}") from error
    click.echo(f"{len(texts)} files in {into}")
