"""A callback's history in plain words."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from calls import events
from calls.callback import Leg, Reason, ReleasedBy, State
from calls.cdr import LegRole
from staff.standing import standing_of
from staff.story import SENTENCES, sentence, story
from store.callbacks import LogLine, detail_of
from values.e164 import E164

T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)
LEG = Leg(
    id="cb1-a1",
    role=LegRole.A,
    number=E164.parse("+442079460101"),
    trunk="alpha",
    caller_id_shown=None,
    price_rate_id="p",
    cost_rate_id="c",
    ring_seconds=45,
)
SAMPLES = {
    "leg": LEG,
    "legs": (LEG,),
    "leg_id": "cb1-a1",
    "hold_units": 500,
    "reason": Reason.NO_CREDIT,
    "q850_cause": 17,
    "released_by": ReleasedBy.FAR,
    "estimated": False,
    "answer_unseen": False,
    "ringing_unseen": False,
    "never_dialled": False,
    "number": LEG.number,
    "tag": "Client Miller",
    "by": "staff anna",
    "dial_at": T0,
}
# Each by its name: a slotted dataclass leaves the class that it was made from behind.
KINDS = [getattr(events, name) for name in sorted({kind.__name__ for kind in events.Event.__subclasses__()})]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_event_has_a_sentence_of_its_own(kind: type[events.Event]) -> None:
    values = {field.name: SAMPLES[field.name] for field in fields(kind) if field.name != "at"}
    event = kind(at=T0, **values)
    assert kind.__name__ in SENTENCES
    told = sentence(kind.__name__, detail_of(event))
    assert told
    assert "{" not in told


def test_a_keyed_cost_code_is_told_with_the_destination() -> None:
    event = events.DestinationKeyed(at=T0, number=LEG.number, tag="Client Miller")
    told = sentence("DestinationKeyed", detail_of(event))
    assert told == f"the subscriber asked for {LEG.number}, to be booked under Client Miller"
    untagged = {"number": str(LEG.number)}  # as it was written before there were tags
    assert sentence("DestinationKeyed", untagged) == f"the subscriber asked for {LEG.number}"


def test_an_event_that_is_not_known_yet_is_told_by_its_fields() -> None:
    assert sentence("Hatched", {"leg_id": "x", "count": 3}) == "leg_id x, count 3"


def test_times_are_told_to_the_microsecond_since_the_beginning() -> None:
    late = T0 + timedelta(seconds=61, microseconds=7)
    early = T0 - timedelta(microseconds=1)
    lines = [
        LogLine(id=1, at=T0, state=State.REQUESTED, event="Created", detail={"origin": "ring:+12025550111"}),
        LogLine(id=2, at=late, state=State.DIALING_A, event="LegRang", detail={"leg_id": "cb1-a1"}),
        LogLine(id=3, at=early, state=State.DIALING_A, event="LegRang", detail={"leg_id": "cb1-a1"}),
    ]
    told = story(lines)
    assert [row["seconds"] for row in told] == ["0.000000", "61.000007", "-0.000001"]
    assert told[1]["at"] == "2026-03-01T08:01:01.000007Z"
    assert told[1]["what_happened"] == "leg a1 rings"
    assert story([]) == []


def test_a_leg_stands_where_its_last_fact_puts_it() -> None:
    ordered = replace(LEG, ordered_at=T0)
    rang = replace(ordered, rang_at=T0)
    answered = replace(rang, answered_at=T0)
    accepted = replace(answered, accepted_at=T0)
    gone = replace(ordered, hung_up_at=T0, q850_cause=17)
    said = [standing_of(leg) for leg in (LEG, ordered, rang, answered, accepted, gone)]
    assert said == ["planned", "dialling", "ringing", "answered", "accepted", "ended: busy"]
