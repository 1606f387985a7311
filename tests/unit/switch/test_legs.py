"""What AMI's events say about our legs. The headers are those of Asterisk 22's own events."""

import pytest
from sample_callbacks import (
    A1,
    B1,
    CALLBACK_ID,
    N1,
    T1,
    after_all,
    dial_authorised,
    legs_b,
    released,
    requested,
)

from calls import events
from calls.callback import DISPOSITIONS, ReleasedBy
from calls.cdr import Disposition
from switch.legs import (
    LegNews,
    LegWatch,
    callback_id_of,
    cause_of_status,
    dial_arguments,
    is_leg_a,
    leg_id_of,
    micros_to_utc,
    originate,
)

A_CHANNEL = {
    "Channel": "PJSIP/alpha-00000001",
    "CallerIDNum": "12025550111",
    "ConnectedLineNum": "<unknown>",
    "Language": "en",
    "AccountCode": A1,
    "Context": "dialback-ivr",
    "Exten": "s",
    "Priority": "1",
    "Uniqueid": A1,
    "Linkedid": A1,
}
B_CHANNEL = A_CHANNEL | {
    "Channel": "PJSIP/alpha-00000002",
    "AccountCode": B1,
    "Uniqueid": "main-1777896031.2",
    "Context": "dialback-nowhere",
}
RINGING = {"ChannelState": "5", "ChannelStateDesc": "Ringing"}
UP = {"ChannelState": "6", "ChannelStateDesc": "Up"}
DOWN = {"ChannelState": "0", "ChannelStateDesc": "Down"}


def hangup(channel: dict[str, str], at: str, cause: int, state: dict[str, str]) -> tuple[str, dict[str, str]]:
    text = {16: "Normal Clearing", 17: "User busy", 0: "Unknown"}.get(cause, "")
    return "Hangup", channel | state | {"Timestamp": at, "Cause": str(cause), "Cause-txt": text}


def dial_end(channel: dict[str, str], at: str, status: str) -> tuple[str, dict[str, str]]:
    caller = {} if channel is A_CHANNEL else A_CHANNEL
    called = {f"Dest{name}": value for name, value in channel.items()}
    return "DialEnd", {**caller, **called, "Timestamp": at, "DialStatus": status}


def newstate(channel: dict[str, str], at: str, state: dict[str, str]) -> tuple[str, dict[str, str]]:
    return "Newstate", channel | state | {"Timestamp": at}


def request(channel: dict[str, str], at: str, state: dict[str, str]) -> tuple[str, dict[str, str]]:
    return "HangupRequest", channel | state | {"Timestamp": at, "Cause": "16"}


def key(channel: dict[str, str], at: str, direction: str = "Received") -> tuple[str, dict[str, str]]:
    return "DTMFEnd", channel | UP | {
        "Timestamp": at,
        "Digit": "5",
        "DurationMs": "80",
        "Direction": direction,
    }


def told(*story: tuple[str, dict[str, str]], watch: LegWatch | None = None) -> list[events.Event]:
    """What the watch makes of those events."""
    news: list[LegNews] = []
    watch = LegWatch(news.append) if watch is None else watch
    for name, headers in story:
        watch.on_event(name, headers)
    assert {one.callback_id for one in news} <= {CALLBACK_ID}
    return [one.event for one in news]


def end_of(*story: tuple[str, dict[str, str]]) -> events.LegHungUp:
    last = told(*story)[-1]
    assert isinstance(last, events.LegHungUp)
    return last


# instants


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1764000000.123456", 123456),
        ("1764000000.000001", 1),
        ("1764000000.999999", 999999),
        ("1764000000.1", 100000),
        ("1764000000.1234567", 123456),
        ("1764000000", 0),
    ],
)
def test_instants_are_exact_to_the_microsecond(text: str, micros: int) -> None:
    instant = micros_to_utc(text)
    assert instant.microsecond == micros
    assert int(instant.timestamp()) == 1764000000
    assert instant.utcoffset() is not None


def test_F134_two_instants_one_microsecond_apart_stay_apart() -> None:
    first, second = (micros_to_utc(f"1764000000.{micros:06}") for micros in (448_123, 448_124))
    assert (second - first).microseconds == 1


# whose channel


@pytest.mark.parametrize(
    ("account", "unique_id", "found"),
    [
        (A1, A1, A1),
        (B1, "main-1777896031.2", B1),
        (
            A1,
            "main-1777896031.2",
            None,
        ),  # B before its pre-dial subroutine: it has inherited A's account code
        ("", A1, None),
        ("acme", "main-1777896031.2", None),
        ("cb01-c1", "main-1777896031.2", None),
        ("cb01-b", "main-1777896031.2", None),
        ("cb01-bx", "main-1777896031.2", None),
        ("xx01-b1", "main-1777896031.2", None),
        ("b1", "main-1777896031.2", None),
    ],
)
def test_a_channel_is_ours_by_its_account_code_and_an_A_leg_by_its_unique_id_too(
    account: str, unique_id: str, found: str | None
) -> None:
    assert leg_id_of({"AccountCode": account, "Uniqueid": unique_id}) == found
    assert leg_id_of({"DestAccountCode": account, "DestUniqueid": unique_id}, dialled=True) == found


def test_a_channel_without_an_account_code_is_nobodys() -> None:
    assert leg_id_of({}) is None
    assert leg_id_of({}, dialled=True) is None


def test_a_leg_id_tells_its_callback_and_its_role() -> None:
    assert (callback_id_of(A1), callback_id_of(B1)) == (CALLBACK_ID, CALLBACK_ID)
    assert (is_leg_a(A1), is_leg_a(B1)) == (True, False)


def test_other_peoples_channels_are_no_news() -> None:
    stranger = A_CHANNEL | {"AccountCode": "", "Uniqueid": "main-1777896000.1"}
    assert told(newstate(stranger, "1.0", UP), hangup(stranger, "2.0", 16, UP)) == []


# an A-leg


def test_a_leg_ends_when_its_far_end_releases_it_not_when_asterisk_has_tidied_up() -> None:
    late = hangup(A_CHANNEL, "12.153000", 16, UP)
    end = end_of(newstate(A_CHANNEL, "2.0", UP), request(A_CHANNEL, "12.107900", UP), late)
    assert end.at == micros_to_utc("12.107900")
    ours = end_of(newstate(A_CHANNEL, "2.0", UP), late)
    assert ours.at == micros_to_utc("12.153000")


def test_F046_an_answer_that_asterisk_tells_after_the_hang_up_is_an_answer_all_the_same() -> None:
    story = told(
        newstate(B_CHANNEL, "10.0", RINGING),
        request(B_CHANNEL, "12.107900", RINGING),
        newstate(B_CHANNEL, "12.141800", UP),
        hangup(B_CHANNEL, "12.150000", 16, UP),
    )
    assert story[1:] == [
        events.LegAnswered(at=micros_to_utc("12.141800"), leg_id=B1),
        events.LegHungUp(at=micros_to_utc("12.107900"), leg_id=B1, q850_cause=16, released_by=ReleasedBy.FAR),
    ]


def test_an_A_leg_rings_answers_accepts_and_hangs_up() -> None:
    watch_news = told(
        newstate(A_CHANNEL, "1777896010.000100", RINGING),
        newstate(A_CHANNEL, "1777896015.000200", UP),
        dial_end(A_CHANNEL, "1777896015.000210", "ANSWER"),
        key(A_CHANNEL, "1777896019.000300"),
        key(A_CHANNEL, "1777896019.500300"),
        request(A_CHANNEL, "1777896060.000390", UP),
        hangup(A_CHANNEL, "1777896060.000400", 16, UP),
    )
    at = micros_to_utc
    assert watch_news == [
        events.LegRang(at=at("1777896010.000100"), leg_id=A1),
        events.LegAnswered(at=at("1777896015.000200"), leg_id=A1),
        events.Accepted(at=at("1777896019.000300"), leg_id=A1),
        events.LegHungUp(at=at("1777896060.000390"), leg_id=A1, q850_cause=16, released_by=ReleasedBy.FAR),
    ]


def dial_state(channel: dict[str, str], at: str, status: str) -> tuple[str, dict[str, str]]:
    called = {f"Dest{name}": value for name, value in channel.items()}
    return "DialState", called | {"Timestamp": at, "DialStatus": status}


def test_F120_a_183_counts_as_ringing_since_nobody_can_tell_whether_the_phone_does() -> None:
    for channel, leg_id in ((A_CHANNEL, A1), (B_CHANNEL, B1)):
        assert told(dial_state(channel, "3.0", "PROGRESS")) == [
            events.LegRang(at=micros_to_utc("3.0"), leg_id=leg_id)
        ]


@pytest.mark.parametrize("status", ["PROCEEDING", "RINGING", ""])
def test_what_else_a_dial_state_says_is_no_news(status: str) -> None:
    assert told(dial_state(A_CHANNEL, "3.0", status)) == []


def test_F121_only_keys_that_the_subscriber_presses_accept() -> None:
    assert told(key(A_CHANNEL, "1.0", "Sent"), key(B_CHANNEL, "2.0")) == []


def test_the_digit_itself_is_in_no_news() -> None:
    (accepted,) = told(key(A_CHANNEL, "1.0"))
    assert "5" not in repr(accepted).replace(A1, "")


def test_F122_a_busy_subscriber_is_known_as_busy() -> None:
    end = end_of(
        request(A_CHANNEL, "3.0", DOWN),
        dial_end(A_CHANNEL, "3.0", "BUSY"),
        hangup(A_CHANNEL, "3.1", 17, DOWN),
    )
    assert (end.q850_cause, end.released_by) == (17, ReleasedBy.FAR)


def test_F023_a_ring_that_times_out_is_no_answer_though_the_channel_says_normal_clearing() -> None:
    end = end_of(
        newstate(A_CHANNEL, "1.0", RINGING),
        dial_end(A_CHANNEL, "46.0", "NOANSWER"),
        hangup(A_CHANNEL, "46.1", 16, RINGING),
    )
    assert (end.q850_cause, end.released_by) == (19, ReleasedBy.US)


def test_a_congested_A_leg_keeps_the_carriers_cause() -> None:
    end = end_of(
        request(A_CHANNEL, "2.0", DOWN),
        dial_end(A_CHANNEL, "2.0", "CONGESTION"),
        hangup(A_CHANNEL, "2.1", 38, DOWN),
    )
    assert (end.q850_cause, end.released_by) == (38, ReleasedBy.FAR)


# a B-leg


def test_a_B_leg_is_news_from_its_pre_dial_subroutine_on_and_not_before() -> None:
    inherited = B_CHANNEL | {"AccountCode": A1}
    found = told(
        newstate(inherited, "1777896026.000001", RINGING),
        newstate(B_CHANNEL, "1777896028.000001", RINGING),
        newstate(B_CHANNEL, "1777896031.448123", UP),
        dial_end(B_CHANNEL, "1777896031.448200", "ANSWER"),
        request(B_CHANNEL, "1777896036.896000", UP),
        hangup(B_CHANNEL, "1777896036.896124", 16, UP),
    )
    assert [(type(event).__name__, event.at) for event in found] == [
        ("LegRang", micros_to_utc("1777896028.000001")),
        ("LegAnswered", micros_to_utc("1777896031.448123")),
        ("LegHungUp", micros_to_utc("1777896036.896000")),
    ]
    assert isinstance(found[-1], events.LegHungUp)
    assert (found[-1].q850_cause, found[-1].released_by) == (16, ReleasedBy.FAR)


def test_F039_the_in_call_key_ends_the_talk_from_our_side() -> None:
    end = end_of(newstate(B_CHANNEL, "1.0", UP), hangup(B_CHANNEL, "9.0", 16, UP))
    assert (end.q850_cause, end.released_by) == (16, ReleasedBy.US)


def test_F039_the_in_call_key_while_B_rings_is_a_cancelled_attempt_of_ours() -> None:
    end = end_of(
        newstate(B_CHANNEL, "1.0", RINGING),
        dial_end(B_CHANNEL, "5.0", "CANCEL"),
        hangup(B_CHANNEL, "5.1", 0, RINGING),
    )
    assert (end.q850_cause, end.released_by) == (16, ReleasedBy.US)


def test_F049_a_B_leg_that_rings_to_its_time_out_has_no_answer() -> None:
    end = end_of(
        newstate(B_CHANNEL, "1.0", RINGING),
        dial_end(B_CHANNEL, "61.0", "NOANSWER"),
        hangup(B_CHANNEL, "61.1", 16, RINGING),
    )
    assert (end.q850_cause, end.released_by) == (19, ReleasedBy.US)


@pytest.mark.parametrize("cause", [17, 21, 34])
def test_what_the_far_end_says_before_an_answer_is_its_own_cause(cause: int) -> None:
    end = end_of(request(B_CHANNEL, "2.0", DOWN), hangup(B_CHANNEL, "2.1", cause, DOWN))
    assert (end.q850_cause, end.released_by) == (cause, ReleasedBy.FAR)


def test_the_cause_of_an_answered_leg_is_its_own_even_when_the_answer_went_unseen() -> None:
    news: list[LegNews] = []
    watch = LegWatch(news.append)
    told(newstate(B_CHANNEL, "1.0", UP), watch=watch)
    watch.forget_all()
    told(hangup(B_CHANNEL, "9.0", 16, UP), watch=watch)
    end = news[-1].event
    assert isinstance(end, events.LegHungUp)
    assert end.q850_cause == 16
    assert end.answer_unseen


def test_a_hangup_without_a_cause_is_cause_zero() -> None:
    _, headers = hangup(B_CHANNEL, "9.0", 16, UP)
    end = end_of(newstate(B_CHANNEL, "1.0", UP), ("Hangup", headers | {"Cause": ""}))
    assert end.q850_cause == 0


# what is remembered


def test_a_leg_is_remembered_from_its_first_event_to_its_hang_up() -> None:
    watch = LegWatch(lambda news: None)
    assert not watch.has_seen(B1)
    told(newstate(B_CHANNEL, "1.0", RINGING), watch=watch)
    assert watch.has_seen(B1)
    told(hangup(B_CHANNEL, "9.0", 16, UP), watch=watch)
    assert not watch.has_seen(B1)


def test_F120_a_leg_has_shown_itself_before_its_phone_rings() -> None:
    watch = LegWatch(lambda news: None)
    called = {f"Dest{name}": value for name, value in A_CHANNEL.items()}
    assert told(("DialBegin", called | {"Timestamp": "1.0"}), watch=watch) == []
    assert watch.has_shown(A1)


def test_what_is_told_of_a_leg_after_its_hang_up_is_not_remembered() -> None:
    watch = LegWatch(lambda news: None)
    told(newstate(B_CHANNEL, "1.0", RINGING), hangup(B_CHANNEL, "9.0", 23, RINGING), watch=watch)
    told(dial_end(B_CHANNEL, "9.1", "BUSY"), watch=watch)
    assert not watch.has_seen(B1)


def test_a_lost_connection_is_a_new_start() -> None:
    watch = LegWatch(lambda news: None)
    told(newstate(B_CHANNEL, "1.0", RINGING), watch=watch)
    watch.forget_all()
    assert not watch.has_seen(B1)


# orders


def test_F001_an_A_leg_is_ordered_under_its_own_id_into_our_dialplan() -> None:
    ready = after_all(requested(), [released()])
    ringing = after_all(ready, [dial_authorised(ready)])
    leg = ringing.leg_a
    assert leg is not None
    order = originate(ringing, leg, token="ab12", dialled=N1.digits, absolute_seconds=7200)
    assert dict(order.headers) == {
        "Channel": "PJSIP/442079460101@alpha",
        "ChannelId": A1,
        "Account": A1,
        "Context": "dialback-ivr",
        "Exten": "s",
        "Priority": "1",
        "Timeout": "45000",
        "CallerID": str(T1),
        "Async": "true",
    }
    assert dict(order.variables) == {
        "DIALBACK_LEG": A1,
        "DIALBACK_TOKEN": "ab12",
        "DIALBACK_ABSOLUTE": "7200",
        "FORWARD_CONTEXT": "dialback-nowhere",
    }


def test_F125_F054_a_B_leg_ignores_forwarding_and_carries_its_limit_into_Dial() -> None:
    (leg,) = legs_b(requested(), routes=1, talk_seconds_max=848)
    assert dial_arguments(leg, dialled="61255500123", in_call_key="##") == (
        "PJSIP/61255500123@alpha",
        "60",
        f"giHb(dialback-leg^s^1({B1}))L(848000)",
    )


def test_F039_without_an_in_call_key_every_key_reaches_the_destination() -> None:
    (leg,) = legs_b(requested(), routes=1)
    options = dial_arguments(leg, dialled="61255500123", in_call_key="")[2]
    assert "H" not in options.partition("b(")[0]


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ("BUSY", 17),
        ("NOANSWER", 19),
        ("CANCEL", 16),
        ("CHANUNAVAIL", 34),
        ("CONGESTION", 34),
        ("DONTCALL", 0),
    ],
)
def test_Dials_word_stands_for_a_cause_where_no_channel_told_one(status: str, cause: int) -> None:
    assert cause_of_status(status) == cause


@pytest.mark.parametrize(("channel", "status"), [(A_CHANNEL, "CANCEL"), (B_CHANNEL, "BUSY")], ids=["A", "B"])
@pytest.mark.parametrize("cause", [0, 23])
def test_F125_a_phone_that_forwards_has_refused_in_whichever_way_asterisk_tells_it(
    channel: dict[str, str], status: str, cause: int
) -> None:
    end = end_of(dial_end(channel, "1777896035.0", status), hangup(channel, "1777896035.0", cause, DOWN))
    assert DISPOSITIONS[end.q850_cause] is Disposition.REJECTED
