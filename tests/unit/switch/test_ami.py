"""The AMI client: login, matching, order, silence, loss, reconnection."""

from typing import Any

import pytest
from ami_peer import BANNER, AmiNetwork
from structlog.testing import capture_logs
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from switch.ami import (
    PING_DEADLINE_SECONDS,
    PING_SECONDS,
    ActionRefused,
    AmiLoginRefused,
    AmiLost,
    AmiNotSent,
    AmiService,
    AmiTimeout,
    Message,
)
from switch.amiprotocol import ACTION_SECONDS, BANNER_SECONDS, QUESTIONS_MAX
from wire.errors import LocalProtocolError


class Site:
    """A service on a network in memory, and what it told."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.network = AmiNetwork()
        self.told: list[str] = []
        self.service = AmiService(
            self.clock,
            self.network,
            user="dialback",
            secret="secret",
            on_event=lambda message: self.told.append(message["Event"]),
            on_connected=lambda: self.told.append("connected"),
            on_lost=lambda: self.told.append("lost"),
            subscribed=("Hangup", "Newstate", "OriginateResponse"),
            retry_policy=lambda attempt: min(attempt, 4),
        )

    def start(self) -> "Site":
        self.service.start()
        self.network.peer.welcomes()
        return self


def result_of(deferred: "Deferred[Any]") -> list[Any]:
    """The result or the error, once there is one."""
    box: list[object] = []
    deferred.addCallbacks(box.append, lambda failure: box.append(failure.value))
    return box


def test_a_login_proves_the_secret_without_sending_it() -> None:
    site = Site()
    waiting = result_of(site.service.when_logged_in())
    site.service.start()
    assert not site.service.logged_in
    assert site.service.pong_age_seconds() == float("inf")
    site.network.peer.welcomes()
    assert site.service.logged_in
    assert waiting == [None]
    assert site.told == ["connected"]
    assert result_of(site.service.when_logged_in()) == [None]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_banner_and_answers_in_pieces_are_the_same(size: int) -> None:
    site = Site()
    site.service.start()
    peer = site.network.peer
    for at in range(0, len(BANNER), size):
        peer.says(BANNER[at : at + size])
    asked = peer.hears("Challenge")["ActionID"]
    answer = f"Response: Success\r\nActionID: {asked}\r\nChallenge: 1\r\n\r\n".encode()
    for at in range(0, len(answer), size):
        peer.says(answer[at : at + size])
    assert peer.hears("Login")["AuthType"] == "MD5"


def test_a_wrong_password_is_a_permanent_error_and_is_tried_ever_more_slowly() -> None:
    site = Site()
    site.service.start()
    for tries in (1, 2, 3):
        waiting = result_of(site.service.when_logged_in())
        peer = site.network.peer
        peer.says(BANNER)
        peer.answers(peer.hears("Challenge"), Challenge="1")
        with capture_logs() as logs:
            peer.answers(peer.hears("Login"), "Error", Message="Authentication failed")
        assert isinstance(waiting[0], AmiLoginRefused)
        assert "'dialback'" in str(waiting[0])
        assert [entry["event"] for entry in logs] == ["no login to AMI"]
        assert not peer.is_open
        site.clock.advance(tries - 0.1)
        assert site.network.tries == tries
        site.clock.advance(0.2)
        assert site.network.tries == tries + 1
    site.network.peer.welcomes()
    assert site.told == ["connected"]


def test_a_login_that_is_still_in_use_is_only_tried_again() -> None:
    site = Site()
    waiting = result_of(site.service.when_logged_in())
    site.service.start()
    peer = site.network.peer
    peer.says(BANNER)
    with capture_logs():
        peer.answers(peer.hears("Challenge"), "Error", Message="Login Already In Use")
    assert waiting == []
    site.clock.advance(1.5)
    site.network.peer.welcomes()
    assert waiting == [None]


def test_T24_a_user_that_may_do_more_than_it_should_is_refused() -> None:
    site = Site()
    waiting = result_of(site.service.when_logged_in())
    site.service.start()
    peer = site.network.peer
    peer.says(BANNER)
    peer.answers(peer.hears("Challenge"), Challenge="1")
    peer.answers(peer.hears("Login"))
    with capture_logs():
        peer.answers(peer.hears("ListCommands"), Originate="x", Command="Execute CLI (Priv: command,all)")
    assert isinstance(waiting[0], AmiLoginRefused)
    assert "Command" in str(waiting[0])
    assert not site.service.logged_in
    assert site.told == []


def test_a_connection_lost_during_the_login_is_tried_again() -> None:
    site = Site()
    site.service.start()
    site.network.peer.says(BANNER)
    with capture_logs():
        site.network.peer.cut()
    site.clock.advance(1.5)
    site.network.peer.welcomes()
    assert site.service.logged_in


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH\r\n"])
def test_something_that_is_not_asterisk_is_left(greeting: bytes) -> None:
    site = Site()
    site.service.start()
    with capture_logs():
        site.network.peer.says(greeting)
        site.clock.advance(BANNER_SECONDS)
        site.network.peers[0].settle()
    assert not site.network.peers[0].is_open


def test_a_login_that_stops_halfway_is_left() -> None:
    site = Site()
    site.service.start()
    peer = site.network.peer
    peer.says(BANNER)
    with capture_logs():
        site.clock.advance(ACTION_SECONDS)
        peer.settle()
    assert not peer.is_open


def test_nothing_is_sent_without_a_login() -> None:
    site = Site()
    assert isinstance(result_of(site.service.send("Ping"))[0], AmiNotSent)
    site.service.start()
    site.network.peer.says(BANNER)
    site.network.peer.heard()
    assert isinstance(result_of(site.service.send("Ping"))[0], AmiNotSent)
    assert site.network.peer.heard() == []


def test_answers_out_of_order_find_their_questions() -> None:
    site = Site().start()
    first, second = result_of(site.service.send("Status")), result_of(site.service.send("Ping"))
    one, two = site.network.peer.heard()
    site.network.peer.answers(two, Message="second")
    site.network.peer.tells(Event="Hangup")
    site.network.peer.answers(one, Message="first")
    assert isinstance(first[0], Message)
    assert first[0]["Message"] == "first"
    assert isinstance(second[0], Message)
    assert second[0]["Message"] == "second"


def test_an_error_answer_is_a_refusal_with_its_reason() -> None:
    site = Site().start()
    answer = result_of(site.service.send("Hangup", {"Channel": "PJSIP/x"}))
    site.network.peer.answers(site.network.peer.hears("Hangup"), "Error", Message="No such channel")
    assert isinstance(answer[0], ActionRefused)
    assert answer[0].text == "No such channel"


def test_a_list_is_gathered_while_events_pass_by() -> None:
    site = Site().start()
    answer = result_of(site.service.send_list("CoreShowChannels"))
    peer = site.network.peer
    asked = peer.hears("CoreShowChannels")["ActionID"]
    peer.tells(Response="Success", ActionID=asked, EventList="start", Message="Channels will follow")
    peer.tells(Event="CoreShowChannel", ActionID=asked, Uniqueid="1")
    peer.tells(Event="Hangup", Uniqueid="7")
    peer.tells(Event="CoreShowChannel", ActionID=asked, Uniqueid="2")
    assert answer == []
    peer.tells(Event="CoreShowChannelsComplete", ActionID=asked, EventList="Complete", ListItems="2")
    assert isinstance(answer[0], tuple)
    assert [item["Uniqueid"] for item in answer[0]] == ["1", "2"]
    assert site.told == ["connected", "Hangup"]


def test_an_empty_list_and_a_cancelled_one() -> None:
    site = Site().start()
    empty, cancelled = (
        result_of(site.service.send_list("Status")),
        result_of(site.service.send_list("Status")),
    )
    one, two = (action["ActionID"] for action in site.network.peer.heard())
    for asked in (one, two):
        site.network.peer.tells(Response="Success", ActionID=asked, EventList="start")
    site.network.peer.tells(Event="StatusComplete", ActionID=one, EventList="Complete")
    site.network.peer.tells(Event="StatusComplete", ActionID=two, EventList="cancelled")
    assert empty == [()]
    assert isinstance(cancelled[0], ActionRefused)


def test_a_command_answer_with_a_520_like_block_is_one_answer() -> None:
    site = Site().start()
    answer = result_of(site.service.send("Ping"))
    asked = site.network.peer.hears("Ping")["ActionID"].encode()
    site.network.peer.says(
        b"Response: Success\r\nActionID: "
        + asked
        + b"\r\n520-Invalid command syntax\r\nUsage:\r\n520 End\r\n\r\n"
    )
    assert isinstance(answer[0], Message)
    assert answer[0].output == ("520-Invalid command syntax", "520 End")


def test_events_come_in_order_and_only_those_subscribed() -> None:
    site = Site().start()
    site.network.peer.says(
        b"Event: Newstate\r\n\r\nEvent: RTCPSent\r\n\r\nEvent: Hangup\r\n\r\nEvent: Newstate\r\n\r\n"
    )
    assert site.told == ["connected", "Newstate", "Hangup", "Newstate"]


def test_an_event_with_the_id_of_an_answered_action_is_still_delivered() -> None:
    site = Site().start()
    result_of(site.service.send("Originate"))
    asked = site.network.peer.hears("Originate")
    site.network.peer.answers(asked, Message="Originate successfully queued")
    site.network.peer.tells(Event="OriginateResponse", ActionID=asked["ActionID"], Response="Failure")
    assert site.told == ["connected", "OriginateResponse"]


def test_ami_response_orphan_late_and_unknown_answers_are_dropped_with_a_line() -> None:
    site = Site().start()
    answer = result_of(site.service.send("Status"))
    asked = site.network.peer.hears("Status")
    site.clock.advance(1.9)
    site.clock.advance(0.2)
    site.network.peer.answers(site.network.peer.hears("Ping"))
    site.clock.pump([1.0, 1.0, 1.0])
    assert isinstance(answer[0], AmiTimeout)
    assert isinstance(answer[0], ConnectionError)
    with capture_logs() as logs:
        site.network.peer.answers(asked, Message="late")
        site.network.peer.tells(Response="Error", Message="Failed to parse message: line too long")
        site.network.peer.tells(Event="Item", ActionID="somebody-else")
    assert len(logs) == 3
    assert site.service.logged_in


def test_ami_response_lost_every_open_question_fails_when_the_connection_does() -> None:
    site = Site().start()
    answers = [result_of(site.service.send("Originate")), result_of(site.service.send_list("Status"))]
    site.network.peer.tells(
        Response="Success", ActionID=site.network.peer.heard()[1]["ActionID"], EventList="start"
    )
    with capture_logs():
        site.network.peer.cut()
    assert all(type(answer[0]) is AmiLost for answer in answers)
    assert "may or may not" in str(AmiLost.__doc__)
    assert site.told == ["connected", "lost"]
    assert not site.service.logged_in
    assert isinstance(result_of(site.service.send("Ping"))[0], AmiNotSent)


def test_every_reconnection_is_told_and_nothing_is_sent_again() -> None:
    site = Site().start()
    result_of(site.service.send("Originate"))
    site.network.is_down = True
    with capture_logs():
        site.network.peer.cut()
        site.clock.pump([1.0, 2.0, 3.0])
    site.network.is_down = False
    site.clock.advance(4.0)
    site.network.peer.welcomes()
    assert site.told == ["connected", "lost", "connected"]
    assert site.network.peer.heard() == []


def test_M9_a_half_open_connection_is_found_within_ten_seconds() -> None:
    site = Site().start()
    site.clock.advance(PING_SECONDS)
    site.network.peer.answers(site.network.peer.hears("Ping"), Ping="Pong")
    assert site.service.pong_age_seconds() == 0
    site.clock.advance(PING_SECONDS)
    site.network.peer.hears("Ping")
    with capture_logs() as logs:
        site.clock.advance(PING_DEADLINE_SECONDS)
        site.network.peer.settle()
    assert not site.network.peers[0].is_open
    assert site.told == ["connected", "lost"]
    assert "Ping" in logs[0]["reason"]
    assert PING_SECONDS + PING_DEADLINE_SECONDS < 10


def test_a_busy_connection_stays_up_for_hours() -> None:
    site = Site().start()
    for _ in range(3_600):
        site.clock.advance(PING_SECONDS)
        site.network.peer.answers(site.network.peer.hears("Ping"))
    assert site.told == ["connected"]


def test_garbage_from_ami_ends_that_connection_only() -> None:
    site = Site().start()
    with capture_logs():
        site.network.peer.says(b"x" * (4 * 1024 * 1024 + 5))
    assert site.told == ["connected", "lost"]
    site.clock.advance(1.5)
    site.network.peer.welcomes()
    assert site.service.logged_in


def test_what_the_encoder_refuses_is_not_sent_and_harms_nothing() -> None:
    site = Site().start()
    answer = result_of(site.service.send("Hangup", {"Channel": "a\r\nAction: Command"}))
    assert isinstance(answer[0], LocalProtocolError)
    answer = result_of(site.service.send("Originate", {}, {"SHELL(x)": "1"}))
    assert isinstance(answer[0], LocalProtocolError)
    assert site.network.peer.heard() == []
    assert site.service.logged_in


def test_more_open_questions_than_allowed_are_not_sent() -> None:
    site = Site().start()
    box = [result_of(site.service.send("Status")) for _ in range(QUESTIONS_MAX + 1)]
    assert isinstance(box[-1][0], AmiNotSent)
    assert box[0] == []


def test_stop_closes_at_once_and_leaves_no_timer() -> None:
    site = Site().start()
    answer = result_of(site.service.send("Status"))
    stopped = result_of(site.service.stop())
    with capture_logs():
        site.network.peer.settle()
    assert isinstance(answer[0], AmiLost)
    assert stopped == [None]
    assert site.clock.getDelayedCalls() == []
    assert site.network.tries == 1


def test_stop_while_waiting_to_reconnect_leaves_no_timer() -> None:
    site = Site().start()
    with capture_logs():
        site.network.peer.cut()
    assert result_of(site.service.stop()) == [None]
    assert site.clock.getDelayedCalls() == []


def test_a_waiter_for_a_login_may_go_away() -> None:
    site = Site()
    waiting = site.service.when_logged_in()
    errors: list[Failure] = []
    waiting.addErrback(errors.append)
    waiting.cancel()
    site.service.start()
    site.network.peer.welcomes()
    assert len(errors) == 1
