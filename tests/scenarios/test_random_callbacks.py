"""Whatever phones, carriers, the office and faults do, and in whatever order, the books hold.

The scripts are random, the switch is the real one. After each: nobody was rung twice for one order, every
callback has ended, no hold is open, no timer is left, the ledger sums to zero and agrees with the charges,
every answered leg has one charge, which is that of the phones, and the account is not below its limit.
"""

import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scenario import Line, Play, faultless
from scenario_report import check_laws
from virtual_pbx import Channel
from virtual_town import Terms

from rating.plan import ALegPolicy

PAUSES = [0.0, 0.001, 0.25, 1.0, 2.75, 6.0, 14.999, 31.0, 70.0]
PHONES = ["A", "A2", "A3"]
NATURAL = ["goes on"] * 8
CALLS = ["alerts", "answers", "is busy", "rejects", "fails with 34", "leaves"]
KEYS = ["keys #", "keys ##", "keys 0061255500123#", "keys 0033199001234#", "keys 123#", "keys 0"]
WISHES = ["rings T1", "is requested", "is requested thrice", "is cancelled"]
FAULTS = [
    "AMI is lost",
    "AMI is back",
    "store is away",
    "store is back",
    "switch is killed",
    "asterisk crashes",
]
STEP = st.tuples(st.sampled_from(PAUSES), st.sampled_from(PHONES))


def scripts(actions: list[str]) -> st.SearchStrategy[list[tuple[tuple[float, str], str]]]:
    """Lists of who does what, after which pause."""
    return st.lists(st.tuples(STEP, st.sampled_from(actions)), min_size=5, max_size=40)


TERMS = st.builds(
    Terms,
    credit=st.sampled_from([Decimal("0.06"), Decimal("0.30"), Decimal("1.00"), Decimal("50.00")]),
    plan=st.fixed_dictionaries(
        {
            "talk_seconds_max": st.just(100),
            "free_below_seconds": st.sampled_from([0, 3]),
            "next_increment_s": st.sampled_from([1, 6]),
        }
    ),
    callbacks_max=st.sampled_from([0, 2]),
    store_seconds=st.sampled_from([0.0, 0.0, 0.02]),
    channels=st.sampled_from([{}, {"alpha": 1}]),
)
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
POLICIES = st.sampled_from(list(ALegPolicy))


EXAMPLES = pytest.mark.parametrize(
    "examples", [8, pytest.param(60, marks=pytest.mark.slow)], ids=["few", "many"]
)


def play_random(examples: int, script: list[str], play: Callable[..., None]) -> None:
    """Play so many random scripts of these actions."""
    run = settings(max_examples=examples, suppress_health_check=list(HealthCheck), phases=PHASES)
    run(given(terms=TERMS, policy=POLICIES, script=scripts(script))(play))()


@EXAMPLES
def test_every_second_is_billed_as_the_phones_had_it(template: Path, examples: int) -> None:
    def play(terms: Terms, policy: ALegPolicy, script: list[tuple[tuple[float, str], str]]) -> None:
        perform(template, terms, policy, script)

    play_random(examples, NATURAL + CALLS + KEYS + WISHES, play)


@EXAMPLES
def test_faults_lose_no_hold_and_bill_nobody_twice(template: Path, examples: int) -> None:
    def play(terms: Terms, policy: ALegPolicy, script: list[tuple[tuple[float, str], str]]) -> None:
        terms.reckoning = "near"
        perform(template, terms, policy, script)

    play_random(examples, NATURAL + NATURAL + CALLS + KEYS[:3] + WISHES + FAULTS, play)


def perform(
    template: Path, terms: Terms, policy: ALegPolicy, script: list[tuple[tuple[float, str], str]]
) -> None:
    """Play a script, bring everything back, wait for the end, look."""
    with tempfile.TemporaryDirectory() as folder, faultless():
        (Path(folder) / "dialback.db").write_bytes(template.read_bytes())
        play = Play(terms, policy, Path(folder))
        try:
            crowd = Crowd(play)
            for (pause, phone), action in script:
                play.advance(play.seconds + pause)
                crowd.does(phone, action)
            crowd.does("A", "AMI is back")
            crowd.does("A", "store is back")
            play.to_the_end()
            check_laws(play.books())
        finally:
            play.close()
        play.check_nothing_is_left()
        originates = Counter(text.split()[1] for _, text in play.pbx.orders if text.startswith("originate"))
        assert all(times == 1 for times in originates.values()), originates


class Crowd:
    """Does what can be done at the moment; what cannot is left out."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._wishes = 0

    def does(self, phone: str, action: str) -> None:  # noqa: C901, PLR0912 - a list of deeds
        """One step of the script."""
        play = self._play
        leg_a = self._leg(phone)
        leg_b = self._leg("B" + phone[1:])
        leg = leg_b if leg_b is not None else leg_a
        match action:
            case "rings T1":
                self._act(phone, action)
                play.advance(play.seconds + 1.5)
                if (phone, "T1") in play.rings:
                    self._act(phone, "stops ringing T1")
            case "is requested" | "is requested thrice":
                how = "" if action == "is requested" else " attempts 3 gaps 5,20"
                with suppress(AssertionError):
                    self._act("office", f"requests {phone}{how}")
            case "is cancelled":
                for callback in play.life.conductor.unfinished()[:1]:
                    self._act("office", f"cancels {callback.id}")
            case "goes on":
                self._go_on(phone, leg_a, leg_b)
            case _ if action.startswith("keys"):
                if leg_a is not None and leg_a.answered is not None:
                    self._act(phone, action)
            case "alerts":
                if leg is not None and leg.rang is None and leg.answered is None:
                    self._act_of(leg, phone, action)
            case "answers":
                if leg is not None and leg.answered is None:
                    self._act_of(leg, phone, action)
            case "leaves":
                if leg is not None and leg.answered is not None:
                    self._act_of(leg, phone, action)
            case "is busy" | "rejects" | "fails with 34":
                if leg is not None and leg.answered is None:
                    self._act_of(leg, phone, action)
            case _:
                self._fault(action)

    def _go_on(self, phone: str, leg_a: Channel | None, leg_b: Channel | None) -> None:
        if leg_b is not None:
            self._act_of(leg_b, phone, "answers" if leg_b.answered is None else "leaves")
        elif leg_a is None:
            self.does(phone, "rings T1")
        else:
            self._act(phone, "answers" if leg_a.answered is None else "keys 0061255500123#")

    def _fault(self, what: str) -> None:
        play = self._play
        match what:
            case "AMI is lost":
                self._act("pbx", "loses AMI")
            case "AMI is back":
                if not play.life.ami.logged_in:
                    self._act("pbx", "takes AMI again")
            case "store is away" | "store is back":
                self._act("store", "goes away" if what == "store is away" else "is back")
            case "switch is killed":
                self._act("switch", "is killed")
                play.advance(play.seconds + 3.0)
                self._act("switch", "starts")
            case "pbx crashes":
                self._act("pbx", "crashes")
                play.advance(play.seconds + 3.0)
                self._act("pbx", "starts")

    def _leg(self, who: str) -> Channel | None:
        try:
            channel = self._play.channel(who)
        except StopIteration:
            return None
        return channel if channel.is_live else None

    def _act_of(self, leg: Channel, phone: str, what: str) -> None:
        self._act(phone if leg.is_a else "B" + phone[1:], what)

    def _act(self, who: str, what: str) -> None:
        self._play.act(Line(at=self._play.seconds, who=who, what=what))
