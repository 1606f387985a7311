"""Telephone networks other than the world's: how they write numbers, send keys, answer, refuse.

Calls that do not touch one another are made at once, by a fixture; each test then reads its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from callers import at_once, keyed
from networks import LOGIN, Habits, Networks, line_with, networks
from town import CLERK, RETAIL, NotInTime

from calls.callback import Callback, State
from calls.cdr import Disposition, LegRole
from pbx.installation import Installation
from rating.deckfile import read_deck
from rating.plan import ALegPolicy
from store import admissions, decks
from store.cdrs import CallRecord
from store.database import Connection
from world.handmade import FarCall, Part
from world.scripts import Answers, HangsUp, Talks
from world.sip import Invitation

pytestmark = [pytest.mark.real_asterisk, pytest.mark.timeout(150)]
TERMS: dict[str, Any] = {"a_leg_policy": ALegPolicy.FREE, "first_increment_s": 30, "next_increment_s": 1}
LATELY = datetime(2021, 1, 1, tzinfo=UTC)
TWINS_HOST = "127.0.8.60"
INGRESS = ("US", "AU", "DE", "IT")
HABITS = (
    Habits(name="wire", prefixes=("44", "61", "1", "39")),
    Habits(
        name="locked",
        prefixes=("49",),
        trunk={"username": LOGIN.username, "password": LOGIN.password},
        carrier={"login": LOGIN},
    ),
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


@pytest.fixture(scope="module")
def net(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Networks]:
    with networks(installation, tmp_path_factory.mktemp("networks"), HABITS) as running:
        running.town.database.call("Italy", sell_italy_too)
        yield running
        running.town.wait_until_quiet()


def sell_italy_too(connection: Connection) -> None:
    rows = read_deck([*RETAIL.splitlines(), "39,Italy,0.20"], currency="USD", effective_at=LATELY).accepted()
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
    """Make all these callbacks at once, each to its end."""
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

    at_once(scenes, make)
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


def answers_late(far: FarCall) -> None:
    far.says(180)
    far.waits(9)
    far.answers()
    far.waits(2)


def answers_and_leaves(far: FarCall) -> None:
    far.says(180)
    far.answers()


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
    "200 after nine seconds": (answers_late, 2),
    "200 and BYE in one breath": (answers_and_leaves, 0),
    "no sound ever": (sends_no_sound, 3),
    "hold, resume, session refresh": (holds_and_refreshes, 3),
}


@pytest.fixture(scope="module")
def answered_so(net: Networks) -> dict[str, Made]:
    scenes = {}
    for name, (part, _) in ANSWERED.items():
        number = australian()
        scenes[name] = Scene(number=number, subscriber=keys_then_stays(number, stays=14), far=part)
    for name, begins in (("early A", early_then_keys), ("quick A", quick_then_keys)):
        number = australian()
        scenes[name] = Scene(number=number, subscriber=begins(number), far=talks(2))
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


# --- how calls are refused -----------------------------------------------------------------------------

FINAL = {
    403: Disposition.REJECTED,
    404: Disposition.UNOBTAINABLE,
    410: Disposition.UNOBTAINABLE,
    480: Disposition.NO_ANSWER,
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


# --- how trunks are set up -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sent_through(net: Networks) -> dict[str, Made]:
    def scene(number: str, at: str, dialled: str = "") -> Scene:
        part = keys_then_stays(number)
        return Scene(number=number, subscriber=part, far=talks(2), at=at, dialled=dialled)

    scenes = {
        "a login": scene("+493020609001", "locked"),
        "a prefix": scene("+33199001234", "twin1", "99033199001234"),
        "a plus": scene("+63281234567", "twin2", "+63281234567"),
        "another address": scene("+966112345678", "apart"),
    }
    return play(net, scenes)


@pytest.mark.parametrize("what", ["a login", "a prefix", "a plus", "another address"])
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
