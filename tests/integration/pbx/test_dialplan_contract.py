"""What docs/DIALPLAN.md promises of Asterisk, asked of a real one."""

from __future__ import annotations

import time
from typing import Any

import pytest

from world.lateness import Sleeper
from world.scripts import Answers, Forwards, HangsUp, Keys, NoAnswer, Unavailable, Waits

pytestmark = pytest.mark.real_asterisk

A, B, PREMIUM = "442079460101", "33199001234", "979123456"
DID = "12025550111"
STAYS = (Answers(after=0), Waits(30), HangsUp())


def dial(leg: str, options: str = "gHi", limit_ms: int = 20_000) -> str:
    return f'EXEC Dial "PJSIP/{B}@beta,20,{options}b(dialback-leg^s^1({leg}))L({limit_ms})"'


def run(bench: Any, leg: Any, script: Any, *more: Any, seconds: Any = 40) -> Any:
    """Originate leg A with that AGI script and wait for its end; return what AMI said of its hang-up."""

    def only_for_the_ivr(call: Any) -> None:
        if "/ivr/" in call.environment["agi_request"]:
            script(call)

    bench.switch.script = only_for_the_ivr
    bench.manager.originate(leg, A, "alpha", *more)
    return bench.manager.wait_for("Hangup", seconds, Uniqueid=leg)


def test_a_trigger_rings_and_is_refused_never_answered_never_early_media(bench: Any) -> None:
    bench.switch.script = lambda call: call.say("EXEC Wait 1")
    heard = bench.world.rings(did="+12025550111", caller="+442079460101", seconds=5)
    assert heard.codes == (100, 180, 486)
    assert not heard.early_media


def test_a_caller_who_hangs_up_is_seen_by_the_agi_session(bench: Any) -> None:
    replies = []
    bench.switch.script = lambda call: replies.append(
        (call.say("EXEC Wait 8"), call.say("NOOP"), call.hung_up)
    )
    assert bench.world.rings(did=DID, caller=A, seconds=1).codes == (100, 180, 487)
    bench.world.wait_for(lambda: bool(replies), 3, "the AGI session's end")
    assert replies[0][0] == "200 result=-1"
    assert replies[0][2]


def test_the_trigger_names_caller_presentation_and_trunk(bench: Any) -> None:
    bench.switch.script = lambda call: call.say("EXEC Wait 1")
    diverted = (b"Diversion: <sip:+33155@x>;reason=user-busy",)
    bench.world.rings(
        did="+12025550111", caller="+442079460101", name="Al O-x", seconds=0.5, headers=diverted
    )
    environment = bench.switch.calls[0].environment
    assert environment["agi_extension"] == "+12025550111"
    assert [environment[f"agi_arg_{number}"] for number in range(1, 6)] == [
        "%2B442079460101",
        "Al%20O-x",
        "allowed_not_screened",
        "%2B33155",
        "alpha",
    ]


@pytest.mark.parametrize(
    "caller",
    [
        b"44%0ASET%20VARIABLE%20x%20y",
        b"44%0D%0AEvent%3A%20Hangup%0D%0AAccountCode%3A%20cb1-a1",
        b"44'()*!~,b,c",
        b"44)((&PJSIP/1@x",
        b"%22%5C%24%7BSHELL(id)%7D",
        b"4%C3%A9%00x%FF",
        b"4" * 4000,
    ],
)
def test_hostile_caller_numbers_and_names_reach_agi_only_encoded(bench: Any, caller: Any) -> None:
    bench.switch.script = lambda call: call.say("EXEC Wait 2")
    heard = bench.world.rings(
        did=DID, caller=caller, name=b"n)((,\\x ${EXTEN} $[1+1] %0A \xc3\xa9 \xff '*!", seconds=0.4
    )
    assert heard.final_code in {None, 487}, heard.codes
    for call in bench.switch.calls:
        lines = [line.decode("ascii").rstrip("\n") for line in call.raw_environment]
        assert all(line.startswith("agi_") for line in lines), lines
        assert len(lines) == 27
        arguments = [call.environment[f"agi_arg_{number}"] for number in range(1, 6)]
        allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%._~-")
        assert set("".join(arguments)) <= allowed
        assert arguments[4] == "alpha"
        assert (call.environment["agi_callerid"], call.environment["agi_calleridname"]) == ("unknown",) * 2
    assert bytes(bench.manager.raw) == b"", "a stranger's words came out at AMI"


@pytest.mark.parametrize(
    "did", [b"1202%0Aagi_x%3a%20y", b"1202%0D%0AEvent%3a%20x", b"+12025550111,x", b"1", b"x1202"]
)
def test_a_dialled_string_that_is_no_number_is_not_found(bench: Any, did: Any) -> None:
    heard = bench.world.rings(did=did, caller="44", seconds=1)
    assert heard.final_code in {404, 484, None}
    assert not bench.switch.calls


def test_a_stranger_gets_no_dialplan(bench: Any) -> None:
    """T26: nobody is anonymous here; who is not a trunk's address is forbidden."""
    from world.sip import Invitation, RingingLine

    to = (bench.site.pbx.host, bench.site.pbx.sip_port)
    line = RingingLine(Invitation(number=DID, caller="44"), to=to, from_host="127.0.77.1", seconds=2)
    assert line.heard().final_code in {401, 403}
    assert not bench.switch.calls


def test_the_leg_id_of_b_is_its_account_code_before_its_invite_and_at_each_event_behind(bench: Any) -> None:
    bench.world.phone(A, *STAYS)
    bench.world.phone(B, Answers(after=0.5), Waits(1), HangsUp())
    run(bench, "cba1-a1", lambda call: call.say(dial("cba1-b1")))
    account = {"DestAccountCode": "cba1-b1"}
    begin = bench.manager.wait_for("DialBegin", **account)
    unique = begin["DestUniqueid"]
    assert bench.manager.named("Newchannel", Uniqueid=unique)[0]["AccountCode"] == ""
    for name in ("Newstate", "BridgeEnter", "HangupRequest", "BridgeLeave", "Hangup"):
        events = bench.manager.named(name, Uniqueid=unique)
        assert events, name
        assert {event["AccountCode"] for event in events} == {"cba1-b1"}
        assert {event["Linkedid"] for event in events} == {"cba1-a1"}
    rows = [row for row in bench.evidence() if row[2] == unique]
    assert rows[0][0] == "CHAN_START"
    assert rows[0][4] == ""
    assert {row[4] for row in rows[1:]} == {"cba1-b1"}
    assert {"ANSWER", "BRIDGE_ENTER", "BRIDGE_EXIT", "HANGUP", "CHAN_END"} <= {row[0] for row in rows}


def test_event_times_of_ami_and_cel_agree_with_the_far_phone(bench: Any, sleeper: Sleeper) -> None:
    bench.world.phone(A, *STAYS)
    bench.world.phone(B, Answers(after=0.5), Waits(2), HangsUp())
    run(bench, "cba2-a1", lambda call: call.say(dial("cba2-b1")))
    b_call = bench.world.wait_for_call(B)
    up = bench.manager.named("Newstate", AccountCode="cba2-b1", ChannelState="6")[0]["Timestamp"]
    down = bench.manager.named("Hangup", AccountCode="cba2-b1")[0]["Timestamp"]
    assert abs((float(down) - float(up)) * 1e6 - b_call.talk_microseconds) < sleeper.clocks_apart_us
    rows = {row[0]: row[1] for row in bench.evidence() if row[4] == "cba2-b1"}
    assert abs(float(rows["ANSWER"]) - float(up)) < 0.005
    assert abs(float(rows["HANGUP"]) - float(down)) < 0.005


def test_a_302_of_leg_a_makes_no_second_invite_and_no_trigger(bench: Any) -> None:
    for number, target in enumerate((PREMIUM, DID)):
        bench.world.phone(A, Forwards(target))
        bench.world.phone(PREMIUM, *STAYS)
        leg = f"cbb{number}-a1"
        run(bench, leg, lambda call: None)
        assert bench.manager.wait_for("OriginateResponse", Uniqueid=leg)["Response"] == "Failure"
    time.sleep(0.3)
    assert [call.number for call in bench.world.calls()] == [A, A]
    assert not bench.switch.calls


@pytest.mark.parametrize(
    ("sip_code", "status", "dial_end", "cause"),
    [
        (486, "BUSY", "BUSY", "17"),
        (480, "NOANSWER", "NOANSWER", "19"),
        (404, "CHANUNAVAIL", "NOANSWER", "1"),
        (500, "CHANUNAVAIL", "NOANSWER", "38"),
        (503, "CONGESTION", "CONGESTION", "34"),
    ],
)
def test_a_failed_b_leg_is_told_by_dialstatus_and_cause(
    bench: Any, sip_code: Any, status: Any, dial_end: Any, cause: Any
) -> None:
    said = []

    def script(call: Any) -> None:
        call.say(dial("cbf9-b1"))
        said.append(call.get("DIALSTATUS"))

    bench.world.phone(A, *STAYS)
    bench.world.phone(B, Unavailable(sip_code))
    run(bench, "cbf9-a1", script)
    assert said == [status]
    assert bench.manager.wait_for("DialEnd", DestAccountCode="cbf9-b1")["DialStatus"] == dial_end
    assert bench.manager.wait_for("Hangup", AccountCode="cbf9-b1")["Cause"] == cause


def test_a_silent_carrier_shows_no_ringing_and_cause_0(bench: Any) -> None:
    said = []

    def script(call: Any) -> None:
        call.say(dial("cbf8-b1").replace(",20,", ",2,"))
        said.append(call.get("DIALSTATUS"))

    bench.world.phone(A, *STAYS)
    bench.world.carrier("beta").goes_dark()
    try:
        run(bench, "cbf8-a1", script)
    finally:
        bench.world.carrier("beta").comes_back()
    assert said == ["NOANSWER"]
    assert bench.manager.wait_for("Hangup", AccountCode="cbf8-b1")["Cause"] == "0"
    assert not bench.manager.named("Newstate", AccountCode="cbf8-b1")


@pytest.mark.parametrize("options", ["gHi", "gH"])
def test_a_302_of_leg_b_makes_no_second_invite_and_no_trigger_with_or_without_option_i(
    bench: Any, options: Any
) -> None:
    status = []

    def script(call: Any) -> None:
        call.say(dial("cbb2-b1", options))
        status.append(call.get("DIALSTATUS"))

    bench.world.phone(A, *STAYS)
    bench.world.phone(B, Forwards(PREMIUM))
    bench.world.phone(PREMIUM, *STAYS)
    run(bench, "cbb2-a1", script)
    assert status == [{"gHi": "BUSY", "gH": "CHANUNAVAIL"}[options]]
    assert [call.number for call in bench.world.calls()] == [A, B]
    assert len(bench.switch.calls) == 1


@pytest.mark.parametrize(
    ("entry", "between_digits", "first_digit"),
    [("GET DATA silence/1 0 16", 2.0, 6.0), ("EXEC Read KEYED,silence/1,16", 1.5, 3.0)],
)
def test_read_takes_its_waits_from_the_channel_and_get_data_does_not(
    bench: Any, entry: Any, between_digits: Any, first_digit: Any
) -> None:
    """main/app.c: ast_app_getdata (Read) asks the channel; ast_app_getdata_full (AGI) has 6 s and 2 s."""
    took = []

    def script(call: Any) -> None:
        call.say("SET VARIABLE TIMEOUT(response) 3")
        call.say("SET VARIABLE TIMEOUT(digit) 1.5")
        for _ in range(2):
            started = time.monotonic()
            call.say(entry)
            took.append(time.monotonic() - started)

    bench.world.phone(A, Answers(after=0), Keys("12", after=1), Waits(30), HangsUp())
    run(bench, "cbc0-a1", script)
    # 1 s until the first key, then 100 ms for a key, 100 ms of pause, 100 ms for the other.
    assert took[0] == pytest.approx(1.4 + between_digits, abs=0.25)
    assert took[1] == pytest.approx(1.0 + first_digit, abs=0.25)  # the silence lasts 1 s


def test_get_data_knows_no_list_of_prompts_but_read_does(bench: Any) -> None:
    said = []

    def script(call: Any) -> None:
        said.append(call.say("GET DATA silence/1&silence/1 0 16"))
        call.say("SET VARIABLE TIMEOUT(response) 3")
        for _ in range(3):
            call.say("EXEC Read KEYED,silence/1&silence/1&silence/1,4")
            said.append((call.get("KEYED"), call.get("READSTATUS")))

    # "56" is keyed during the second prompt of its Read: barge-in works on any of them.
    bench.world.phone(
        A, Answers(after=0), Keys("12#", after=1.5), Keys("5678", after=1.5), Keys("#", after=1), Waits(30)
    )
    run(bench, "cbc1-a1", script)
    assert said == ["200 result=-1", ("12", "OK"), ("5678", "OK"), ("", "OK")]


def test_read_tells_a_hang_up_by_its_status_alone(bench: Any) -> None:
    said = []

    def script(call: Any) -> None:
        said.append(call.say("EXEC Read KEYED,no-such-sound&silence/1,16"))
        said.append(call.get("READSTATUS"))
        said.append(call.get("KEYED"))

    bench.world.phone(A, Answers(after=0), Keys("12", after=1), HangsUp())
    run(bench, "cbc2-a1", script)
    bench.world.wait_for(lambda: len(said) == 3, 3, "the AGI session's end")
    assert said == ["200 result=0", "HANGUP", "12"]


@pytest.mark.parametrize(
    ("key", "keys", "b_hears"),
    [
        ("##", (Keys("#", after=2), Keys("5", after=1.5), Keys("##", after=1.5)), "#5"),
        ("##", (Keys("#", after=2), Keys("#", after=1.5), Keys("##", after=1.5)), "##"),
        ("#", (Keys("9*", after=2), Keys("#", after=1)), "9*"),
        ("###", (Keys("12##3", after=2), Keys("###", after=2)), "12##3"),
    ],
)
def test_the_in_call_key_ends_b_in_talk_and_every_other_key_reaches_b(
    bench: Any, key: Any, keys: Any, b_hears: Any
) -> None:
    after = []

    def script(call: Any) -> None:
        call.say(f"SET VARIABLE FEATUREMAP(disconnect) {key}")
        after.append(call.say(dial("cbe0-b1")))
        after.append(call.get("DIALSTATUS"))
        after.append(call.say("GET DATA silence/1 500 1"))

    bench.world.phone(A, Answers(after=0), *keys, Waits(20), HangsUp())
    bench.world.phone(B, Answers(after=0.5), Waits(20), HangsUp())
    run(bench, "cbe0-a1", script)
    b_call = bench.world.wait_for_call(B)
    assert b_call.digits_heard == b_hears
    assert not b_call.hung_up_by_phone
    assert after == ["200 result=0", "ANSWER", "200 result= (timeout)"]


@pytest.mark.parametrize("key", ["#", "##", "###"])
def test_the_in_call_key_ends_b_while_it_rings(bench: Any, key: Any) -> None:
    after = []

    def script(call: Any) -> None:
        call.say(f"SET VARIABLE FEATUREMAP(disconnect) {key}")
        after.append(call.say(dial("cbe1-b1")))
        after.append(call.get("DIALSTATUS"))
        after.append(call.say("GET DATA silence/1 500 1"))

    bench.world.phone(A, Answers(after=0), Keys(key, after=1.5), Waits(20), HangsUp())
    bench.world.phone(B, NoAnswer())
    run(bench, "cbe1-a1", script)
    assert after == ["200 result=0", "CANCEL", "200 result= (timeout)"]


def test_with_no_in_call_key_every_key_reaches_b(bench: Any) -> None:
    bench.world.phone(A, Answers(after=0), Keys("*#0", after=1.5), Keys("##", after=1), Waits(1), HangsUp())
    bench.world.phone(B, Answers(after=0.5), Waits(20), HangsUp())
    run(bench, "cbe2-a1", lambda call: call.say(dial("cbe2-b1")))
    assert bench.world.wait_for_call(B).digits_heard == "*#0##"


@pytest.mark.parametrize("activity", ["EXEC Wait 20", "GET DATA silence/1 20000 5", dial("cbf0-b1")])
def test_the_absolute_time_out_ends_a_whatever_it_does(bench: Any, activity: Any) -> None:
    bench.world.phone(A, *STAYS)
    bench.world.phone(B, *STAYS)
    run(bench, "cbf0-a1", lambda call: call.say(activity), "Variable: DIALBACK_ABSOLUTE=3")
    a_call = bench.world.wait_for_call(A)
    assert 2_900_000 < a_call.talk_microseconds < 3_300_000
    assert not a_call.hung_up_by_phone
    bench.world.quiet(2)


def test_a_lost_agi_socket_ends_the_call_and_never_dials(bench: Any) -> None:
    def script(call: Any) -> None:
        call.say("NOOP")
        call.connection.shutdown(2)

    bench.world.phone(A, *STAYS)
    run(bench, "cbh0-a1", script, seconds=3)
    assert [call.number for call in bench.world.calls()] == [A]


def test_a_socket_lost_in_talk_leaves_the_talk_up_to_the_limit_that_travels_with_it(bench: Any) -> None:
    def script(call: Any) -> None:
        call.connection.sendall(dial("cbh1-b1", limit_ms=3000).encode() + b"\n")
        time.sleep(1.5)
        call.connection.shutdown(2)

    bench.world.phone(A, *STAYS)
    bench.world.phone(B, *STAYS)
    run(bench, "cbh1-a1", script)
    assert 2_900_000 < bench.world.wait_for_call(B).talk_microseconds < 3_300_000
    assert bench.world.wait_for_call(A).over


def test_without_a_switch_triggers_are_refused_and_legs_end(running: Any) -> None:
    """F22: the switch is not there; nothing is dialled, nobody waits."""
    from world.ports import free_port

    running.world.reset()
    dialplan = running.asterisk.layout.etc / "extensions.conf"
    text = dialplan.read_text()
    try:
        dialplan.write_text(text.replace(f":{running.switch.port}/", f":{free_port()}/"))
        running.asterisk.command("dialplan reload")
        running.manager.events.clear()
        running.world.phone(A, *STAYS)
        started = time.monotonic()
        running.manager.originate("cbh2-a1", A, "alpha")
        running.manager.wait_for("Hangup", 3, Uniqueid="cbh2-a1")
        assert time.monotonic() - started < 3
        assert running.world.rings(did=DID, caller="44", seconds=4).codes == (100, 180, 486)
    finally:
        dialplan.write_text(text)
        running.asterisk.command("dialplan reload")
