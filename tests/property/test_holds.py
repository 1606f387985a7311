"""Any order of holds, raises, posts, voids and expiries: available never drops below zero by a hold."""

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from billing.holds import Hold, HoldEnded, OverLimit, Standing, open_hold, raise_hold

IDS = st.sampled_from(["cb1", "cb2", "cb3", "cb4"])
UNITS = st.integers(0, 1000)


class Account(RuleBasedStateMachine):
    """One account with a limit of 1,000 units; charges never exceed what was held."""

    def __init__(self) -> None:
        super().__init__()
        self.holds: dict[str, Hold] = {}
        self.posted = 0

    @property
    def standing(self) -> Standing:
        pending = sum(hold.pending_units for hold in self.holds.values())
        return Standing(posted_units=self.posted, pending_units=pending, credit_limit_units=1000)

    @rule(hold_id=IDS, units=UNITS)
    def open(self, hold_id: str, units: int) -> None:
        if hold_id not in self.holds:
            try:
                self.holds[hold_id] = open_hold(
                    id=hold_id, account_id="acme", currency="USD", units=units, standing=self.standing
                )
            except OverLimit:
                assert units > self.standing.available_units

    @rule(hold_id=IDS, units=UNITS)
    def raise_it(self, hold_id: str, units: int) -> None:
        hold = self.holds.get(hold_id)
        if hold is not None and hold.is_open:
            try:
                self.holds[hold_id] = raise_hold(hold, units=units, standing=self.standing)
            except OverLimit:
                assert units - hold.units > self.standing.available_units

    @rule(hold_id=IDS, share=st.integers(0, 100))
    def post(self, hold_id: str, share: int) -> None:
        if hold_id in self.holds:
            units = self.holds[hold_id].units * share // 100
            if self._ends(hold_id, lambda hold: hold.post(units)):
                self.posted -= units

    @rule(hold_id=IDS, expire=st.booleans())
    def release(self, hold_id: str, *, expire: bool) -> None:
        if hold_id in self.holds:
            self._ends(hold_id, Hold.expire if expire else Hold.void)

    @invariant()
    def no_hold_takes_more_than_there_is(self) -> None:
        assert self.standing.available_units >= 0

    def _ends(self, hold_id: str, end: Callable[[Hold], Hold]) -> bool:
        """Return whether the hold ended now; one that ended before must refuse."""
        hold = self.holds[hold_id]
        try:
            self.holds[hold_id] = end(hold)
        except HoldEnded:
            assert not hold.is_open
            return False
        assert hold.is_open
        return True


TestAccount = Account.TestCase
TestAccount.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
