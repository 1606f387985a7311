"""The company of the demo: the `dialback` commands that make it, and how they are run and shown.

Reads: the two decks of etc/decks.
Gives: the command lines; Clerk, who runs each as shown.
Knows nothing of: calls.
"""

from __future__ import annotations

import io
import os
import shlex
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import cli
from demo import stoppers
from demo.screen import Screen
from demo.stage import ROOT

ACCOUNT, SUBSCRIBER, PLAN = "globetrotter", "sam", "traveller"
CREDIT = "20.00"
CURRENCY = "USD"
ZONE = "Europe/London"
FIRST_INCREMENT_S, NEXT_INCREMENT_S = 30, 1
RETAIL = ROOT / "etc" / "decks" / "retail-usd.csv"
WHOLESALE = ROOT / "etc" / "decks" / "carrier-usd.csv"


class CommandRefused(RuntimeError):
    """A command of the demo did not end with exit code 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The telephone numbers of the demo, as people write them."""

    trigger: str
    subscriber: str


def founding(numbers: Numbers) -> Iterator[tuple[str, list[str]]]:
    """What is made, and by which words after `dialback`."""
    yield "The database", ["db", "upgrade"]
    yield (
        "What a minute is sold for, and what our carriers charge us",
        [
            *("deck", "import", "retail", shown(RETAIL)),
            *("--kind", "sell", "--currency", CURRENCY, "--approve"),
        ],
    )
    yield (
        "",
        [
            *("deck", "import", "wholesale", shown(WHOLESALE)),
            *("--kind", "cost", "--currency", CURRENCY, "--approve"),
        ],
    )
    for trunk, priority in (("alpha", "10"), ("beta", "20")):
        told = "Two carriers to call through" if trunk == "alpha" else ""
        words = ["trunk", "add", trunk, "--carrier", f"{trunk}tel", "--cost-deck", "wholesale"]
        yield told, [*words, "--priority", priority]
    steps = ["--first-increment", str(FIRST_INCREMENT_S), "--next-increment", str(NEXT_INCREMENT_S)]
    yield (
        f"How seconds are billed: at least {FIRST_INCREMENT_S} of a leg, then by the second",
        ["plan", "add", PLAN, "--deck", "retail", *steps],
    )
    yield (
        f"Who pays: an account with {CURRENCY} {CREDIT} of credit",
        [
            *("account", "add", ACCOUNT, "--name", "Globetrotter Ltd", "--credit-limit", CREDIT),
            *("--currency", CURRENCY, "--plan", PLAN, "--zone", ZONE),
            *("--address", r"1 High Street\nLondon", "--email", "accounts@globetrotter.example"),
        ],
    )
    yield (
        "Who travels, and on which telephone",
        ["subscriber", "add", SUBSCRIBER, "--account", ACCOUNT, "--name", "Sam Reed", "--home-country", "GB"],
    )
    yield (
        "",
        [
            "number",
            "add",
            SUBSCRIBER,
            numbers.subscriber,
            "--verified",
            "--reason",
            "called back, Sam answered",
        ],
    )
    yield "The number to ring", ["did", "add", numbers.trigger, "--shared"]


def shown(path: Path) -> str:
    """The path as a person in this folder would write it."""
    absolute, here = path.absolute(), Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)


class Clerk:
    """Runs `dialback` commands in this process: same words, same output, no new Python for each."""

    def __init__(self, screen: Screen, config: Path) -> None:
        self._screen = screen
        self._config = config

    def takes_a_seat(self) -> None:
        """Show where the commands below find their switch."""
        os.environ["DIALBACK_CONFIG"] = shown(self._config)
        self._screen.command(f"export DIALBACK_CONFIG={shlex.quote(shown(self._config))}")

    def runs_in_brief(self, words: list[str]) -> None:
        """Run and show one command, its output cut to a line."""
        self._screen.command(shlex.join(["dialback", *words]))
        self._screen.output_in_brief(self.asks(words))

    def runs(self, words: list[str]) -> None:
        """Run and show one command with all of its output."""
        self._screen.command(shlex.join(["dialback", *words]))
        self._screen.output(self.asks(words))

    def asks(self, words: list[str]) -> str:
        """Run one command unseen; what it printed."""
        # Papers are printed as bytes, so stdout must be able to take them.
        printed = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
        told = io.StringIO()
        with redirect_stdout(printed), redirect_stderr(told):
            code = cli.run(words)
        if code != 0 and stoppers.has_struck():
            raise KeyboardInterrupt  # the door has taken it for its own
        if code != 0:
            raise CommandRefused(f"dialback {shlex.join(words)}: exit code {code}: {told.getvalue().strip()}")
        printed.seek(0)
        return printed.read() + told.getvalue()
