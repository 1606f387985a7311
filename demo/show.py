"""The whole show: a system, a company, a call, its records, and the phones' word against the bill.

Reads: a Screen, where the files may go, whether to stay for a visitor.
Gives: an exit code. When it returns nothing runs any more, and one folder holds what is left.
Knows nothing of: how each part does its work.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from calls.callback import Callback, State
from demo import audit, company, scene, stoppers
from demo.live import Live, NotInTime
from demo.refusals import WrongUse
from demo.screen import GREEN, RED, Screen
from demo.stage import ROOT, Stage, StageFailed
from demo.visit import receive, softphone
from pbx.errors import PbxError
from pbx.installation import Installation, find_or_fetch
from store import cdrs
from store.errors import StoreError
from world.lateness import Sleeper
from world.network import NeverHappened
from world.ports import NoFreePorts
from world.sip import RingingLine

AGREES, DISAGREES, INTERRUPTED = 0, 1, 130
OUTPUT = "demo-output"
INVOICE = "invoice.pdf"
KEPT = frozenset({INVOICE, "switch.toml", "dialback.db", "switch.log", "phones.csv"})
"""What stays of a call that went well; of one that did not, everything does."""
REFUSALS = (
    company.CommandRefused,
    NotInTime,
    StageFailed,
    PbxError,
    StoreError,
    NeverHappened,
    NoFreePorts,
    OSError,
)


def show(screen: Screen, *, keep: bool, host: str, folder: Path | None) -> int:
    """Show one call from end to end; with `keep`, stay for a visitor's own calls.

    Raises WrongUse before anything is started if `host` or `folder` cannot be had.
    """
    began = time.monotonic()
    line = softphone(host) if keep else None
    place = _new_folder(folder)
    screen.line("Dialback: one callback on a real Asterisk, from a single ring to the invoice")
    complaints = ["a fault of the demo itself"]
    is_interrupted = False
    try:
        with ExitStack() as stack:
            installation = _find(screen)
            stage = Stage(
                installation,
                place,
                softphone=line,
                overrides={"seller": {"name": "Dialback Demo Ltd", "address": ["2 Exchange Row", "London"]}},
            )
            clerk = company.Clerk(screen, stage.config)
            stack.callback(_tidy, stage)
            _start(screen, stack, stage, installation)
            _found(screen, clerk)
            complaints = _one_call(screen, stack, stage, clerk)
            _verdict(screen, complaints)
            if line is not None:
                receive(screen, stage, clerk, line)
    except REFUSALS as error:
        complaints = [str(error)]
        screen.line()
        screen.line(f"Failed: {error}", RED)
    except KeyboardInterrupt:
        is_interrupted, complaints = True, []
        screen.line()
        screen.line("Interrupted.")
    finally:
        _sweep(place, everything_stays=bool(complaints))
    code = INTERRUPTED if is_interrupted else DISAGREES if complaints else AGREES
    _close(screen, place, f"{time.monotonic() - began:.0f} s in all. Exit code {code}.")
    return code


def _find(screen: Screen) -> Installation:
    screen.heading("1  The telephone system")
    screen.said("Asterisk: this machine's own if it is fit, else a private one, which is fetched once ...")
    began = time.monotonic()
    installation = find_or_fetch()
    screen.said(f"Asterisk {installation.version} found after {time.monotonic() - began:.1f} s.")
    return installation


def _start(screen: Screen, stack: ExitStack, stage: Stage, installation: Installation) -> None:
    began = time.monotonic()
    stack.enter_context(stage)
    stack.callback(stoppers.ignore)
    scene.rehearse(stage.world)
    pbx, web = stage.settings.pbx, stage.settings.web
    carriers = ", ".join(f"{line.carrier.name} at {line.host}:{line.port}" for line in stage.world.lines)
    screen.said(f"Started in {time.monotonic() - began:.1f} s, each as a process of its own:")
    screen.said(f"- Dialback's Asterisk {installation.version}, SIP at {pbx.host}:{pbx.sip_port};")
    screen.said(f"- a second Asterisk that plays carriers ({carriers}) and telephones;")
    screen.said(f"- the switch itself (`dialback serve`), its web at {web.host}:{web.port}.")
    screen.said(f"All files are in {company.shown(stage.folder)}.")


def _found(screen: Screen, clerk: company.Clerk) -> None:
    screen.heading("2  The company, made by commands (from a checkout: bin/dialback)")
    clerk.takes_a_seat()
    numbers = company.Numbers(trigger=scene.TRIGGER, subscriber=scene.SAM)
    for told, words in company.founding(numbers):
        if told:
            screen.said(f"{told}:")
        clerk.runs_in_brief(words)


def _one_call(screen: Screen, stack: ExitStack, stage: Stage, clerk: company.Clerk) -> list[str]:
    """Show the call and all that is left of it; what does not agree."""
    database = stage.database()
    stack.callback(database.close)
    live = Live(stage, screen, database, company.ACCOUNT, scene.NAMES)
    with Sleeper() as sleeper:
        heard_badly = _ring_and_talk(screen, stage, live)
    callback = live.callback()
    assert callback is not None
    _show_records(screen, stage, clerk, callback)
    screen.heading("6  The phones' word against the bill")
    screen.said(
        "Each phone wrote its own log to the microsecond. From that, the deck's file and the plan's steps the"
        " bill is worked out a second time, by code that shares nothing with Dialback's. During the call this"
        f" machine woke a program up to {sleeper.worst_us / 1000:.1f} ms late, so the clocks may be"
        f" {sleeper.clocks_apart_us / 1000:.0f} ms apart."
    )
    records = database.read("cdrs", cdrs.list_cdrs, callback_id=callback.id)
    lines = audit.audited(
        stage.world.calls(), live.entries(), records, scene.NAMES, apart_max_us=sleeper.clocks_apart_us
    )
    audit.show(screen, lines)
    ended_badly = [] if callback.state is State.COMPLETED else [f"the callback ended as {callback.state}"]
    few = [] if len(lines) == len(scene.TALKERS) else [f"{len(lines)} legs instead of {len(scene.TALKERS)}"]
    return [*heard_badly, *ended_badly, *few, *audit.complaints(clerk, lines, audit.month_of(callback))]


def _ring_and_talk(screen: Screen, stage: Stage, live: Live) -> list[str]:
    screen.heading("3  The call, as it happens")
    screen.said(
        f"Sam travels with {scene.SAM} and rings {scene.TRIGGER} once. The office in Sydney is"
        f" {scene.SYDNEY}, the hotel in Paris {scene.PARIS}."
    )
    line: RingingLine = stage.world.starts_ringing(
        did=scene.TRIGGER, caller=scene.SAM, seconds=scene.RING_SECONDS
    )
    live.tell("Sam's phone", f"rings {scene.TRIGGER}")
    live.follow(lambda: live.callback() is not None, seconds=10, what="a callback")
    heard = line.heard()
    live.tell(
        "Sam's phone",
        "hangs up: it heard the ringing tone and no answer, so this call is free"
        if heard.rang and not heard.answered
        else f"heard {heard.codes}",
        heard.hung_up_at,
    )
    live.follow(
        lambda: (
            (found := live.callback()) is not None and found.state.is_end and stage.world.live_channels() == 0
        ),
        seconds=scene.WHOLE_CALL_SECONDS,
        what="the end of the call",
    )
    live.look(everything=True)
    if heard.answered or heard.early_media:
        return [f"the first ring must be free, but got {heard.codes}"]
    return []


def _show_records(screen: Screen, stage: Stage, clerk: company.Clerk, callback: Callback) -> None:
    screen.heading("4  The trace: what the switch wrote down before it acted")
    clerk.runs(["callback", "trace", callback.id])
    screen.heading("5  Seconds, cost, balance, invoice")
    least = company.FIRST_INCREMENT_S
    screen.said(
        f"The plan is {least}/{company.NEXT_INCREMENT_S}: a leg is billed {least} s at least, beyond them by"
        f" the second. The talks with Sydney and Paris are shorter than {least} s; Sam's own leg, paid from"
        " his first key on, is longer."
    )
    clerk.runs(["cdr", "list", "--callback", callback.id])
    screen.line()
    clerk.runs(["account", "show", company.ACCOUNT])
    screen.line()
    clerk.runs(
        [
            "invoice",
            "show",
            company.ACCOUNT,
            "--month",
            audit.month_of(callback),
            "--pdf",
            company.shown(stage.folder / INVOICE),
        ]
    )


def _verdict(screen: Screen, complaints: list[str]) -> None:
    screen.line()
    if complaints:
        screen.line("  It does NOT agree:", RED)
        for each in complaints:
            screen.said(f"- {each}")
    else:
        screen.line("  Agreed: legs, balance and invoice are what the phones' own log makes due.", GREEN)
    screen.said(f"The invoice lies in {company.shown(Path(os.environ['DIALBACK_CONFIG']).parent / INVOICE)}")


def _close(screen: Screen, place: Path, last_words: str) -> None:
    kept = ", ".join(sorted(path.name for path in place.iterdir()))
    screen.line()
    screen.said("Everything that was started is stopped.")
    screen.said(f"Files are in {company.shown(place)}: {kept or 'none'}.")
    screen.said(last_words)


def _new_folder(wish: Path | None) -> Path:
    """A folder of its own for this run: several may be shown side by side."""
    above = wish or (ROOT / OUTPUT if os.access(ROOT, os.W_OK) else Path(tempfile.gettempdir()))
    try:
        above.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{datetime.now(UTC):%Y%m%d-%H%M%S}-", dir=above)).absolute()
    except OSError as error:
        raise WrongUse(f"--folder: no folder can be made in {above} ({error.strerror})") from None


def _tidy(stage: Stage) -> None:
    """After all is stopped: what Asterisk kept outside the folder, and the phones' log out of its depth."""
    layouts = [stage.world.asterisk.layout, *([stage.asterisk.layout] if stage.asterisk is not None else [])]
    for layout in layouts:
        if not layout.run.is_relative_to(stage.folder):
            shutil.rmtree(layout.run, ignore_errors=True)
    log = stage.world.asterisk.layout.events.with_name("phones.csv")
    if log.exists():
        shutil.copyfile(log, stage.folder / "phones.csv")


def _sweep(place: Path, *, everything_stays: bool) -> None:
    for path in place.iterdir():
        if path.name in KEPT or everything_stays:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
