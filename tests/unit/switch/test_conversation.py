"""What the session of an A-leg makes of a Dial that did not come back as it should."""

from typing import Any

import pytest
from asterisk.agi import AGISIGHUPHangup
from fake_switch import FakeSwitch
from sample_callbacks import A1, B1, CALLBACK_ID, destination_authorised, hung_up, in_state

from calls.callback import State, disposition_of
from calls.cdr import Disposition
from switch.conversation import AMI_LAG_SECONDS, Conversations
from switch.legs import LegWatch


class LeavesInDial:
    """An A-leg whose phone hangs up while Dial runs."""

    def __init__(self, watch: LegWatch, *, ami_is_lost: bool) -> None:
        self._watch = watch
        self._ami_is_lost = ami_is_lost

    def set_variable(self, *_: str) -> None:
        pass

    def appexec(self, *_: str) -> None:
        if self._ami_is_lost:
            self._watch.forget_all()
        raise AGISIGHUPHangup("gone")


class Talk:
    """A callback in DIALING_B, and the end of its AGI session."""

    def __init__(self, *, ami_is_lost: bool = False, since_seconds: int = 100) -> None:
        self.switch = FakeSwitch()
        self.switch.pass_time(since_seconds, 50)
        self.switch.books.rows[CALLBACK_ID] = in_state(State.DIALING_B)
        self.switch.conductor.follow(in_state(State.DIALING_B))
        self.watch = LegWatch(lambda news: None)
        self.agi: Any = LeavesInDial(self.watch, ami_is_lost=ami_is_lost)
        self.conversations = Conversations(
            reactor=self.switch.clock,
            wall=self.switch.wall,
            conductor=self.switch.conductor,
            orders=self.switch.asterisk,  # type: ignore[arg-type]
            watch=self.watch,
            look_up=self.switch.recovery.look_up,
            sounds=None,  # type: ignore[arg-type]
            directory=None,  # type: ignore[arg-type]
        )

    def end(self) -> None:
        leg = in_state(State.DIALING_B).leg(B1)
        assert leg is not None
        with pytest.raises(AGISIGHUPHangup):
            self.conversations._dial(self.agi, CALLBACK_ID, leg)
        self.switch.pass_time(AMI_LAG_SECONDS)


@pytest.fixture(autouse=True)
def dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fake_switch.FakeAsterisk.dialled", lambda *_: "61255500123", raising=False)


def test_F4_a_B_leg_of_which_nothing_was_heard_while_AMI_was_away_is_not_taken_for_unanswered() -> None:
    talk = Talk(ami_is_lost=True)
    talk.switch.asterisk.is_reachable = False
    talk.end()
    leg = talk.switch.books.rows[CALLBACK_ID].leg(B1)
    assert leg is not None
    assert leg.is_live


def test_F5_nor_while_AMI_does_not_answer() -> None:
    talk = Talk(ami_is_lost=False)
    ask = talk.switch.asterisk.live_channels

    async def lost() -> Any:
        talk.watch.forget_all()
        talk.switch.asterisk.is_lost_when_asked = True
        return await ask()

    talk.switch.asterisk.live_channels = lost  # type: ignore[method-assign]
    talk.end()
    leg = talk.switch.books.rows[CALLBACK_ID].leg(B1)
    assert leg is not None
    assert leg.is_live


def test_a_B_leg_that_never_had_a_channel_is_closed_when_the_subscriber_has_left() -> None:
    talk = Talk(ami_is_lost=False)
    talk.switch.tell(hung_up(A1, seconds=99))
    talk.end()
    assert talk.switch.books.rows[CALLBACK_ID].state.is_end


class ComesBack:
    """An A-leg whose Dial returns; AMI may be lost while it runs."""

    def __init__(self, watch: LegWatch, status: str, *, ami_is_lost: bool) -> None:
        self._watch = watch
        self._status = status
        self._ami_is_lost = ami_is_lost

    def set_variable(self, *_: str) -> None:
        pass

    def appexec(self, *_: str) -> None:
        if self._ami_is_lost:
            self._watch.forget_all()

    def get_variable(self, _name: str) -> str:
        return self._status


@pytest.mark.parametrize(
    ("status", "ami_is_lost", "may_be_billed"),
    [
        ("NOANSWER", False, True),
        ("BUSY", True, True),
        ("CONGESTION", True, True),
        ("CONGESTION", False, False),
        ("CHANUNAVAIL", False, False),
    ],
)
def test_an_attempt_counts_as_made_unless_it_is_known_that_it_had_no_channel(
    status: str, ami_is_lost: bool, may_be_billed: bool
) -> None:
    talk = Talk(since_seconds=30)
    leg = in_state(State.DIALING_B).leg(B1)
    assert leg is not None
    agi: Any = ComesBack(talk.watch, status, ami_is_lost=ami_is_lost)
    talk.conversations._dial(agi, CALLBACK_ID, leg)
    talk.switch.pass_time(AMI_LAG_SECONDS)
    tried = talk.switch.books.rows[CALLBACK_ID].leg(B1)
    assert tried is not None
    assert not tried.is_live
    assert (tried.invited_at is not None) == may_be_billed


class LeavesAfterKeying:
    """An A-leg whose phone hangs up while the session waits for its next order."""

    def set_variable(self, *_: str) -> None:
        pass

    def wait_unless_hung_up(self, _order: object) -> None:
        raise AGISIGHUPHangup("gone")


def test_F038_a_subscriber_who_leaves_before_we_dial_ends_the_callback_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Conversations, "_language_of", lambda *_: "en")
    talk = Talk(ami_is_lost=False)
    keyed_in = in_state(State.AUTHORIZING)
    talk.switch.books.rows[CALLBACK_ID] = keyed_in
    talk.switch.conductor.follow(keyed_in)
    agi: Any = LeavesAfterKeying()
    with pytest.raises(AGISIGHUPHangup):
        talk.conversations._converse(agi, A1)
    talk.switch.tell(destination_authorised(keyed_in))
    assert talk.switch.state() in {State.DIALING_B, State.COLLECTING}
    talk.switch.tell(hung_up(A1, seconds=99))
    ended = talk.switch.books.rows[CALLBACK_ID]
    assert (ended.state, ended.hold_units) == (State.ABANDONED, 0)
    (leg,) = ended.legs_b
    assert disposition_of(leg) is Disposition.CANCELLED
