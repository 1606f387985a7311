"""Strangers and faults: whatever is sent to the switch, calls go on and are billed right.

Each test has a good call in talk meanwhile, and holds its bill against the far phone's own log.
"""

import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from decimal import Decimal
from typing import Any

import pytest
from callers import dials, keyed
from town import D1, Town, Traveller

from calls.callback import Callback, State
from calls.cdr import LegRole
from rating.plan import ALegPolicy
from store import admissions, ledger
from store.admissions import TriggerRecord
from store.verify import verify
from world.scripts import Answers, HangsUp, Keys, Talks, TalksUntilHungUp, Waits
from world.sip import escaped, quoted

pytestmark = [pytest.mark.real_asterisk, pytest.mark.timeout(180)]
BY_THE_SECOND: dict[str, Any] = {
    "a_leg_policy": ALegPolicy.FREE,
    "first_increment_s": 1,
    "next_increment_s": 1,
}
CLOCKS_AGREE_SECONDS = 0.1
"""The machine is busy with what is thrown at it; tests of the clock itself are stricter."""
ANSWER_SECONDS_MAX = 8.0
"""The AGI server waits 5 s for an environment."""
STRANGER = b"+442079470997"
HOSTILE: dict[str, bytes] = {
    "quotes": b'"' + STRANGER + b"\"';--",
    "CR LF": STRANGER + b"\r\n\r\nAction: Originate\r\nChannel: PJSIP/61255500123@alpha\r\n\r\n",
    "ampersand": STRANGER + b"&PJSIP/61255500123@alpha",
    "variable": STRANGER + b"${SHELL(touch injected)}${EXTEN}",
    "expression": b"$[1+1]," + STRANGER + b")|(",
    "NUL": STRANGER + b"\x00EXEC Dial PJSIP/61255500123@alpha",
    "not ASCII": STRANGER + "\u0664\u00fc\U0001f4de".encode(),
    "not UTF-8": STRANGER + b"\xff\xfe\x80",
    "percent": STRANGER + b"%0A%00%s%n",
    "SQL": STRANGER + b"'); DROP TABLE callbacks; --",
    "empty": b"",
}
LEFT_OUT = str.maketrans("", "", "()'!*")
"""Left out by the dialplan, where they would move the arguments behind them (docs/DIALPLAN.md)."""
LONG = 60_000


class GoodCall:
    """A call in talk, for the time of a test."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self.sam = town.traveller(**BY_THE_SECOND)
        self._others = town.traveller(**BY_THE_SECOND)

    @property
    def other_did(self) -> str:
        """A trigger number that nobody of this call rings."""
        return self._others.did

    def begin(self, seconds: float, then: float = 5) -> None:
        """The destination talks for so long and hangs up; the subscriber stays a while.

        And half a second more: no clock decides then on which side of a whole second it ends.
        """
        seconds += 0.5
        self._town.world.phone(D1, Answers(), Talks(seconds=seconds), HangsUp())
        dials(self._town, self.sam, D1, Waits(seconds + then), HangsUp())
        self._town.wait_for_state(self.sam, State.TALKING)

    def check(self, seconds: float = 60) -> Callback:
        """It ended as if nothing had been: billed once, by the far phone's own seconds."""
        town = self._town
        callback = town.wait_for_end(self.sam, seconds=seconds)
        assert callback.state is State.COMPLETED
        (far,) = town.world.calls(D1)
        (record,) = (each for each in town.records_of(self.sam) if each.cdr.role is LegRole.B)
        assert record.cdr.answered_at is not None
        assert not record.cdr.estimated
        measured = (record.cdr.hung_up_at - record.cdr.answered_at).total_seconds()
        assert abs(measured - far.talk_microseconds / 1e6) < CLOCKS_AGREE_SECONDS
        assert record.charge is not None
        assert record.charge.billed_seconds == -(-far.talk_microseconds // 1_000_000)
        assert town.balance_of(self.sam) == -record.charge.amount
        entries = town.database.read("entries", ledger.list_entries, account_id=self.sam.account_id)
        assert len(entries) == 1
        assert town.database.read("verify", verify) == ()
        # Nobody else was rung by whatever was sent meanwhile.
        rung = sorted(call.number for call in town.world.calls(incoming=True))
        assert rung == sorted([self.sam.number.lstrip("+"), D1.lstrip("+")])
        return callback


@pytest.fixture
def good_call(town: Town) -> GoodCall:
    return GoodCall(town)


def records(town: Town, did: str) -> list[TriggerRecord]:
    """What was written down of rings at that number."""
    found = town.database.read("triggers", admissions.list_triggers, last=1000)
    return [each for each in found if each.did_raw.lstrip("+") == did.lstrip("+")]


def rings_with(town: Town, did: str, callers: Mapping[str, tuple[bytes, bytes]]) -> None:
    """Each (number, name) rings once, all together; none is answered."""
    lines = {
        what: town.world.starts_ringing(did=did, caller=number, name=name, seconds=1)
        for what, (number, name) in callers.items()
    }
    for what, line in lines.items():
        assert not line.heard().answered, what


def test_hostile_caller_numbers_are_written_down_as_text_and_do_nothing(
    town: Town, good_call: GoodCall
) -> None:
    good_call.begin(8)
    rings_with(town, good_call.other_did, {what: (escaped(raw), b"x") for what, raw in HOSTILE.items()})
    town.wait_until(lambda: len(records(town, good_call.other_did)) >= len(HOSTILE) - 1)
    found = records(town, good_call.other_did)
    assert {each.outcome for each in found} == {"refused"}
    written = {each.caller_raw for each in found}
    for what in ("quotes", "CR LF", "ampersand", "variable", "expression", "not ASCII", "percent", "SQL"):
        whole = HOSTILE[what].decode().translate(LEFT_OUT)
        assert any(each and whole.startswith(each) for each in written), (what, written)
    assert not any(town.stage.folder.rglob("injected"))
    good_call.check()


def test_hostile_caller_names_do_nothing(town: Town, good_call: GoodCall) -> None:
    good_call.begin(8)
    number = escaped(STRANGER)
    # A line end cannot stand between quotes: the SIP parser drops it. All other bytes can.
    names = {what: (number, quoted(raw.replace(b"\r\n", b" "))) for what, raw in HOSTILE.items()}
    rings_with(town, good_call.other_did, names)
    town.wait_until(lambda: records(town, good_call.other_did))
    assert {each.reason for each in records(town, good_call.other_did)} <= {"unknown_caller"}
    assert not any(town.stage.folder.rglob("injected"))
    good_call.check()


def test_numbers_and_names_of_64_kilobytes_do_nothing(town: Town, good_call: GoodCall) -> None:
    good_call.begin(8)
    number = escaped(STRANGER)
    rings_with(
        town,
        good_call.other_did,
        {
            "long number": (b"9" * LONG, b"x"),
            "long name": (number, b"x" * LONG),
            "long hostile name": (number, b"${A}&" * (LONG // 5)),
            "3 KB number": (b"9" * 3000, b"x"),
            "3 KB name": (number, b"n" * 3000),
        },
    )
    good_call.check()
    assert all(len(each.caller_raw) <= 64 for each in records(town, good_call.other_did))


def test_a_stranger_cannot_borrow_a_subscribers_number_by_writing_more_behind_it(
    town: Town, good_call: GoodCall
) -> None:
    good_call.begin(8)
    victim = town.traveller()
    town.world.phone(victim.number, Answers(), TalksUntilHungUp())
    tails = {
        "quote": b'"',
        "line end": b"\r\nX: y",
        "variable": b"${X}",
        "ampersand": b"&1",
        "letters": b"abc",
    }
    rings_with(
        town,
        victim.did,
        {what: (escaped(victim.number.encode() + tail), b"") for what, tail in tails.items()},
    )
    town.wait_until(lambda: len(records(town, victim.did)) == len(tails))
    assert {each.outcome for each in records(town, victim.did)} == {"refused"}
    assert town.callbacks_of(victim) == ()
    good_call.check()


# AGI


def environment(leg_id: str, script: str) -> bytes:
    """What Asterisk would say of that leg's channel."""
    lines = {
        "agi_network": "yes",
        "agi_network_script": script,
        "agi_request": f"agi://127.0.0.1/{script}",
        "agi_uniqueid": leg_id,
        "agi_channel": "PJSIP/alpha-00000001",
        "agi_context": "dialback-ivr",
        "agi_extension": "s",
        "agi_priority": "1",
        "agi_accountcode": leg_id,
    }
    return "".join(f"{name}: {value}\n" for name, value in lines.items()).encode() + b"\n"


@contextmanager
def agi_line(town: Town) -> Iterator[socket.socket]:
    """A connection to the switch's AGI port."""
    agi = town.stage.settings.agi
    with socket.create_connection((agi.host, agi.port), timeout=ANSWER_SECONDS_MAX) as line:
        yield line


def said_until_closed(line: socket.socket) -> bytes:
    """All that the switch says before it closes; TimeoutError if it does not."""
    said = b""
    try:
        while data := line.recv(65536):
            said += data
    except ConnectionError:
        pass  # closed at once, with our bytes unread
    return said


def send_all(line: socket.socket, data: bytes) -> None:
    """Send as much as the switch will take."""
    with suppress(OSError):  # it may have closed already
        line.sendall(data)


def test_agi_clients_that_send_rubbish_are_closed_and_the_call_in_talk_goes_on(
    town: Town, good_call: GoodCall
) -> None:
    good_call.begin(12)
    leg_a = town.callback_of(good_call.sam).leg_a
    assert leg_a is not None
    sent = {
        "nothing": b"",
        "half a line": b"agi_network: y",
        "garbage": bytes(range(256)) * 16 + b"\n\n",
        "1 MB in one line": b"x" * 1_000_000,
        "1 MB of lines": b"agi_x: y\n" * 110_000,
        "not AGI": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "a forged token": environment(leg_a.id, f"ivr/{leg_a.id}/{'0' * 32}"),
        "no token": environment(leg_a.id, f"ivr/{leg_a.id}"),
        "a forged trigger": environment("1.1", f"trigger/{'0' * 32}"),
        "another script": environment("1.1", "../../etc/passwd"),
    }
    began = time.monotonic()
    with ExitStack() as stack:
        lines = {what: stack.enter_context(agi_line(town)) for what in sent}
        for what, data in sent.items():
            send_all(lines[what], data)
        for what, line in lines.items():
            assert said_until_closed(line) == b"", what
    assert time.monotonic() - began < ANSWER_SECONDS_MAX
    good_call.check()


def test_a_flood_of_silent_agi_clients_keeps_no_caller_waiting(town: Town, good_call: GoodCall) -> None:
    with ExitStack() as stack:
        for _ in range(400):
            stack.enter_context(agi_line(town))
        good_call.begin(4)  # its trigger and its dialog are AGI sessions too
    good_call.check()


# AMI


def kick(town: Town) -> int:
    """Cut the switch's AMI session from Asterisk's side; how many were cut."""
    assert town.stage.asterisk is not None
    shown = town.stage.asterisk.command("manager show connected")
    descriptors = re.findall(r"^\s*dialback\s.*\s(\d+)\s+\d+\s+\d+\s+\d+\s*$", shown, re.MULTILINE)
    for descriptor in descriptors:
        town.stage.asterisk.command(f"manager kick session {descriptor}")
    return len(descriptors)


def losses(town: Town) -> int:
    """How often the switch has lost AMI so far."""
    return town.stage.switch_log.read_text(errors="replace").count('"AMI connection lost"')


def logins(town: Town) -> int:
    """How often the switch has logged in to AMI so far."""
    return town.stage.switch_log.read_text(errors="replace").count('"logged in to AMI"')


@contextmanager
def flapping(town: Town) -> Iterator[None]:
    """AMI is cut again and again, as soon as the switch has logged in."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(0.3):
            kick(town)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_call_in_talk_survives_the_loss_of_ami_and_is_billed_once(town: Town, good_call: GoodCall) -> None:
    good_call.begin(8)
    before, lost = logins(town), losses(town)
    assert kick(town) == 1
    town.wait_until(lambda: logins(town) > before, 10, "a new login")
    assert losses(town) == lost + 1
    assert town.callback_of(good_call.sam).state is State.TALKING
    good_call.check()


def test_hang_ups_that_ami_never_told_are_found_and_billed_once(town: Town, good_call: GoodCall) -> None:
    good_call.begin(5, then=0)
    lost = losses(town)
    with flapping(town):
        town.world.wait_for_call(good_call.sam.number)
        town.world.wait_for_call(D1)
        time.sleep(1)
    assert losses(town) >= lost + 2
    good_call.check()


def test_a_destinations_hang_up_that_ami_never_told_lets_the_subscriber_key_on(
    town: Town, good_call: GoodCall
) -> None:
    good_call.begin(5, then=12)
    with flapping(town):
        town.world.wait_for_call(D1)
        time.sleep(0.5)
    town.wait_for_state(good_call.sam, State.COLLECTING, seconds=10)
    good_call.check()


def test_a_call_whose_ami_flaps_from_its_first_ring_to_its_end_is_made_and_billed_once(
    town: Town, good_call: GoodCall
) -> None:
    lost = losses(town)
    town.world.phone(D1, Answers(after=2), Talks(seconds=4.5), HangsUp())
    sam = good_call.sam
    town.world.phone(sam.number, Answers(after=3), Keys(keyed(D1), after=3), Waits(10), HangsUp())
    town.ring(sam)
    town.world.wait_for(lambda: town.world.originations(sam.number) == 1, 10, "the call to the subscriber")
    with flapping(town):
        town.world.wait_for_call(sam.number, seconds=60)
    assert losses(town) >= lost + 5
    good_call.check()


def test_a_manager_reload_in_talk_changes_nothing(town: Town, good_call: GoodCall) -> None:
    good_call.begin(5)
    assert town.stage.asterisk is not None
    town.stage.asterisk.command("manager reload")
    good_call.check()


def test_after_all_that_a_plain_call_is_made_as_ever(town: Town) -> None:
    sam: Traveller = town.traveller(**BY_THE_SECOND)
    town.world.phone(D1, Answers(), Talks(seconds=1.5), HangsUp())
    dials(town, sam, D1, Waits(4), HangsUp())
    assert town.wait_for_end(sam).state is State.COMPLETED
    assert town.balance_of(sam) == Decimal("-0.0080")
