"""A callback as a table: when, who, what; played in virtual time, then read out of the books.

    given   policy from_answer
      0.000  A       rings T1
      5.000  A       stops ringing T1
      8.000  expect  originate cb1-a1 442079460101 via alpha
     13.000  A       answers

Reads: a table and, below a line of dashes, what must come out.
Gives: played(), the text of what came out; Scenario.
Knows nothing of: which test plays it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

from scenario_report import Books, check_laws, report
from structlog.testing import capture_logs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from virtual_agi import TriggerEnd
from virtual_pbx import Channel, VirtualPbx
from virtual_switch import LIMITS, SECRET, SITE_TOKEN, SwitchLife, database_url
from virtual_town import ACCOUNT, CLERK, Terms, fill, new_deck, number_of, set_credit

from calls.admission import AccountState
from calls.callback import OriginKind, callback_id
from calls.wishes import Request
from rating.plan import ALegPolicy
from store import accounts, admissions, callbacks, verification
from store.audit import Author
from store.caps import CapPeriod, SpendCap, set_cap
from store.directories import SpeedDialEntry, add_speed_dial
from store.numbers import RegisteredNumber, add_number, choose_number
from store.tags import TagRow, add_tag
from values.e164 import E164
from values.spokencode import spoken_code

DIVIDER = "---\n"
LINE = re.compile(r"\s*(?P<at>\d+(?:\.\d+)?)\s+(?P<who>\S+)\s+(?P<what>\S.*?)\s*")
LONGEST_SECONDS = 20_000.0
"""Past any deadline: what still goes on then never ends."""
HONEST = {"trigger.not_recorded"}
"""Errors that no program can help: the store was away when somebody rang."""
AFTERWARDS_SECONDS = 6.0
"""The last looks that the switch takes by itself come within these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table."""

    at: float
    who: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A parsed file. `expected` is the text below the dashes."""

    terms: Terms
    lines: tuple[Line, ...]
    expected: str
    table: str


def read_scenario(text: str) -> Scenario:
    """The table and what must come of it."""
    table, _, expected = text.partition(DIVIDER)
    terms, lines = Terms(), []
    for number, written in enumerate(table.splitlines(), start=1):
        said = written.partition("  ;")[0].strip()
        if not said or said.startswith("#"):
            continue
        if said.startswith("given "):
            terms.take(said.split()[1:])
        elif match := LINE.fullmatch(said):
            lines.append(Line(at=float(match["at"]), who=match["who"], what=match["what"]))
        else:
            raise ValueError(f"line {number} is no line of a table: {written!r}")
    return Scenario(terms=terms, lines=tuple(lines), expected=expected, table=table)


def played(scenario: Scenario, folder: Path, template: bytes) -> str:
    """What came out, for each policy that was given. `template` is an empty database."""
    parts = []
    for policy in scenario.terms.policies:
        place = folder / policy
        place.mkdir()
        (place / "dialback.db").write_bytes(template)
        if len(scenario.terms.policies) > 1:
            parts.append(f"== {policy} ==\n\n")
        with faultless():
            play = Play(scenario.terms, policy, place)
            try:
                for line in scenario.lines:
                    play.act(line)
                play.to_the_end()
                check_laws(play.books())
                parts.append(report(play.books()))
            finally:
                play.close()
            play.check_nothing_is_left()
    return "\n".join(parts)


@contextmanager
def faultless() -> Iterator[None]:
    """Nothing may be logged as an error: that is a fault of ours, survived."""
    with capture_logs() as logs:
        yield
    faults = [entry for entry in logs if entry["log_level"] == "error" and entry["event"] not in HONEST]
    assert not faults, faults


class Play:
    """One scenario under way."""

    def __init__(self, terms: Terms, policy: ALegPolicy, folder: Path) -> None:
        self.terms, self.policy = terms, policy
        self._url = database_url(folder)
        self._clock = Clock()
        self.pbx = VirtualPbx(self._clock, self.wall, folder / "cel.csv")
        self._ids, self._ring_ids = count(1), count(1)
        self.rings: dict[tuple[str, str], TriggerEnd] = {}
        self.life = self._new_life()
        self.life.database.call("fill", fill, terms, policy)
        self._start()

    # time

    def wall(self) -> datetime:
        """The instant in the scenario, exact to the microsecond."""
        return self.terms.start.astimezone(UTC) + timedelta(microseconds=round(self._clock.seconds() * 10**6))

    @property
    def seconds(self) -> float:
        """The time in the table."""
        return self._clock.seconds()

    def advance(self, until: float) -> None:
        """Let everything happen that is due, each at its own instant."""
        self._settle()
        while (due := self._next_due()) is not None and due <= until:
            self._to(due)
        self._to(max(until, self.seconds))

    def to_the_end(self) -> None:
        """Until every callback has ended and every channel is gone, and a little longer."""
        self.advance(self.seconds + 1.0)  # what was just asked for may not be taken up yet
        while self.life.conductor.unfinished() or self.pbx.live or self.pbx.sessions:
            due = self._next_due()
            assert due is not None, "nothing will ever happen"
            assert due < LONGEST_SECONDS, [str(each.state) for each in self.life.conductor.unfinished()]
            self._to(due)
        self.advance(self.seconds + AFTERWARDS_SECONDS)
        self.life.proof.stop()
        self.advance(self.seconds + 1.0)

    def books(self) -> Books:
        """What is to be read out at the end."""
        return Books(
            database=self.life.database,
            terms=self.terms,
            policy=self.policy,
            start=self.terms.start,
            now=self.wall(),
            pbx=self.pbx,
        )

    def close(self) -> None:
        """Let go of the file."""
        self.life.stop()

    def check_nothing_is_left(self) -> None:
        """No timer, here or there."""
        assert not self.life.clock.getDelayedCalls(), self.life.clock.getDelayedCalls()
        assert not self.pbx.clock.getDelayedCalls(), self.pbx.clock.getDelayedCalls()

    def _next_due(self) -> float | None:
        calls = [*self._clock.getDelayedCalls(), *self.life.clock.getDelayedCalls()]
        return min((call.getTime() for call in calls), default=None)

    def _to(self, instant: float) -> None:
        self._clock.rightNow = max(instant, self.seconds)
        self._settle()

    def _settle(self) -> None:
        for _ in range(1_000):
            self.life.clock.rightNow = self.seconds
            self._clock.advance(0)
            self.life.clock.advance(0)
            busy = self.pbx.settle()
            due = self._next_due()
            if not busy and (due is None or due > self.seconds):
                return
        raise AssertionError(f"at {self.seconds} s it never comes to rest")

    # the table

    def act(self, line: Line) -> None:
        """Do what a line says, at its time."""
        self.advance(line.at)
        words = line.what.split()
        match line.who:
            case "expect":
                self._expect(line)
            case "pbx":
                self._pbx_does(line.what)
            case "switch":
                self._switch_does(line.what)
            case "store":
                self.life.database.is_away = line.what == "goes away"
                self.life.inbox.look()  # the service looks ten times a second
            case "office":
                self._office_does(words)
            case who if words[-2:-1] == ["rings"] or words[0] == "rings":
                self._ring(who, words)
            case who if words[:2] == ["stops", "ringing"]:
                self.rings.pop((who, words[2])).stop_ringing()
            case who:
                self._phone_does(self.channel(who), words)
        self._settle()

    def _ring(self, who: str, words: list[str]) -> None:
        withheld = "withheld" in words
        self.rings[who, words[1]] = TriggerEnd(
            self.pbx,
            site_token=SITE_TOKEN,
            did=number_of(words[1]),
            caller="" if withheld else number_of(who),
            trunk="alpha",
        )

    def channel(self, who: str) -> Channel:
        """The latest channel of a phone, or of the destination that it talks to."""
        if who.startswith("B"):
            return self.pbx.destination(self.channel("A" + who[1:]))
        return self.pbx.phone(number_of(who).removeprefix("+"))

    def _phone_does(self, channel: Channel, words: list[str]) -> None:
        match words:
            case ["alerts"]:
                self.pbx.alert(channel)
            case ["answers"]:
                self.pbx.answer(channel)
            case ["keys", keys]:
                self.pbx.key(channel, keys)
            case ["leaves"]:
                self.pbx.leave(channel, 16)
            case ["leaves" | "fails", "with", cause]:
                self.pbx.leave(channel, int(cause))
            case ["rejects"]:
                self.pbx.leave(channel, 21)
            case ["is", "busy"]:
                self.pbx.leave(channel, 17)
            case _:
                raise ValueError(f"a phone cannot do {' '.join(words)!r}")

    def _pbx_does(self, what: str) -> None:  # noqa: C901, PLR0912 - a list of wishes
        pbx = self.pbx
        match what.split():
            case ["loses", "AMI"]:
                self.life.ami.lose()
            case ["takes", "AMI", "again"]:
                self.life.log_in()
            case ["crashes"]:
                pbx.crash()
            case ["starts"]:
                pbx.is_up = True
                self.life.log_in()
            case ["repeats", "every", "event"]:
                pbx.repeats = True
            case ["holds", "events", "back"]:
                pbx.holds_back = True
            case ["tells", "them", "in", "reverse"]:
                pbx.tell_in_reverse()
            case ["tells", "events", seconds, "s", "late"]:
                pbx.late_seconds = float(seconds)
            case ["refuses", "originates"]:
                pbx.refuses = True
            case ["swallows", "originates"]:
                pbx.swallows = True
            case ["loses", "AMI", "after", "the", "next", "originate"]:
                pbx.loses_replies = True
            case ["reaches", "nobody", "via", trunk]:
                pbx.unreachable.add(trunk)
            case ["is", "well", "again"]:
                pbx.refuses = pbx.swallows = pbx.loses_replies = False
            case _:
                raise ValueError(f"the exchange cannot do {what!r}")

    def _switch_does(self, what: str) -> None:
        match what:
            case "is killed":
                self.life.kill()
            case "starts":
                self.life = self._new_life()
                self._start()
            case "drains":
                self.life.conductor.draining = True
            case _:
                raise ValueError(f"the switch cannot do {what!r}")

    def _office_does(self, words: list[str]) -> None:
        call = self.life.database.call
        match words:
            case ["requests", phone, *rest]:
                request = self._request(number_of(phone), rest)
                made = call(
                    "admit request",
                    admissions.admit_request,
                    request,
                    callback_id=callback_id(str(next(self._ids))),
                    limits=LIMITS,
                )
                assert not hasattr(made, "sentence"), made
            case ["cancels", wanted]:
                call("cancel", callbacks.request_cancel, wanted, "office")
            case ["sets", "credit", amount]:
                call("set credit", set_credit, Decimal(amount))
            case ["suspends", "the", "account"]:
                call("suspend", accounts.set_account_state, ACCOUNT, AccountState.SUSPENDED, CLERK)
            case ["brings", "a", "new", "deck", *rows]:
                prices = self.terms.prices | dict(row.split("=") for row in rows)
                call("new deck", new_deck, "retail", prices, self.terms.currency, self.wall())
            case _:
                self._clerk_does(words)
        self.life.inbox.look()

    def _clerk_does(self, words: list[str]) -> None:  # noqa: C901 - a list of wishes
        """Numbers, and what else a customer may ask accounts staff for."""
        call = self.life.database.call
        match words:
            case ["registers", number, "for", subscriber]:
                call(
                    "add number",
                    add_number,
                    subscriber_id=subscriber,
                    number=E164.parse(number_of(number)),
                    author=self._clerk(),
                )
            case ["registers", number, "for", subscriber, "until", until]:
                end = self.terms.start + timedelta(seconds=float(until))
                call(
                    "add number",
                    add_number,
                    subscriber_id=subscriber,
                    number=E164.parse(number_of(number)),
                    author=self._clerk(),
                    verified=True,
                    rung_until=end,
                )
            case ["lets", subscriber, "be", "rung", "on", number]:
                call("choose", choose_number, subscriber, E164.parse(number_of(number)), self._clerk())
            case ["puts", number, "behind", code]:
                entry = SpeedDialEntry(
                    account_id=ACCOUNT, subscriber_id="", code=code, number=E164.parse(number_of(number))
                )
                call("speed dial", add_speed_dial, entry, self._clerk())
            case ["asks", "for", "tags"]:
                known = call("account", accounts.account, ACCOUNT)
                call("ask", accounts.change_account, replace(known, asks_tag=True), self._clerk())
            case ["lets", "code" | "prefix" as which, digits, "mean", tag]:
                row = TagRow(account_id=ACCOUNT, digits=digits, tag=tag, is_rule=which == "prefix")
                call("tag", add_tag, row, self._clerk())
            case ["caps", "the", "account", "at", amount, "a", period]:
                units = int(Decimal(amount) * 10**4)
                cap = SpendCap(
                    account_id=ACCOUNT, subscriber_id="", period=CapPeriod(period), cap_units=units
                )
                call("cap", set_cap, cap, self._clerk())
            case ["lets", most, "callbacks", "run", "at", "once"]:
                known = call("account", accounts.account, ACCOUNT)
                call(
                    "change", accounts.change_account, replace(known, callbacks_max=int(most)), self._clerk()
                )
            case ["orders", "a", "code", "for", number]:
                ordered = call(
                    "order code",
                    verification.order_code,
                    E164.parse(number_of(number)),
                    callback_id=callback_id(str(next(self._ids))),
                    limits=LIMITS,
                    author=self._clerk(),
                )
                assert isinstance(ordered, verification.OrderedCode), ordered
            case ["is", "told", "the", "code", "of", number]:
                told = self.pbx.spoken_code(number_of(number))
                proven = call(
                    "confirm",
                    verification.confirm_number,
                    E164.parse(number_of(number)),
                    told,
                    code_of=lambda known: spoken_code(SECRET.encode(), known),
                    author=self._clerk(),
                )
                assert isinstance(proven, RegisteredNumber), proven
            case _:
                raise ValueError(f"the office cannot do {' '.join(words)!r}")

    def _clerk(self) -> Author:
        return Author(at=self.wall(), name="clerk", reason="asked for")

    def _request(self, number: str, words: list[str]) -> Request:
        said = dict(zip(words[::2], words[1::2], strict=True))
        due = said.get("at")
        return Request(
            kind=OriginKind.API,
            number=E164.parse(number),
            received_at=self.wall(),
            account_id=ACCOUNT,
            destination=E164.parse(number_of(said["to"])) if "to" in said else None,
            dial_at=self.terms.start + timedelta(seconds=float(due)) if due else None,
            attempts=int(said.get("attempts", 1)),
            retry_gaps_seconds=tuple(map(int, said["gaps"].split(","))) if "gaps" in said else (),
        )

    def _expect(self, line: Line) -> None:
        """An order given at that very instant, or the state of a callback."""
        match line.what.split():
            case ["state", wanted, state]:
                found = self.life.database.read("load", callbacks.load, wanted)
                assert found.state == state, f"at {line.at}: {wanted} is {found.state}, not {state}"
            case _:
                given = [f"{at:.3f} {text}" for at, text in self.pbx.orders]
                hits = [each for each in given if each.startswith(f"{line.at:.3f} {line.what}")]
                assert hits, f"not ordered: {line.at:.3f} {line.what}; but\n" + "\n".join(given)

    # the switch's lives

    def _new_life(self) -> SwitchLife:
        return SwitchLife(
            url=self._url,
            wall=self.wall,
            now=self.seconds,
            pbx=self.pbx,
            ids=self._ids,
            ring_ids=self._ring_ids,
            terms=self.terms,
        )

    def _start(self) -> None:
        Deferred.fromCoroutine(self.life.start()).addErrback(lambda failure: failure.raiseException())
