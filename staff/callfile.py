"""A file of calls, priced line by line, from one stream to another.

Reads: bytes of a file or of standard input, packed by gzip or not; a plan, its deck's versions.
Gives: the same lines with their prices, as CSV or JSON, and a Summary.
Knows nothing of: options, where plans and decks come from.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, cast

from billing import printed
from rating.bulk import NO_PACKAGE, Finding
from rating.callfile import ADDED, LINE_CHARACTERS_MAX, CallFormat, CallPart, read_calls
from rating.plan import ALegPolicy
from values.instants import instant_of

if TYPE_CHECKING:
    import numpy as np

    from rating.bulk import BulkTerms
    from rating.dateddeck import DatedDeck
    from rating.packages import Meter
    from rating.plan import Plan
    from rating.rate import Rate

LINES_AT_ONCE = 16_384
GZIP = b"\x1f\x8b"
ERRORS_SHOWN_MAX = 20
REASONS = {
    Finding.BLOCKED: "the prefix is blocked",
    Finding.NO_PREFIX: "no prefix of the deck fits",
    Finding.NOT_VALID_THEN: "no row of the prefix is valid at that time",
    Finding.NO_VERSION: "no version of the deck is in force at that time",
}
NO_VERSION = REASONS[Finding.NO_VERSION]
NOT_ANSWERED = "not answered"
A_LEG_FREE = "the plan's A-leg is free"
Head = tuple[str, str, str]
"""Prefix, destination and price a minute."""


@dataclass(slots=True, kw_only=True)
class Summary:
    """What came of a file."""

    lines: int = 0
    priced: int = 0
    billed_seconds: int = 0
    amount_units: int = 0
    unpriced: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    """The first ERRORS_SHOWN_MAX cells that could not be used."""


class CallFile:
    """One pricing of one file."""

    def __init__(self, plan: Plan, deck: DatedDeck, form: CallFormat, package: Meter | None = None) -> None:
        """`form` says how the lines are to be read; with a `package` they are all of one account."""
        self._plan = plan
        self._deck = deck
        self._form = form
        self._package = package
        self.summary = Summary()

    def price(
        self, source: io.BufferedReader, write: Callable[[CallPart, list[tuple[str, ...]]], None]
    ) -> None:
        """Hand every part of the file to `write`, with the added cells of each line."""
        with closing(lines_of(source)) as lines:
            for part in read_calls(lines, self._form, lines_at_once=LINES_AT_ONCE):
                write(part, self._added(part))

    def _added(self, part: CallPart) -> list[tuple[str, ...]]:
        summary, currency = self.summary, self._plan.currency
        added: list[tuple[str, ...]] = [("",) * len(ADDED)] * len(part.cells)
        nothing = ("", "", "", "0", "0.0000", currency, NOT_ANSWERED)
        for place in part.unanswered:
            added[place] = nothing
        for place, error in part.errors.items():
            added[place] = ("", "", "", "", "", "", f"{error.column}: {error.problem}")
            summary.unpriced["cannot be read"] += 1
            if len(summary.errors) < ERRORS_SHOWN_MAX:
                summary.errors.append(str(error))
        summary.lines += len(part.cells)
        summary.priced += len(part.unanswered)
        self._add_priced(part, added)
        return added

    def _add_priced(self, part: CallPart, added: list[tuple[str, ...]]) -> None:
        legs = part.legs
        if self._plan.a_leg_policy is ALegPolicy.FREE:
            legs.talk_seconds[legs.is_a] = 0
        if self._package is not None:
            self._use_package(self._package, part)
        for _, terms, places in self._deck.by_version(self._plan, legs.at):
            if terms is None:
                for leg in places:
                    added[part.places[leg]] = ("", "", "", "", "", "", NO_VERSION)
                self.summary.unpriced[NO_VERSION] += len(places)
            else:
                self._add_version(part, added, terms, places)

    def _use_package(self, package: Meter, part: CallPart) -> None:
        """Let each leg that the package pays for use it, in the order of the lines."""
        legs = part.legs
        billed = legs.talk_seconds * 0
        for _, terms, places in self._deck.by_version(self._plan, legs.at):
            if terms is not None:
                billed[places] = terms.price(legs.at_places(places)).billed_seconds
        columns = (legs.is_a, billed, legs.at)
        for leg, (is_a, wanted, at) in enumerate(zip(*(each.tolist() for each in columns), strict=True)):
            if not is_a and self._plan.covers(part.digits[leg]):
                legs.package_seconds[leg] = package.take(wanted, instant_of(at))

    def _add_version(
        self, part: CallPart, added: list[tuple[str, ...]], terms: BulkTerms, places: np.ndarray
    ) -> None:
        summary, rates, currency = self.summary, terms.deck.rates, self._plan.currency
        legs = part.legs.at_places(places)
        prices = terms.price(legs)
        heads: dict[int, Head] = {-1: ("", "", "")}
        columns = (prices.rows, prices.findings, prices.billed_seconds, prices.amount_units, legs.is_a)
        package = legs.package_seconds.tolist()
        for leg, row, finding, billed, units, is_a, covered in zip(
            places.tolist(), *(column.tolist() for column in columns), package, strict=True
        ):
            head = heads.get(row)
            if head is None:
                head = heads[row] = _head(rates[row])
            if finding != Finding.PRICED:
                reason = REASONS[Finding(finding)]
                added[part.places[leg]] = (*head[:2], "", "", "", "", reason)
                summary.unpriced[reason] += 1
                continue
            amount = f"{units // 10_000}.{units % 10_000:04d}"
            reason = f"{covered} s of the package" if covered > 0 else ""
            if is_a and not billed and self._plan.a_leg_policy is ALegPolicy.FREE:
                reason = A_LEG_FREE
            added[part.places[leg]] = (
                *(head if covered == NO_PACKAGE else self._beyond(head)),
                *(str(billed), amount, currency, reason),
            )
            summary.priced += 1
            summary.billed_seconds += billed
            summary.amount_units += units

    def _beyond(self, head: Head) -> Head:
        """What is said of the row of a leg that the package pays for: beyond it the plan may name a price."""
        overage = self._plan.overage_per_minute
        return head if overage is None else (*head[:2], printed.rate(overage))


def lines_of(source: io.BufferedReader) -> Generator[str]:
    """Yield lines of text, unpacked if need be; one without end is cut, and refused later by its length."""
    packed = source.peek(len(GZIP))[: len(GZIP)] == GZIP
    binary = cast("IO[bytes]", gzip.GzipFile(fileobj=source) if packed else source)
    text = io.TextIOWrapper(binary, encoding="utf-8", errors="surrogateescape", newline="\n")
    try:
        while line := text.readline(LINE_CHARACTERS_MAX + 1):
            rest = line
            while len(rest) > LINE_CHARACTERS_MAX and not rest.endswith("\n"):
                rest = text.readline(LINE_CHARACTERS_MAX + 1)
            yield line
    finally:
        text.detach()  # whoever opened the stream closes it


class CsvOut:
    """Lines with their prices as CSV."""

    def __init__(self, out: IO[str]) -> None:
        """Nothing is written before the first part."""
        self._writer = csv.writer(out, lineterminator="\n")
        self._is_begun = False

    def write(self, part: CallPart, added: list[tuple[str, ...]]) -> None:
        """Write a part; the header first."""
        self.begin(part.columns)
        self._writer.writerows([*cells, *more] for cells, more in zip(part.cells, added, strict=True))

    def begin(self, columns: tuple[str, ...]) -> None:
        """Write the header, once."""
        if not self._is_begun:
            self._is_begun = True
            self._writer.writerow((*columns, *ADDED))

    def end(self) -> None:
        """Nothing follows."""


class JsonOut:
    """Lines with their prices as a list of objects."""

    def __init__(self, out: IO[str]) -> None:
        """Nothing is written before the first part."""
        self._out = out
        self._mark = "["

    def write(self, part: CallPart, added: list[tuple[str, ...]]) -> None:
        """Write a part."""
        names = (*part.columns, *ADDED)
        for cells, more in zip(part.cells, added, strict=True):
            self._out.write(f"{self._mark}\n{json.dumps(dict(zip(names, [*cells, *more], strict=True)))}")
            self._mark = ","

    def end(self) -> None:
        """Close the list."""
        self._out.write("[]\n" if self._mark == "[" else "\n]\n")


def _head(rate: Rate) -> Head:
    per_minute = printed.rates(
        rate.per_minute, rate.per_minute if rate.next_per_minute is None else rate.next_per_minute
    )
    return rate.prefix, printed.cell(rate.destination), per_minute
