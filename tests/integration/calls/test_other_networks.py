"""Telephone networks other than the world's: how they write numbers, send keys, answer, refuse.

Calls that do not touch one another are made at once, by a fixture; each test then reads its own.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from callers import at_once, keyed
from networks import HEADER, Habits, Networks, add_deck, line_with, networks
from town import CLERK, RETAIL, NotInTime

from calls.callback import Callback, State
from calls.cdr import Disposition, LegRole
from pbx.installation import Installation
from rating.deckfile import read_deck
from rating.plan import ALegPolicy
from store import admissions, decks
from store.cdrs import CallRecord
from store.database import Connection
from store.verify import verify
from world.handmade import FarCall, Part
from world.handwriting import Login
from world.scripts import Answers, HangsUp, Talks
from world.sip import Invitation, throw

pytestmark = [pytest.mark.real_asterisk, pytest.mark.timeout(300)]
TERMS: dict[str, Any] = {"a_leg_policy": ALegPolicy.FREE, "first_increment_s": 30, "next_increment_s": 1}
LATELY = datetime(2021, 1, 1, tzinfo=UTC)
FURTHER = ("39,Italy,0.20", "64,New Zealand,0.20", "353,Ireland,0.20")
TWINS_HOST = "127.0.8.60"
INGRESS = ("US", "AU", "DE", "IT")
LOGIN = Login(username="dialback", password="s3cret:, word")
LOGIN_401 = Login(username="+442079460999", password="-", code=401, with_qop=True)
HABITS = (
    Habits(name="wire", prefixes=("44", "61", "1", "39")),
    Habits(
        name="locked",
        prefixes=("49",),
        trunk={"username": LOGIN.username, "password": LOGIN.password},
        carrier={"login": LOGIN},
    ),
    Habits(
        name="locked401",
        prefixes=("64",),
        trunk={"username": LOGIN_401.username, "password": LOGIN_401.password},
        carrier={"login": LOGIN_401},
    ),
    Habits(
        name="barred",  # its password is another: of equal cost it is asked before `wire`
        prefixes=("6126",),
        trunk={"username": LOGIN.username, "password": "forgotten"},
        carrier={"login": LOGIN},
    ),
    Habits(name="euro", prefixes=("44", "352"), currency="EUR"),
    Habits(name="tones", prefixes=("353",), trunk={"dtmf": "inband", "country": "IE"}),
    Habits(
        name="twin1",
        prefixes=("33",),
        trunk={"match": [f"{TWINS_HOST}:PORT"], "prefix": "990"},
        carrier={"host": TWINS_HOST},
    ),
    Habits(
        name="twin2",
        prefixes=("63",),
        trunk={"match": [f"{TWINS_HOST}:PORT"], "plus": True},
        carrier={"host": TWINS_HOST, "answers_options": False},
    ),
    Habits(name="apart", prefixes=("966",), trunk={"match": ["127.0.8.70", "127.0.8.72/31"]}),
    *(Habits(name=f"from-{each.lower()}", prefixes=(), trunk={"country": each}) for each in INGRESS),
)
numbers = itertools.count(100)
AT_ONCE_MAX = 9


@pytest.fixture(scope="module")
def net(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Networks]:
    with networks(installation, tmp_path_factory.mktemp("networks"), HABITS) as running:
        running.town.database.call("further", sell_further)
        yield running
        running.town.wait_until_quiet()


def sell_further(connection: Connection) -> None:
    rows = read_deck([*RETAIL.splitlines(), *FURTHER], currency="USD", effective_at=LATELY).accepted()
    decks.add_version(connection, deck_name="retail", new_rates=rows, effective_at=LATELY, author=CLERK)


def australian() -> str:
    """A destination that no other call has."""
    return f"+6125550{next(numbers):04}"


# --- parts that phones play ----------------------------------------------------------------------------


def keys_then_stays(
    number: str,
    how: str = "rfc4733",
    *,
    agreed: bool | None = None,
    after: float = 1,
    stays: float = 7,
    **times: int,
) -> Part:
    """A subscriber who answers, keys the number and stays on the line; `agreed`: on RFC 4733, in SDP."""

    def part(far: FarCall) -> None:
        far.says(180)
        far.waits(0.3)
        far.answers(events=how in {"rfc4733", "both"} if agreed is None else agreed)
        far.waits(after)
        far.keys(keyed(number), how, **times)
        far.waits(stays)

    return part


def talks(seconds: float) -> Part:
    """A destination that answers, and hangs up after so long."""

    def part(far: FarCall) -> None:
        far.says(180)
        far.waits(0.2)
        far.answers()
        far.waits(seconds)

    return part


def declines(far: FarCall) -> None:
    """A subscriber who answers and hangs up: the shortest callback there is."""
    far.answers()
    far.waits(0.3)


# --- whole callbacks -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One callback to be made: the destination, and what both phones do."""

    number: str
    subscriber: Part
    far: Part
    at: str = "wire"
    dialled: str = ""
    """The number as its carrier is sent it, where that is not its bare digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What became of one callback."""

    callback: Callback
    records: tuple[CallRecord, ...]
    near: tuple[FarCall, ...]
    far: tuple[FarCall, ...]
    balance: Decimal

    @property
    def legs_b(self) -> list[CallRecord]:
        return [each for each in self.records if each.cdr.role is LegRole.B]

    @property
    def leg_b(self) -> CallRecord:
        """The only destination."""
        (found,) = self.legs_b
        return found


def play(net: Networks, scenes: Mapping[str, Scene], **terms: Any) -> dict[str, Made]:
    """Make all these callbacks, each to its end, as many at once as two cores bear with their sound."""
    travellers = {name: net.town.traveller(**{**TERMS, **terms}) for name in scenes}
    made = {}

    def make(name: str) -> None:
        scene, sam = scenes[name], travellers[name]
        net.phone(sam.number, scene.subscriber)
        carrier = net.carriers[scene.at]
        dialled = scene.dialled or scene.number.removeprefix("+")
        carrier.phone(dialled, scene.far)
        net.ring(sam.did, sam.number).heard()
        made[name] = Made(
            callback=net.town.wait_for_end(sam, seconds=90),
            records=tuple(net.town.records_of(sam)),
            near=tuple(net.calls(sam.number)),
            far=tuple(carrier.calls_to(dialled)),
            balance=net.town.balance_of(sam),
        )

    with ThreadPoolExecutor(AT_ONCE_MAX) as pool:
        for done in [pool.submit(make, name) for name in scenes]:
            done.result()
    return made


# --- how numbers are written ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How one carrier writes who calls and who is called."""

    carrier: str
    caller: str
    as_caller: str
    did: str
    as_did: str


WRITTEN = (
    Written(
        carrier="wire",
        caller="+442079460201",
        as_caller="02079460201",
        did="+442079461201",
        as_did="02079461201",
    ),
    Written(
        carrier="wire",
        caller="+442079460202",
        as_caller="00442079460202",
        did="+442079461202",
        as_did="00442079461202",
    ),
    Written(
        carrier="wire",
        caller="+442079460203",
        as_caller="442079460203",
        did="+442079461203",
        as_did="442079461203",
    ),
    Written(
        carrier="wire",
        caller="+442079460204",
        as_caller="+442079460204",
        did="+442079461204",
        as_did="+442079461204",
    ),
    Written(
        carrier="wire",
        caller="+12125550144",
        as_caller="0012125550144",
        did="+442079461205",
        as_did="02079461205",
    ),
    Written(
        carrier="from-us",
        caller="+12125550145",
        as_caller="2125550145",
        did="+12025552201",
        as_did="2025552201",
    ),
    Written(
        carrier="from-us",
        caller="+12125550146",
        as_caller="12125550146",
        did="+12025552202",
        as_did="12025552202",
    ),
    Written(
        carrier="from-us",
        caller="+442079460205",
        as_caller="011442079460205",
        did="+12025552203",
        as_did="+12025552203",
    ),
    Written(
        carrier="from-us",
        caller="+442079460206",
        as_caller="442079460206",
        did="+12025552204",
        as_did="2025552204",
    ),
    Written(
        carrier="from-au",
        caller="+61255502201",
        as_caller="0255502201",
        did="+61255503201",
        as_did="0255503201",
    ),
    Written(
        carrier="from-au",
        caller="+442079460207",
        as_caller="0011442079460207",
        did="+61255503202",
        as_did="61255503202",
    ),
    Written(
        carrier="from-de",
        caller="+493020602201",
        as_caller="03020602201",
        did="+493020603201",
        as_did="03020603201",
    ),
    Written(
        carrier="from-de",
        caller="+493020602202",
        as_caller="493020602202",
        did="+493020603202",
        as_did="00493020603202",
    ),
    Written(
        carrier="from-it",
        caller="+390669812201",
        as_caller="0669812201",
        did="+390669813201",
        as_did="0669813201",
    ),
    Written(
        carrier="from-it",
        caller="+390669812202",
        as_caller="390669812202",
        did="+390669813202",
        as_did="390669813202",
    ),
    Written(
        carrier="from-it",
        caller="+393331234567",
        as_caller="3331234567",
        did="+390669813203",
        as_did="+390669813203",
    ),
)


@pytest.fixture(scope="module")
def rung_back(net: Networks) -> dict[Written, list[str]]:
    """Whom the switch called back after a ring so written, by the digits in its INVITEs."""
    lines = {each: line_with(net.town, each.caller, each.did) for each in WRITTEN}

    def ring(each: Written) -> list[str]:
        carriers = ("wire", "locked")
        for name in carriers:
            net.phone(each.caller, declines, at=name)
        net.ring(each.as_did, each.as_caller, at=each.carrier).heard()
        try:
            net.town.wait_for_end(lines[each], seconds=15)
        except NotInTime:
            return []
        return [call.number for name in carriers for call in net.calls(each.caller, at=name)]

    found: dict[Written, list[str]] = {}
    at_once(WRITTEN, lambda each: found.update({each: ring(each)}))
    return found


@pytest.mark.parametrize(
    "written", WRITTEN, ids=lambda each: f"{each.carrier} {each.as_caller} {each.as_did}"
)
def test_F001_a_ring_is_known_however_its_carrier_writes_both_numbers(
    rung_back: dict[Written, list[str]], written: Written
) -> None:
    assert rung_back[written] == [written.caller.removeprefix("+")]


ODD: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a caller with the verdict on his number": ("{caller};verstat=TN-Validation-Passed", "{did}", {}),
    "numbers with parameters of portability": ("{caller};npdi", "{did};npdi;rn=+12025550000", {}),
    "a caller with visual separators": ("+44-20-7946-{tail}", "{did}", {}),
    "a network that asserts who calls": (
        "anonymous",
        "{did}",
        {"headers": (b"P-Asserted-Identity: <sip:CALLER@carrier.example>",)},
    ),
    "a network that asserts a telephone URI": (
        "0000",
        "{did}",
        {"headers": (b"P-Asserted-Identity: <tel:CALLER>",)},
    ),
    "a Remote-Party-ID": (
        "0000",
        "{did}",
        {"headers": (b"Remote-Party-ID: <sip:CALLER@carrier.example>;party=calling;privacy=off",)},
    ),
    "no offer in the INVITE": ("{caller}", "{did}", {"body": b""}),
    "a demand for reliable responses": ("{caller}", "{did}", {"headers": (b"Require: 100rel",)}),
    "the user=phone parameter": (
        "{caller}",
        "{did}",
        {"from_line": b"From: <sip:CALLER@carrier.example;user=phone>;tag=1"},
    ),
    "a telephone URI in From": ("{caller}", "{did}", {"from_line": b"From: <tel:CALLER>;tag=1"}),
}


@pytest.fixture(scope="module")
def rung_oddly(net: Networks) -> dict[str, bool]:
    """Whether the switch called back after a ring of that kind."""
    lines = {
        how: line_with(net.town, f"+44207946{number}", f"+44207947{number}")
        for number, how in enumerate(ODD, start=1101)
    }

    def ring(how: str) -> bool:
        sam, (caller, did, odd) = lines[how], ODD[how]
        net.phone(sam.number, declines)
        words = {"caller": sam.number, "did": sam.did, "tail": sam.number[-4:]}
        filled = {name: _named(value, sam.number) for name, value in odd.items()}
        net.ring(did.format(**words), caller.format(**words), **filled).heard()
        try:
            net.town.wait_for_end(sam, seconds=10)
        except NotInTime:
            return False
        return len(net.calls(sam.number)) == 1

    found: dict[str, bool] = {}
    at_once(ODD, lambda how: found.update({how: ring(how)}))
    return found


def _named(value: Any, caller: str) -> Any:
    if isinstance(value, tuple):
        return tuple(_named(each, caller) for each in value)
    return value.replace(b"CALLER", caller.encode())


@pytest.mark.parametrize("how", ODD)
def test_F001_a_ring_is_known_however_its_invite_is_written(rung_oddly: dict[str, bool], how: str) -> None:
    assert rung_oddly[how]


# --- keys ----------------------------------------------------------------------------------------------

KEYS: dict[str, tuple[str, dict[str, Any]]] = {
    "RFC 4733": ("rfc4733", {}),
    "RFC 4733, keys of 40 ms": ("rfc4733", {"milliseconds": 40, "gap": 40}),
    "RFC 4733, keys of 600 ms": ("rfc4733", {"milliseconds": 600, "gap": 100}),
    "RFC 4733, as soon as the prompt plays": ("rfc4733", {"after": 0.4}),
    "tones where RFC 4733 was not agreed on": ("inband", {}),
    "tones of 60 ms": ("inband", {"milliseconds": 60, "gap": 60}),
    "tones, long": ("inband", {"milliseconds": 400, "gap": 100}),
    "RFC 4733 and tones at once": ("both", {}),
    "INFO, application/dtmf-relay": ("info", {}),
    "INFO, application/dtmf": ("info-short", {}),
    "INFO where RFC 4733 was agreed on": ("info", {"agreed": True}),
}


@pytest.fixture(scope="module")
def keyed_so(net: Networks) -> dict[str, Made]:
    scenes = {}
    for name, (how, options) in KEYS.items():
        number = australian()
        scenes[name] = Scene(number=number, subscriber=keys_then_stays(number, how, **options), far=talks(1))
    return play(net, scenes)


@pytest.mark.parametrize("how", KEYS)
def test_F042_a_number_reaches_us_however_the_carrier_sends_keys(keyed_so: dict[str, Made], how: str) -> None:
    made = keyed_so[how]
    assert made.callback.state is State.COMPLETED
    assert len(made.far) == 1


def test_F042_tones_count_where_a_trunk_is_told_that_its_carrier_sends_nothing_else(net: Networks) -> None:
    """Its SDP agrees to RFC 4733 all the same, as gateways do that were never asked."""
    number = australian()
    sam = line_with(net.town, "+35315550101", "+35315550999")
    net.phone(sam.number, keys_then_stays(number, "inband", agreed=True), at="tones")
    net.phone(number, talks(1))
    net.ring(sam.did, sam.number, at="tones").heard()
    assert net.town.wait_for_end(sam, seconds=40).state is State.COMPLETED
    assert len(net.calls(number)) == 1


# --- how calls are answered ----------------------------------------------------------------------------


def early_sound(far: FarCall) -> None:
    far.says(183, sound=True)
    far.waits(1)
    far.answers()
    far.waits(2)


def rings_then_sound(far: FarCall) -> None:
    far.says(180)
    far.waits(0.5)
    early_sound(far)


def sound_then_rings(far: FarCall) -> None:
    far.says(183, sound=True)
    far.waits(0.5)
    far.says(180)
    far.waits(0.5)
    far.answers()
    far.waits(2)


def answers_at_once(far: FarCall) -> None:
    far.answers()
    far.waits(2)


def forks(far: FarCall) -> None:
    far.says(180, tag="one")
    far.waits(0.3)
    far.says(183, sound=True, tag="two")
    far.waits(0.5)
    far.answers()
    far.waits(2)


def rings_reliably(far: FarCall) -> None:
    far.says(183, sound=True, headers=(b"Require: 100rel", b"RSeq: 1"))
    far.waits(0.5)
    assert "PRACK" in far.requests
    far.answers()
    far.waits(2)


def wants_longer_sessions(far: FarCall) -> None:
    far.sends_back(422, b"Min-SE: 3600")
    far.says(180)
    far.answers()
    far.waits(2)


def answers_late(far: FarCall) -> None:
    far.says(180)
    far.waits(9)
    far.answers()
    far.waits(2)


def answers_and_leaves(far: FarCall) -> None:
    far.says(180)
    far.answers()


def leaves_before_the_ack(far: FarCall) -> None:
    """What RFC 3261 15.1.1 forbids and networks do: Asterisk has the BYE before it has read the answer."""
    far.says(180)
    far.answers(awaited=False)


def sends_no_sound(far: FarCall) -> None:
    far.says(180)
    far.answers(silent=True)
    far.waits(3)


def holds_and_refreshes(far: FarCall) -> None:
    far.says(180)
    far.answers()
    for direction in ("sendonly", "sendrecv", "inactive", "sendrecv"):
        far.waits(0.6)
        far.changes_media(direction, (b"Supported: timer", b"Session-Expires: 1800;refresher=uac"))
    far.waits(0.6)
    far.asks("UPDATE", headers=(b"Session-Expires: 1800;refresher=uac", b"Supported: timer", far.contact))
    far.asks("OPTIONS")
    far.waits(0.6)


ANSWERED: dict[str, tuple[Part, int]] = {
    "183 with sound, then 200": (early_sound, 2),
    "180, 183 with sound, 200": (rings_then_sound, 2),
    "183 with sound, 180, 200": (sound_then_rings, 2),
    "200 without any ringing": (answers_at_once, 2),
    "a fork: 180 and 183 of others, then 200": (forks, 2),
    "183 that wants to be acknowledged": (rings_reliably, 2),
    "422, then 200": (wants_longer_sessions, 2),
    "200 after nine seconds": (answers_late, 2),
    "200 and BYE in one breath": (answers_and_leaves, 0),
    "no sound ever": (sends_no_sound, 3),
    "hold, resume, session refresh": (holds_and_refreshes, 3),
}


BREATHS = ("first", "second", "third", "fourth")
"""Which of the two Asterisk stamps first is chance, so it is tried more than once."""


@pytest.fixture(scope="module")
def answered_so(net: Networks) -> dict[str, Made]:
    scenes = {}
    for name, (part, _) in ANSWERED.items():
        number = australian()
        scenes[name] = Scene(number=number, subscriber=keys_then_stays(number, stays=14), far=part)
    for name, begins in (("early A", early_then_keys), ("quick A", quick_then_keys)):
        number = australian()
        scenes[name] = Scene(number=number, subscriber=begins(number), far=talks(2))
    for name in BREATHS:
        number = australian()
        subscriber = keys_then_stays(number, stays=10)
        scenes[name] = Scene(number=number, subscriber=subscriber, far=leaves_before_the_ack)
    return play(net, scenes)


def early_then_keys(number: str) -> Part:
    def part(far: FarCall) -> None:
        far.says(183, sound=True)
        far.waits(1)
        far.says(180)
        quick_then_keys(number)(far)

    return part


def quick_then_keys(number: str) -> Part:
    def part(far: FarCall) -> None:
        far.answers()
        far.waits(1)
        far.keys(keyed(number))
        far.waits(7)

    return part


@pytest.mark.parametrize("how", [*ANSWERED, "early A", "quick A"])
def test_F046_a_destination_is_billed_once_from_its_200_however_it_answers(
    answered_so: dict[str, Made], how: str
) -> None:
    made = answered_so[how]
    assert made.callback.state is State.COMPLETED
    (far,) = made.far
    assert far.answered_at is not None
    assert far.ended_at is not None
    record = made.leg_b
    assert record.cdr.disposition is Disposition.ANSWERED
    assert record.cdr.answered_at is not None
    assert abs((record.cdr.answered_at - far.answered_at).total_seconds()) < 0.2
    assert abs((record.cdr.hung_up_at - far.ended_at).total_seconds()) < 0.2
    assert record.charge is not None
    assert record.charge.billed_seconds == 30
    assert made.balance == Decimal("-0.1200")
    assert not [code for code, method in far.replies if code >= 300 and method != "BYE"]


@pytest.mark.parametrize("breath", BREATHS)
def test_F046_an_answer_is_billed_though_asterisk_reads_it_after_the_hang_up(
    answered_so: dict[str, Made], breath: str
) -> None:
    made = answered_so[breath]
    assert made.callback.state is State.COMPLETED
    assert made.leg_b.cdr.disposition is Disposition.ANSWERED
    assert made.leg_b.charge is not None
    assert made.leg_b.charge.billed_seconds == 30
    assert made.balance == Decimal("-0.1200")


def test_F041_after_200_and_bye_in_one_breath_the_next_number_is_asked_for(net: Networks) -> None:
    first, second = australian(), australian()

    def keys_twice(far: FarCall) -> None:
        far.answers()
        far.waits(1)
        far.keys(keyed(first))
        far.waits(4)
        far.keys(keyed(second))
        far.waits(6)

    net.phone(second, talks(1))
    made = play(net, {"": Scene(number=first, subscriber=keys_twice, far=answers_and_leaves)})[""]
    assert [str(each.cdr.number) for each in made.legs_b] == [first, second]
    assert [each.charge.billed_seconds for each in made.legs_b if each.charge] == [30, 30]


def test_F038_who_hangs_up_at_any_instant_before_or_at_the_answer_is_billed_once_at_most(
    net: Networks,
) -> None:
    pairs = {delay: threading.Event() for delay in (0.0, 0.002, 0.01, 0.03, 0.08)}

    def keys_then_leaves(number: str, delay: float) -> Part:
        def part(far: FarCall) -> None:
            far.answers()
            far.waits(1)
            far.keys(keyed(number))
            assert pairs[delay].wait(10)
            far.waits(delay)

        return part

    def answers(delay: float) -> Part:
        def part(far: FarCall) -> None:
            far.says(180)
            far.waits(1)
            pairs[delay].set()
            far.answers()
            far.until_hung_up()

        return part

    def rings_long(far: FarCall) -> None:
        far.says(180)
        far.waits(3)  # however busy the machine is, the subscriber has left by then
        far.answers()
        far.until_hung_up()

    scenes = {}
    for delay in pairs:
        number = australian()
        subscriber = keys_then_leaves(number, delay)
        scenes[str(delay)] = Scene(number=number, subscriber=subscriber, far=answers(delay))
    leaving = {}
    for delay in (0.0, 0.01, 0.02, 0.04, 0.08, 0.15):
        number = australian()
        leaving[f"leaves {delay}"] = Scene(
            number=number, subscriber=keys_then_stays(number, stays=delay), far=rings_long
        )
    all_made = play(net, {**scenes, **leaving})
    for name in leaving:
        (near,) = all_made[name].near
        ended_at = all_made[name].callback.ended_at
        assert near.ended_at is not None
        assert ended_at is not None
        assert ended_at - near.ended_at < timedelta(seconds=3)
        assert all_made[name].balance == 0
    for made in (all_made[name] for name in scenes):
        (far,) = made.far
        assert far.ended_at is not None
        assert made.balance in {Decimal(0), Decimal("-0.1200")}
        assert made.callback.state in {State.COMPLETED, State.ABANDONED}
    net.town.wait_until_quiet()
    assert net.town.database.read("verify", verify) == ()


def test_F120_a_subscriber_whose_network_fails_after_183_may_have_been_rung_and_is_not_rung_again(
    net: Networks,
) -> None:
    def rings_in_sound_then_fails(far: FarCall) -> None:
        far.says(183, sound=True)
        far.waits(1)
        far.refuse(503)

    def fails(far: FarCall) -> None:
        far.refuse(503)

    twice, once = net.town.traveller(**TERMS), net.town.traveller(**TERMS)
    for sam, part in ((once, rings_in_sound_then_fails), (twice, fails)):
        net.phone(sam.number, part)
        net.ring(sam.did, sam.number).heard()
    for sam, attempts in ((once, 1), (twice, 2)):
        callback = net.town.wait_for_end(sam)
        assert callback.state is State.FAILED
        assert len(callback.legs) == attempts


# --- how calls are refused -----------------------------------------------------------------------------

FINAL = {
    401: Disposition.REJECTED,  # Asterisk gives one cause for 401, 403 and 407, and that of 480 for 483
    403: Disposition.REJECTED,
    404: Disposition.UNOBTAINABLE,
    407: Disposition.REJECTED,
    410: Disposition.UNOBTAINABLE,
    480: Disposition.NO_ANSWER,
    483: Disposition.NO_ANSWER,
    484: Disposition.UNOBTAINABLE,
    486: Disposition.BUSY,
    600: Disposition.BUSY,
    603: Disposition.REJECTED,
    604: Disposition.UNOBTAINABLE,
}
NEXT = (408, 482, 488, 500, 501, 502, 503, 504, 606)


@pytest.fixture(scope="module")
def refused_with(net: Networks) -> dict[str, Made]:
    scenes = {}
    for code in (*FINAL, *NEXT):
        number = australian()
        net.town.world.phone(number, Answers(), Talks(seconds=1), HangsUp())
        refuses = partial(FarCall.refuse, code=code)
        scenes[str(code)] = Scene(number=number, subscriber=keys_then_stays(number), far=refuses)
    return play(net, scenes)


@pytest.mark.parametrize("code", FINAL)
def test_F044_what_the_destination_says_is_final_and_free(refused_with: dict[str, Made], code: int) -> None:
    made = refused_with[str(code)]
    record = made.leg_b
    assert record.cdr.disposition is FINAL[code]
    assert (record.charge, record.cost, made.balance) == (None, None, Decimal(0))
    assert made.callback.state is State.ABANDONED


@pytest.mark.parametrize("code", NEXT)
def test_F045_what_the_carrier_says_makes_the_next_one_try(refused_with: dict[str, Made], code: int) -> None:
    made = refused_with[str(code)]
    first, second = made.legs_b
    assert (first.cdr.trunk, first.charge, first.cost) == ("wire", None, None)
    assert (second.cdr.trunk, second.cdr.disposition) == ("alpha", Disposition.ANSWERED)
    assert made.balance == Decimal("-0.1200")
    assert made.callback.state is State.COMPLETED


def test_F044_a_403_after_a_login_is_taken_for_the_destinations_word_and_costs_nothing(net: Networks) -> None:
    number = "+61262001234"
    made = play(net, {"": Scene(number=number, subscriber=keys_then_stays(number), far=talks(1))})[""]
    assert (made.leg_b.cdr.trunk, made.leg_b.cdr.disposition) == ("barred", Disposition.REJECTED)
    assert (made.leg_b.charge, made.balance) == (None, Decimal(0))


# --- how trunks are set up -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sent_through(net: Networks) -> dict[str, Made]:
    def scene(number: str, at: str, dialled: str = "") -> Scene:
        part = keys_then_stays(number)
        return Scene(number=number, subscriber=part, far=talks(2), at=at, dialled=dialled)

    scenes = {
        "a login": scene("+493020609001", "locked"),
        "a login after 401, with qop": scene("+6493660901", "locked401"),
        "a prefix": scene("+33199001234", "twin1", "99033199001234"),
        "a plus": scene("+63281234567", "twin2", "+63281234567"),
        "another address": scene("+966112345678", "apart"),
    }
    return play(net, scenes)


@pytest.mark.parametrize(
    "what", ["a login", "a login after 401, with qop", "a prefix", "a plus", "another address"]
)
def test_F045_a_carrier_gets_calls_in_the_form_that_it_wants(
    sent_through: dict[str, Made], what: str
) -> None:
    made = sent_through[what]
    assert made.callback.state is State.COMPLETED
    assert len(made.far) == 1
    assert made.leg_b.cdr.disposition is Disposition.ANSWERED


@pytest.mark.parametrize("name", ["twin1", "twin2"])
def test_F001_carriers_on_one_address_are_told_apart_by_their_port(net: Networks, name: str) -> None:
    sam = net.town.traveller(**TERMS)
    net.phone(sam.number, declines)
    codes = net.carriers[name].rings(
        Invitation(number=sam.did, caller=sam.number), to=net.town.world.switch_sip
    )
    assert 180 in codes
    net.town.wait_for_end(sam)
    found = net.town.database.read("triggers", admissions.list_triggers, last=1000)
    (record,) = [each for each in found if each.did_raw.lstrip("+") == sam.did.lstrip("+")]
    assert record.trunk == name


@pytest.mark.parametrize("host", ["127.0.8.70", "127.0.8.72", "127.0.8.73"])
def test_F001_a_carrier_may_ring_from_other_addresses_than_it_is_rung_at(net: Networks, host: str) -> None:
    sam = net.town.traveller(**TERMS)
    net.phone(sam.number, declines)
    assert net.ring(sam.did, sam.number, from_host=host).heard().rang
    net.town.wait_for_end(sam)


def test_a_ring_from_an_address_that_no_trunk_names_is_refused_unheard(net: Networks) -> None:
    sam = net.town.traveller(**TERMS)
    heard = net.ring(sam.did, sam.number, at="apart").heard()
    assert heard.final_code in {401, 403}
    assert net.town.callbacks_of(sam) == ()


# --- other rate decks ----------------------------------------------------------------------------------

ODD_COLUMNS = "prefix,destination,rate_per_min,first_increment,next_increment,connect_fee"
ODD_DECK = f"""{ODD_COLUMNS},effective_date,end_date,status
4,Europe,0.50,60,60,,,,
61,Australia,0.24,60,60,,,,
612557,Sydney,0.30,1,1,,,,
6125571,Sydney with a fee,0.30,6,6,0.05,,,
6125572,Sydney by 30,0.30,30,6,,,,
6125573,Sydney closed,0.30,1,1,,,,blocked
6125574001,One exchange,0.12,1,1,,,,
6125575,Sydney as it was,0.90,60,60,,2020-02-01,2021-01-01,
6125576,Sydney as it will be,0.90,60,60,,2099-01-01,,
"""
PRICED: dict[str, tuple[str, int, str]] = {
    "by the minute, on a short prefix": ("+61255801001", 60, "0.2400"),
    "by the second": ("+61255701001", 2, "0.0100"),
    "by six seconds, with a fee": ("+61255711001", 6, "0.0800"),
    "at least thirty seconds": ("+61255721001", 30, "0.1500"),
    "by a prefix of ten digits": ("+61255740011", 2, "0.0040"),
    "by the shorter prefix where a row has ended": ("+61255751001", 2, "0.0100"),
    "by the shorter prefix where a row is not yet in force": ("+61255761001", 2, "0.0100"),
}
CLOSED = "+61255731001"
IN_EUR = "+35226123456"


@pytest.fixture(scope="module")
def priced_by(net: Networks) -> dict[str, Made]:
    lines = ODD_DECK.splitlines()
    add = partial(add_deck, name="odd", kind=decks.SELL, currency="USD", lines=lines)
    net.town.database.call("odd deck", add)
    scenes = {
        name: Scene(number=number, subscriber=keys_then_stays(number), far=talks(1.5))
        for name, (number, _, _) in PRICED.items()
    }
    scenes["closed"] = Scene(number=CLOSED, subscriber=keys_then_stays(CLOSED), far=talks(1.5))
    return play(net, scenes, deck_id="odd")


@pytest.mark.parametrize("how", PRICED)
def test_F048_a_row_of_a_deck_decides_its_own_increments_and_fee(
    priced_by: dict[str, Made], how: str
) -> None:
    number, seconds, amount = PRICED[how]
    record = priced_by[how].leg_b
    assert record.charge is not None
    assert (str(record.cdr.number), record.charge.talk_seconds) == (number, 2)
    assert (record.charge.billed_seconds, record.charge.amount) == (seconds, Decimal(amount))
    assert priced_by[how].balance == -Decimal(amount)


def test_F049_a_blocked_longer_prefix_is_not_carried_by_the_open_shorter_one(
    priced_by: dict[str, Made],
) -> None:
    made = priced_by["closed"]
    assert (made.legs_b, made.far, made.balance) == ([], (), Decimal(0))


def test_F049_an_account_in_euros_is_charged_in_euros_and_routed_at_cost_in_euros(net: Networks) -> None:
    lines = [HEADER, "44,United Kingdom,0.10", "352,Luxembourg,0.30"]
    add = partial(add_deck, name="euros", kind=decks.SELL, currency="EUR", lines=lines)
    net.town.database.call("euros", add)
    sam = net.town.traveller(currency="EUR", **TERMS, deck_id="euros")
    net.phone(sam.number, keys_then_stays(IN_EUR), at="euro")
    net.phone(IN_EUR, talks(1.5), at="euro")
    net.ring(sam.did, sam.number).heard()
    assert net.town.wait_for_end(sam, seconds=40).state is State.COMPLETED
    (record,) = [each for each in net.town.records_of(sam) if each.cdr.role is LegRole.B]
    assert record.charge is not None
    assert (record.charge.amount, record.charge.currency) == (Decimal("0.1500"), "EUR")
    assert (record.cost, record.cost_currency) == (Decimal("0.0000"), "EUR")
    assert record.cdr.trunk == "euro"


@pytest.mark.parametrize("user", ["", "+442079461201@"])
def test_F001_a_carrier_that_asks_whether_we_live_is_told_so(net: Networks, user: str) -> None:
    host, (address, port) = net.carriers["wire"].host, net.town.world.switch_sip
    lines = [
        f"OPTIONS sip:{user}{address}:{port} SIP/2.0",
        f"Via: SIP/2.0/UDP {host}:5099;branch=z9hG4bKq{len(user)};rport",
        f"From: <sip:ping@{host}>;tag=1",
        f"To: <sip:{user}{address}>",
        f"Call-ID: ping{len(user)}",
        "CSeq: 1 OPTIONS",
        "Max-Forwards: 70",
        f"Contact: <sip:ping@{host}:5099>",
        "Content-Length: 0\r\n\r\n",
    ]
    (answer,) = throw("\r\n".join(lines).encode(), to=(address, port), from_host=host, seconds=0.5)
    assert answer.startswith(b"SIP/2.0 200 "), answer
