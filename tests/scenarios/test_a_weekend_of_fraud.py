"""F170, T01: a weekend of toll fraud. Three lines ring, talk to a dear number and ring again, for 60 hours.

The attackers have the account's telephones, and all the credit there is: only the caps hold. The switch is
killed once in the middle.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from scenario import Line, Play, faultless
from scenario_report import check_laws
from sqlalchemy import Connection, select
from virtual_pbx import Channel
from virtual_town import ACCOUNT, Terms

from rating.plan import ALegPolicy
from store import alerts, caps
from store.schema import settlements, triggers

ROUND_SECONDS = 1_800
LINES = ("A", "A2", "A3")
CAP_OF_DAY, CAP_OF_WEEK = 20_0000, 50_0000
FRIDAY_EVENING = datetime(2026, 3, 6, 18, tzinfo=UTC)
DEAR = "keys 0033199001234#"


class Attack:
    """What the three do, round by round; after each step the caps are looked at."""

    def __init__(self, play: Play) -> None:
        self._play = play

    def go_on(self, hours: int) -> None:
        """So many hours of it."""
        for _ in range(hours * 3600 // ROUND_SECONDS):
            until = self._play.seconds + ROUND_SECONDS
            self._round()
            self._wait(until - self._play.seconds)

    def _round(self) -> None:
        for line in LINES:
            self._does(line, "rings T1")
        self._wait(1.5)
        for line in LINES:
            if (line, "T1") in self._play.rings:
                self._does(line, "stops ringing T1")
        self._wait(7.0)
        for who, pause in (("answers", 4.0), ("keys #", 6.0), (DEAR, 6.0)):
            for line, _ in self._live():
                self._does(line, who)
            self._wait(pause)
        for line, _ in self._live(of_b=True):
            self._does(f"B{line[1:]}", "answers")
        self._wait(500.0)  # or as long as they may
        for line, _ in self._live():
            self._does(line, "leaves")

    def _live(self, *, of_b: bool = False) -> Iterator[tuple[str, Channel]]:
        for line in LINES:
            try:
                leg = self._play.channel(f"B{line[1:]}" if of_b else line)
            except StopIteration:
                continue
            if leg.is_live:
                yield line, leg

    def _does(self, who: str, what: str) -> None:
        self._play.act(Line(at=self._play.seconds, who=who, what=what))
        self._look()

    def _wait(self, seconds: float) -> None:
        self._play.advance(self._play.seconds + seconds)
        self._look()

    def _look(self) -> None:
        database, now = self._play.life.database, self._play.wall()
        for each in database.read("caps", caps.cap_standings, ACCOUNT, now):
            assert each.spent_units + each.held_units <= each.cap.cap_units, (now, each)


def taken_by_day(connection: Connection) -> dict[date, int]:
    found: Counter[date] = Counter()
    for row in connection.execute(select(settlements)):
        found[row.ended_at.date()] += row.gross_units - row.waived_units
    return dict(found)


def refusals(connection: Connection) -> Counter[str]:
    return Counter(
        connection.execute(select(triggers.c.reason).where(triggers.c.outcome == "refused")).scalars()
    )


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "hours", [12, pytest.param(60, marks=pytest.mark.slow)], ids=["a night", "a weekend"]
)
def test_F170_T01_hours_of_fraud_cost_no_more_than_the_cap_of_each_day(
    template: Path, tmp_path: Path, hours: int
) -> None:
    (tmp_path / "dialback.db").write_bytes(template.read_bytes())
    terms = Terms(start=FRIDAY_EVENING, credit=Decimal(100_000))
    with faultless():
        play = Play(terms, ALegPolicy.FROM_ANSWER, tmp_path)
        try:
            for amount, period in ((CAP_OF_DAY, "day"), (CAP_OF_WEEK, "week")):
                wish = f"caps the account at {Decimal(amount) / 10_000} a {period}"
                play.act(Line(at=0.0, who="office", what=wish))
            attack = Attack(play)
            attack.go_on(hours // 2)
            play.act(Line(at=play.seconds, who="switch", what="is killed"))
            play.act(Line(at=play.seconds + 3.0, who="switch", what="starts"))
            attack.go_on(hours - hours // 2)
            play.to_the_end()
            check_laws(play.books())
            database = play.life.database
            taken = database.read("taken", taken_by_day)
            told = database.read("alerts", alerts.list_alerts, account_id=ACCOUNT)
            refused = database.read("refusals", refusals)
        finally:
            play.close()
    assert len(taken) == (2 if hours == 12 else 4)
    assert all(units <= CAP_OF_DAY for units in taken.values())
    weeks = Counter[int]()
    for day, units in taken.items():
        weeks[day.isocalendar().week] += units
    assert all(units <= CAP_OF_WEEK for units in weeks.values())
    # It was an attack: hardly anything was left of what might be spent, and what came after was refused.
    friday, saturday, *others = (taken[day] for day in sorted(taken))
    assert min(friday, saturday) > CAP_OF_DAY - 1_0000
    if others:
        sunday, monday = others
        assert friday + saturday + sunday > CAP_OF_WEEK - 1_0000
        assert monday > CAP_OF_DAY - 1_0000
    assert refused["spend_cap"] > 0.25 * len(LINES) * hours * 3600 / ROUND_SECONDS
    assert CAP_OF_DAY in {each.threshold for each in told}
