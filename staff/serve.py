"""`dialback serve`: run the switch in the foreground.

Reads: switch.toml.
Gives: the click command `serve`; a line on stdout, and a file if asked for, once calls can come.
Knows nothing of: what runs: the door hands in the composition root.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from click.exceptions import Exit

from staff.desk import Desk, pass_desk, say

if TYPE_CHECKING:
    from settings import Settings


@click.command(epilog="Example: dialback --config /etc/dialback/switch.toml serve --drain-seconds 120")
@click.option("--no-web", is_flag=True, help="Calls only: the API's port stays closed.")
@click.option(
    "--drain-seconds",
    type=click.IntRange(0, 86400),
    metavar="N",
    help="SIGTERM: how long running calls may go on.  [default: switch.drain_seconds]",
)
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PATH",
    help="Written when calls can come, removed at the end.",
)
@pass_desk
def serve(desk: Desk, *, no_web: bool, drain_seconds: int | None, ready_file: Path | None) -> None:
    """Run the switch until SIGTERM; running calls are then finished and billed.

    Prints one line that begins with `ready` once the AGI port accepts and Asterisk has let us in.
    """
    from staff.log import write_log

    settings = desk.settings
    # Before anything is started: a database that is away or has other tables is said in one line, and so is
    # a switch that runs on it already.
    desk.check_unserved()
    write_log(settings.log)
    places = _places(settings, with_web=not no_web)

    def ready(_: object) -> None:
        click.echo(" ".join(["ready", *(f"{name}={place}" for name, place in places.items())]))
        if ready_file is not None:
            _write(ready_file, {"pid": os.getpid(), **places})

    if ready_file is not None:
        ready_file.unlink(missing_ok=True)
    say(f"Starting; ready once Asterisk's manager at {places['ami']} has let us in.")
    seconds = settings.switch.drain_seconds if drain_seconds is None else drain_seconds
    try:
        code = desk.serve(settings, with_web=not no_web, drain_seconds=seconds, ready=ready)
    finally:
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)
    raise Exit(code)


def _places(settings: Settings, *, with_web: bool) -> dict[str, str]:
    places = {
        "agi": f"{settings.agi.host}:{settings.agi.port}",
        "ami": f"{settings.ami.host}:{settings.ami.port}",
    }
    return {**places, "web": f"{settings.web.host}:{settings.web.port}"} if with_web else places


def _write(file: Path, told: dict[str, object]) -> None:
    """Whole or not at all: whoever waits for the file reads it the moment it is there."""
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    beside.write_text(json.dumps(told) + "\n", encoding="utf-8")
    beside.replace(file)
