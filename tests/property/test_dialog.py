"""Whatever is keyed, the dialog comes to an end soon, and dials only what was keyed and may be dialled."""

from hypothesis import given
from hypothesis import strategies as st
from scripted_phone import TimedPhone, TurnPhone, seconds_of

from calls.callback import Reason
from ivr.session import (
    AskAgain,
    ConnectFixed,
    DestinationKeyed,
    FollowOn,
    GaveUp,
    NextNumber,
    NotAccepted,
    Rules,
    Session,
    Welcome,
    number_reader,
)
from values.e164 import E164, Dialable, dialling_refusal

QUESTIONS_MAX = 20
# Longest entry: 31 gaps of 5 s; everything else is shorter. calls/limits.py grants 600 s to a whole dialog.
SECONDS_MAX = 900
KEYS = st.text(alphabet="0123456789*#", max_size=40)
GOOD = st.sampled_from(["0061255500123#", "02079460101#", "02079460101", "112#", "0#", "#", "*", ""])
OPENINGS = st.sampled_from(
    [
        Welcome(),
        Welcome(fixed_destination=E164("61255500123")),
        AskAgain(reason=Reason.BUSY),
        FollowOn(),
        FollowOn(reason=Reason.TALKED),
        NextNumber(),
    ]
)


def session(
    phone: TurnPhone | TimedPhone, follow_on_key: str, *, accepted: bool
) -> tuple[Session, list[float]]:
    accepted_at: list[float] = []
    rules = Rules(normalise=number_reader("GB"), home_country="GB", follow_on_key=follow_on_key)
    made = Session(
        rules=rules,
        accepted=accepted,
        seconds_of=seconds_of,
        seconds_since_answer=lambda: phone.now,
        on_accepted=lambda: accepted_at.append(phone.now),
    )
    return made, accepted_at


@given(
    opening=OPENINGS,
    script=st.lists(st.one_of(KEYS, GOOD), max_size=30),
    follow_on_key=st.sampled_from(["#", "##", "###"]),
    accepted=st.booleans(),
)
def test_any_script_of_keys_ends_in_an_outcome_within_bounds(
    opening: Welcome | AskAgain | FollowOn | NextNumber, script: list[str], follow_on_key: str, accepted: bool
) -> None:
    phone = TurnPhone(script=script)
    made, accepted_at = session(phone, follow_on_key, accepted=accepted)
    outcome = made.run(opening, phone)
    assert phone.questions <= QUESTIONS_MAX
    assert phone.now <= SECONDS_MAX
    assert isinstance(outcome, DestinationKeyed | ConnectFixed | NotAccepted | GaveUp)
    if isinstance(outcome, DestinationKeyed):
        assert made.accepted
        assert isinstance(dialling_refusal(outcome.number), Dialable)
    if isinstance(outcome, NotAccepted):
        assert not made.accepted
    assert len(accepted_at) <= 1
    assert not (accepted and accepted_at)


@given(
    gaps=st.lists(
        st.tuples(st.floats(min_value=0.05, max_value=20), st.sampled_from("0123456789*#")), max_size=60
    )
)
def test_keys_at_any_time_end_in_an_outcome_and_acceptance_is_the_first_reply_with_a_key(
    gaps: list[tuple[float, str]],
) -> None:
    at = 0.0
    keys = []
    for gap, key in gaps:
        at += gap
        keys.append((at, key))
    phone = TimedPhone(keys=keys)
    made, accepted_at = session(phone, "#", accepted=False)
    outcome = made.run(Welcome(), phone)
    assert len(phone.heard) <= QUESTIONS_MAX
    if isinstance(outcome, NotAccepted):
        assert phone.now <= 30.0 + 0.5
        assert accepted_at == []
    else:
        assert len(accepted_at) == 1
