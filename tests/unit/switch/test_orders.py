"""Orders to Asterisk: rung once, and refused only where Asterisk surely has no channel."""

from collections.abc import Mapping

import pytest
from sample_callbacks import A1, B1, in_state
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from calls.callback import State
from switch.errors import OriginateRefusedError
from switch.legs import LegWatch
from switch.orders import NO_CHANNEL_SECONDS, AsteriskOrders

A_ROW = {"Channel": "PJSIP/alpha-00000001", "Uniqueid": A1, "AccountCode": A1, "ChannelState": "0"}
B_ROW = {"Channel": "PJSIP/alpha-00000002", "Uniqueid": "main-1.2", "AccountCode": B1, "ChannelState": "6"}


class FakeAmi:
    """Takes every action; shows these channels."""

    logged_in = True

    def __init__(self) -> None:
        self.sent: list[tuple[str, Mapping[str, str]]] = []
        self.rows: tuple[Mapping[str, str], ...] = ()

    def send(self, action: str, headers: Mapping[str, str], *_: object) -> "Deferred[Mapping[str, str]]":
        self.sent.append((action, headers))
        return succeed({})

    def send_list(self, action: str) -> "Deferred[tuple[Mapping[str, str], ...]]":
        self.sent.append((action, {}))
        return succeed(self.rows)


class Site:
    """The orders of a switch, with its AMI and its clock."""

    def __init__(self) -> None:
        self.clock, self.ami, self.watch = Clock(), FakeAmi(), LegWatch(lambda news: None)
        self.orders = AsteriskOrders(
            reactor=self.clock,
            ami=self.ami,  # type: ignore[arg-type]
            watch=self.watch,
            forms={},
            secret="0123456789abcdef",
            absolute_seconds=7200,
        )

    def originate(self) -> list[object]:
        """What became of an order once Asterisk has had its time."""
        ringing = in_state(State.DIALING_A)
        assert ringing.leg_a is not None
        outcome: list[object] = []
        Deferred.fromCoroutine(self.orders.originate(ringing, ringing.leg_a)).addBoth(outcome.append)
        self.clock.advance(NO_CHANNEL_SECONDS)
        return outcome

    def actions(self) -> list[str]:
        return [action for action, _ in self.ami.sent]


@pytest.fixture
def site() -> Site:
    return Site()


def test_an_order_that_makes_no_channel_is_refused(site: Site) -> None:
    (outcome,) = site.originate()
    assert isinstance(outcome, Failure)
    assert outcome.check(OriginateRefusedError)


def test_F120_a_channel_that_told_nothing_yet_is_not_rung_again(site: Site) -> None:
    site.ami.rows = (A_ROW,)
    assert site.originate() == [None]


def test_a_channel_that_has_shown_itself_is_not_asked_for(site: Site) -> None:
    called = {f"Dest{name}": value for name, value in A_ROW.items()}
    site.watch.on_event("DialBegin", called | {"Timestamp": "1.0"})
    assert site.originate() == [None]
    assert site.actions() == ["Originate"]


def hang_up(site: Site, leg_id: str) -> None:
    Deferred.fromCoroutine(site.orders.hang_up(leg_id))


def test_a_leg_is_hung_up_by_the_channel_that_it_has_shown_without_a_list_of_all(site: Site) -> None:
    site.watch.on_event("Newstate", B_ROW | {"Timestamp": "1.0"})
    hang_up(site, B1)
    assert site.ami.sent == [("Hangup", {"Channel": B_ROW["Channel"], "Cause": "16"})]


def test_a_leg_of_before_is_looked_for_in_the_list_and_hung_up(site: Site) -> None:
    site.ami.rows = (A_ROW, B_ROW)
    hang_up(site, B1)
    assert site.ami.sent[1:] == [("Hangup", {"Channel": B_ROW["Channel"], "Cause": "16"})]


def test_a_leg_without_a_channel_needs_no_hang_up(site: Site) -> None:
    hang_up(site, B1)
    assert site.actions() == ["CoreShowChannels"]
