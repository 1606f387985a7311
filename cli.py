"""The door: `dialback NOUN VERB`. It names every noun, and loads one when it is called.

Reads: the command line.
Gives: the command, its exit code, and one line on stderr where something is refused.
Knows nothing of: what a command does.
"""

from __future__ import annotations

import getpass
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from staff import exits
from staff.desk import Desk, say

if TYPE_CHECKING:
    from settings import Settings


class Noun(NamedTuple):
    """Where a command is, and how it is told in the list."""

    place: str
    told: str


NOUNS = {
    "init": Noun("staff.init:init", "Write a first switch.toml and make the database."),
    "serve": Noun("staff.serve:serve", "Run the switch in the foreground."),
    "pbx": Noun("pbx.commands:pbx", "The Asterisk that we bring along: up, down, check."),
    "db": Noun("staff.db:db", "The database: make, upgrade, check, back up, restore, export."),
    "account": Noun("staff.account:account", "Accounts: who pays, on which plan, with how much credit."),
    "subscriber": Noun("staff.subscriber:subscriber", "Subscribers: who is called back."),
    "number": Noun("staff.number:number", "Numbers: the telephones on which subscribers are called back."),
    "option": Noun("staff.option:option", "Options: fees that an account pays every month."),
    "tag": Noun("staff.tag:tag", "Cost tags: what calls are booked under, by keyed code or destination."),
    "speed-dial": Noun("staff.speeddial:speed_dial", "Speed dials: numbers behind one or two digits."),
    "cap": Noun("staff.cap:cap", "Caps: what an account may spend in a day, a week or a month."),
    "did": Noun("staff.did:did", "DIDs: our own numbers that subscribers ring."),
    "deck": Noun("staff.deck:deck", "Rate decks: what a minute is sold for, or costs us."),
    "plan": Noun("staff.plan:plan", "Plans: which deck an account pays by, and in what steps."),
    "rate": Noun("staff.rate:rate", "Price a file of calls by a plan; nothing is written into the books."),
    "rerate": Noun("staff.rerate:rerate", "Price callbacks that ended anew: first to see, then to do."),
    "quote": Noun("staff.quote:quote", "What a callback would cost: both legs, any day, any caller ID."),
    "routes": Noun("staff.routes:routes", "Routes: who would take a call to a number, and who not."),
    "explain": Noun("staff.explain:explain", "How the price of a call came about, step by step."),
    "trunk": Noun("staff.trunk:trunk", "Trunks: which carrier takes calls, at which cost."),
    "ported": Noun("staff.ported:ported", "Ported numbers: in which network a number is, from when on."),
    "callback": Noun("staff.callback:callback", "Callbacks: ask for one, watch it, take it back."),
    "trigger": Noun("staff.trigger:trigger", "Triggers: every ring that came in, admitted or not."),
    "cdr": Noun("staff.cdr:cdr", "Call records: every finished leg, its seconds and price."),
    "invoice": Noun("staff.invoice:invoice", "Invoices: drafts, the run of a month, reprints, the post."),
    "mail": Noun("staff.mail:mail", "Mail: the queue of invoices on their way to the accounts."),
    "tax": Noun("staff.tax:tax", "Tax: a rate for each place and group, from a day on."),
    "payment": Noun("staff.payment:payment", "Payments: money that came in."),
    "top-up": Noun("staff.payment:top_up", "Top-ups: money paid in advance."),
    "refund": Noun("staff.payment:refund", "Refunds: money given back."),
    "write-off": Noun("staff.payment:write_off", "Write-offs: debts given up."),
    "voucher": Noun("staff.voucher:voucher", "Vouchers: sixteen digits that are worth an amount once."),
    "credit-note": Noun("staff.creditnote:credit_note", "Credit notes: charged calls given back."),
    "dispute": Noun("staff.dispute:dispute", "Disputes: lines that an account does not accept."),
    "alert": Noun("staff.alert:alert", "Alerts: who is told when credit runs out."),
    "dunning": Noun("staff.dunning:dunning", "Dunning: what is done about invoices that are not paid."),
    "exchange": Noun("staff.exchange:exchange", "Exchange rates, each from its day on."),
    "ledger": Noun("staff.ledger:ledger", "The books: what was charged, paid and held."),
    "report": Noun(
        "staff.report:report", "Reports: use, margin, quality, what is owed, carriers' bills checked."
    ),
    "stats": Noun("staff.stats:stats", "Statistics: how callbacks ended, day by day."),
    "audit": Noun("staff.audit:audit", "The audit log: who changed what, when and why."),
    "policy": Noun("staff.policy:policy", "Country policy: who may be rung, and who says so."),
    "api-key": Noun("staff.apikey:api_key", "API keys: with them programs ask for callbacks."),
    "privacy": Noun("staff.privacy:privacy", "Privacy: old numbers masked, a person erased."),
    "completion": Noun("staff.completion:completion", "Completion by TAB for bash, zsh and fish."),
    "man": Noun("staff.man:man", "Man pages of every command."),
}

SUBJECTS = {
    "The switch": (
        "init",
        "serve",
        "pbx",
        "db",
        "policy",
        "api-key",
        "privacy",
        "audit",
        "completion",
        "man",
    ),
    "Customers": ("account", "subscriber", "number", "option", "tag", "speed-dial", "cap", "did"),
    "Calls": ("callback", "trigger", "cdr", "stats", "report"),
    "Prices and carriers": (
        "deck",
        "plan",
        "trunk",
        "ported",
        "quote",
        "explain",
        "routes",
        "rate",
        "rerate",
    ),
    "Invoices": ("invoice", "mail", "tax", "credit-note", "dispute", "dunning"),
    "Money": ("payment", "top-up", "refund", "write-off", "voucher", "alert", "exchange", "ledger"),
}
"""Under which heading the help lists each noun."""


class Nouns(click.Group):
    """The commands of the table, each imported when it is called.

    Plain text: to load what draws the nouns' boxes takes longer than all else that the door does.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All nouns, in the table's order."""
        return list(NOUNS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The noun's own command."""
        noun = NOUNS.get(cmd_name)
        if noun is None:
            return None
        module, _, name = noun.place.partition(":")
        found: click.Command = getattr(import_module(module), name)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The noun that was written; an unknown one is told with those that are like it."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=NOUNS, ctx=ctx) from None

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in the help, told from the tables: nothing is loaded."""
        for subject, nouns in SUBJECTS.items():
            with formatter.section(subject):
                formatter.write_dl([(noun, NOUNS[noun].told) for noun in nouns])


@click.group(
    cls=Nouns,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 error, 2 wrong use, 3 not found, 4 refused by policy, 5 conflict,"
    " 69 unavailable, 75 try again later, 78 bad configuration.",
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("switch.toml"),
    show_default=True,
    envvar="DIALBACK_CONFIG",
    show_envvar=True,
    help="The settings of this switch.",
)
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.version_option(package_name="dialback")
@click.pass_obj
def dialback(desk: Desk, config: Path, *, debug: bool) -> None:
    """Dialback, a callback telephone switch: ring once, be called back, talk at a known price."""
    desk.config = config
    desk.debug = debug


def main() -> NoReturn:
    """Run the command of sys.argv and end the process with its code."""
    if "--debug" not in sys.argv:
        sys.excepthook = _brief
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    desk = Desk(
        now=lambda: datetime.now(UTC),
        chance=os.urandom,
        pause=threading.Event().wait,
        serve=_serve,
        who=_who(),
    )
    try:
        # Without click's own mode: there an error is a box of several lines, and a refusal a traceback.
        code = dialback.main(list(arguments), prog_name="dialback", standalone_mode=False, obj=desk)
        sys.stdout.flush()
        return code if isinstance(code, int) else exits.OK
    except click.ClickException as error:
        return _usage(error)
    except (click.Abort, KeyboardInterrupt):
        say("Stopped.")
        return exits.ERROR
    except BrokenPipeError:
        # `dialback cdr | head`: whoever reads has had enough. Python would complain as it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.ERROR
    except exits.refusals() as error:
        if desk.debug:
            traceback.print_exc()
        for line in exits.sentence_of(error).splitlines():
            say(f"Error: {line}")
        return exits.code_of(error)
    finally:
        desk.close()


def _usage(error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        say(error.format_message())
        return error.exit_code
    say(f"Error: {_below_zero(error) or error.format_message()}")
    if isinstance(error, click.UsageError) and error.ctx is not None:
        say(f"See `{error.ctx.command_path} --help`.")
    return error.exit_code


def _below_zero(error: click.ClickException) -> str:
    """What to say of `-5` where an amount belongs: click takes it for an option; empty otherwise."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return ""
    takes_amount = any(
        isinstance(each, click.Argument) and each.metavar == "AMOUNT" for each in error.ctx.command.params
    )
    if not takes_amount or error.option_name[1] not in ".0123456789":
        return ""
    return "AMOUNT: it is below zero; write it without the minus"


def _serve(settings: Settings, **given: Any) -> int:
    import service

    return service.serve(settings, **given)


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"  # no name for it in this container


def _brief(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    say(f"Error: a fault of Dialback itself ({kind.__name__}: {error}); --debug shows where")


if __name__ == "__main__":
    main()
