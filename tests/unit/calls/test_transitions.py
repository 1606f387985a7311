"""Every row of the table as a sentence: in this state, when that happens, then this."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sample_callbacks import (
    A1,
    B1,
    B2,
    LIMITS,
    accepted,
    after_all,
    answered,
    cancelled,
    deadline_passed,
    deliver,
    destination_authorised,
    destination_refused,
    dial_authorised,
    dial_postponed,
    dial_refused,
    dialog_ended,
    hung_up,
    in_state,
    keyed,
    rang,
    released,
    requested,
    vanished,
)

from calls import events
from calls.callback import ENDS, Callback, Reason, ReleasedBy, State
from calls.commands import Authorise, DialB, HangUp, Opening, OriginateA, RunDialog, Settle
from calls.events import Event
from calls.transitions import TABLE, IllegalEventError, is_stale, rows, step

Given = Callable[[], Callback]
Told = Callable[[Callback], Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One sentence of the table."""

    sentence: str
    given: Given
    when: Told
    to: State
    orders: tuple[object, ...] = ()
    """The commands, or their types where their content is tested elsewhere."""
    reason: Reason | None = None


def _in(state: State, **how: object) -> Given:
    return lambda: in_state(state, **how)  # type: ignore[arg-type]


def _then(state: State, *story: Event) -> Given:
    return lambda: after_all(in_state(state), story)


def _told(event: Event) -> Told:
    return lambda _callback: event


Q, DA, RW, CO, AU, DB, TA, RE = (
    State.REQUESTED,
    State.DIALING_A,
    State.RETRY_WAIT,
    State.COLLECTING,
    State.AUTHORIZING,
    State.DIALING_B,
    State.TALKING,
    State.RELEASING,
)
LIVE = (Q, DA, RW, CO, AU, DB, TA, RE)
CASES = [
    # requested
    Case(
        sentence="F122 the guard delay starts when the trigger is released",
        given=requested,
        when=_told(released()),
        to=Q,
    ),
    Case(
        sentence="a request that may ring rings its subscriber once",
        given=_in(Q),
        when=dial_authorised,
        to=DA,
        orders=(OriginateA,),
    ),
    Case(
        sentence="F027 a request that finds every channel taken waits for one",
        given=_in(Q),
        when=_told(dial_postponed()),
        to=Q,
    ),
    Case(
        sentence="a request that may not ring has failed with the reason",
        given=_in(Q),
        when=_told(dial_refused(Reason.NO_CREDIT)),
        to=State.FAILED,
        orders=(Settle(),),
        reason=Reason.NO_CREDIT,
    ),
    Case(
        sentence="F088 a request cancelled before it rings is cancelled and rings nobody",
        given=_in(Q),
        when=_told(cancelled()),
        to=State.CANCELLED,
        orders=(Settle(),),
        reason=Reason.CANCELLED,
    ),
    Case(
        sentence="F122 a trigger whose release was never reported starts its guard delay at the deadline",
        given=requested,
        when=_told(deadline_passed(45)),
        to=Q,
    ),
    Case(
        sentence="F174 a request that nobody rang in time expires",
        given=_in(Q),
        when=_told(deadline_passed()),
        to=State.FAILED,
        orders=(Settle(),),
        reason=Reason.EXPIRED,
    ),
    # dialing_a
    Case(sentence="a ringing subscriber is noted", given=_in(DA), when=_told(rang()), to=DA),
    Case(
        sentence="F023 an answered A-leg hears the voice and no destination is dialled",
        given=_in(DA),
        when=_told(answered()),
        to=CO,
        orders=(RunDialog(opening=Opening.WELCOME),),
    ),
    Case(
        sentence="F122 a busy subscriber gets one quick retry",
        given=_in(DA),
        when=_told(hung_up(cause=17)),
        to=RW,
    ),
    Case(
        sentence="F122 a congested line that never rang gets one quick retry",
        given=_in(DA),
        when=_told(hung_up(cause=34)),
        to=RW,
    ),
    Case(
        sentence="F120 congestion after ringing is final: the phone rang already",
        given=_then(DA, rang()),
        when=_told(hung_up(cause=34)),
        to=State.FAILED,
        orders=(Settle(),),
        reason=Reason.CONGESTION,
    ),
    Case(
        sentence="F120 an end without a known cause is final: perhaps the phone rang",
        given=_in(DA),
        when=_told(hung_up(cause=0)),
        to=State.FAILED,
        orders=(Settle(),),
        reason=Reason.CONGESTION,
    ),
    Case(
        sentence="F120 congestion found out afterwards is final: nobody listened whether the phone rang",
        given=_in(DA),
        when=_told(hung_up(cause=34, ringing_unseen=True)),
        to=State.FAILED,
        orders=(Settle(),),
        reason=Reason.CONGESTION,
    ),
    Case(
        sentence="F023 a ring trigger that is not answered rings once only",
        given=_then(DA, rang()),
        when=_told(hung_up(cause=19)),
        to=State.UNANSWERED,
        orders=(Settle(),),
        reason=Reason.NO_ANSWER,
    ),
    Case(
        sentence="a subscriber who declines is not rung again",
        given=_then(DA, rang()),
        when=_told(hung_up(cause=21)),
        to=State.UNANSWERED,
        orders=(Settle(),),
        reason=Reason.REJECTED,
    ),
    Case(
        sentence="a subscriber's number that does not exist has failed",
        given=_in(DA),
        when=_told(hung_up(cause=1)),
        to=State.FAILED,
        orders=(Settle(),),
        reason=Reason.UNOBTAINABLE,
    ),
    # retry_wait
    Case(
        sentence="a retry that may ring rings under a new leg id",
        given=_in(RW),
        when=lambda callback: dial_authorised(callback, 65),
        to=DA,
        orders=(OriginateA,),
    ),
    Case(
        sentence="F027 a retry that finds every channel taken waits for one",
        given=_in(RW),
        when=_told(dial_postponed(65)),
        to=RW,
    ),
    Case(
        sentence="a retry that may not ring any more has failed",
        given=_in(RW),
        when=_told(dial_refused(Reason.ACCOUNT_CLOSED, 65)),
        to=State.FAILED,
        orders=(Settle(),),
        reason=Reason.ACCOUNT_CLOSED,
    ),
    Case(
        sentence="F088 a retry cancelled while it waits is cancelled",
        given=_in(RW),
        when=_told(cancelled(62)),
        to=State.CANCELLED,
        orders=(Settle(),),
        reason=Reason.CANCELLED,
    ),
    Case(
        sentence="F174 a retry that nobody rang in time expires",
        given=_in(RW),
        when=_told(deadline_passed()),
        to=State.FAILED,
        orders=(Settle(),),
        reason=Reason.EXPIRED,
    ),
    # collecting
    Case(
        sentence="F121 the first key accepts", given=_in(CO, is_accepted=False), when=_told(accepted()), to=CO
    ),
    Case(
        sentence="a keyed destination is priced, held and routed before it is dialled",
        given=_in(CO),
        when=_told(keyed()),
        to=AU,
        orders=(Authorise,),
    ),
    Case(
        sentence="F029 a voicemail that accepts nothing is released without a destination",
        given=_in(CO, is_accepted=False),
        when=_told(dialog_ended(Reason.NOT_ACCEPTED)),
        to=RE,
        orders=(HangUp(leg_id=A1),),
    ),
    Case(
        sentence="a subscriber who leaves before any talk has abandoned",
        given=_in(CO),
        when=_told(hung_up()),
        to=State.ABANDONED,
        orders=(Settle(),),
        reason=Reason.LEFT,
    ),
    Case(
        sentence="F039 a subscriber who leaves after a talk has completed",
        given=_then(TA, hung_up(B1, seconds=91)),
        when=_told(hung_up(A1, seconds=95)),
        to=State.COMPLETED,
        orders=(Settle(),),
        reason=Reason.TALKED,
    ),
    # authorizing
    Case(
        sentence="F127 an authorised destination is dialled by its first route",
        given=_in(AU),
        when=destination_authorised,
        to=DB,
        orders=(DialB,),
    ),
    Case(
        sentence="F041 a refused destination is explained and another is asked for",
        given=_in(AU),
        when=_told(destination_refused(Reason.EMERGENCY)),
        to=CO,
        orders=(RunDialog(opening=Opening.ASK_AGAIN, reason=Reason.EMERGENCY),),
    ),
    Case(
        sentence="a subscriber who leaves while the price is worked out has abandoned",
        given=_in(AU),
        when=_told(hung_up()),
        to=State.ABANDONED,
        orders=(Settle(),),
        reason=Reason.LEFT,
    ),
    Case(
        sentence="a subscriber who leaves while a second price is worked out has completed",
        given=_then(TA, hung_up(B1, seconds=91), keyed(seconds=100)),
        when=_told(hung_up(A1, seconds=100.1)),
        to=State.COMPLETED,
        orders=(Settle(),),
        reason=Reason.TALKED,
    ),
    # dialing_b
    Case(sentence="a ringing destination is noted", given=_in(DB), when=_told(rang(B1, 28)), to=DB),
    Case(sentence="F037 an answered destination talks", given=_in(DB), when=_told(answered(B1, 31)), to=TA),
    Case(
        sentence="F045 a congested route is followed by the next one",
        given=_in(DB),
        when=_told(hung_up(B1, cause=34, seconds=27)),
        to=DB,
        orders=(DialB,),
    ),
    Case(
        sentence="F129 a busy destination is explained and another is asked for",
        given=_in(DB),
        when=_told(hung_up(B1, cause=17, seconds=27)),
        to=CO,
        orders=(RunDialog(opening=Opening.FOLLOW_ON, reason=Reason.BUSY),),
    ),
    Case(
        sentence="F038 a subscriber who leaves while the destination rings takes it along",
        given=_in(DB),
        when=_told(hung_up(A1, seconds=27)),
        to=RE,
        orders=(HangUp(leg_id=B1),),
    ),
    # talking
    Case(
        sentence="F039 a destination that hangs up leaves the subscriber to key another",
        given=_in(TA),
        when=_told(hung_up(B1, seconds=91)),
        to=CO,
        orders=(RunDialog(opening=Opening.FOLLOW_ON),),
    ),
    Case(
        sentence="F039 a subscriber who ends the talk by the in-call key is asked for the next number",
        given=_in(TA),
        when=_told(hung_up(B1, seconds=91, by=ReleasedBy.US)),
        to=CO,
        orders=(RunDialog(opening=Opening.NEXT_NUMBER),),
    ),
    Case(
        sentence="F038 a subscriber who hangs up in the talk ends it",
        given=_in(TA),
        when=_told(hung_up(A1, seconds=91)),
        to=RE,
        orders=(HangUp(leg_id=B1),),
    ),
    # releasing
    Case(
        sentence="F038 the last leg down after a talk completes the callback",
        given=_in(RE),
        when=_told(hung_up(B1, seconds=632, by=ReleasedBy.US)),
        to=State.COMPLETED,
        orders=(Settle(),),
        reason=Reason.TALKED,
    ),
    Case(
        sentence="one leg down of two is not the end",
        given=_then(TA, cancelled(90)),
        when=_told(hung_up(A1, seconds=90.5)),
        to=RE,
    ),
    Case(
        sentence="a cancelled talk is cancelled, once its last leg is down",
        given=_then(TA, cancelled(90), hung_up(A1, seconds=90.5)),
        when=_told(hung_up(B1, seconds=91)),
        to=State.CANCELLED,
        orders=(Settle(),),
        reason=Reason.CANCELLED,
    ),
    Case(
        sentence="F029 an answer without a key is abandoned as not accepted",
        given=lambda: after_all(in_state(CO, is_accepted=False), [dialog_ended(Reason.NOT_ACCEPTED, 45)]),
        when=_told(hung_up(A1, seconds=45.1, by=ReleasedBy.US)),
        to=State.ABANDONED,
        orders=(Settle(),),
        reason=Reason.NOT_ACCEPTED,
    ),
    Case(
        sentence="a subscriber who has not answered at the deadline is unanswered",
        given=_then(DA, deadline_passed(70)),
        when=_told(hung_up(A1, cause=16, seconds=70.2, by=ReleasedBy.US)),
        to=State.UNANSWERED,
        orders=(Settle(),),
        reason=Reason.NO_ANSWER,
    ),
    Case(
        sentence="an answer that crosses the order to release is hung up",
        given=_then(DA, cancelled(12)),
        when=_told(answered(A1, 12.1)),
        to=RE,
        orders=(HangUp(leg_id=A1),),
    ),
    Case(
        sentence="a ring that crosses the order to release changes nothing",
        given=_then(DA, cancelled(9)),
        when=_told(rang(A1, 9.1)),
        to=RE,
    ),
    Case(
        sentence="a leg that will not go is told again",
        given=_in(RE),
        when=_told(deadline_passed()),
        to=RE,
        orders=(HangUp(leg_id=B1),),
    ),
    # every state that has a leg up
    *(
        Case(
            sentence=f"a callback cancelled in {state} releases what is up",
            given=_in(state),
            when=_told(cancelled(35)),
            to=RE,
            orders=tuple(HangUp(leg_id=leg) for leg in legs),
        )
        for state, legs in ((DA, [A1]), (CO, [A1]), (AU, [A1]), (DB, [A1, B1]), (TA, [A1, B1]))
    ),
    *(
        Case(
            sentence=f"a deadline that passes in {state} releases what is up",
            given=_in(state),
            when=_told(deadline_passed()),
            to=RE,
            orders=tuple(HangUp(leg_id=leg) for leg in legs),
        )
        for state, legs in ((DA, [A1]), (CO, [A1]), (AU, [A1]), (DB, [A1, B1]), (TA, [A1, B1]))
    ),
    *(
        Case(
            sentence=f"F174 legs that vanish in {state} fail the callback and settle it",
            given=_in(state),
            when=_told(vanished(seconds=700)),
            to=State.FAILED,
            orders=(Settle(),),
            reason=Reason.VANISHED,
        )
        for state in LIVE
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sentence.replace(" ", "_"))
def test_the_table_says_that(case: Case) -> None:
    before = case.given()
    event = case.when(before)
    assert not is_stale(before, event)
    after, orders = step(before, event, LIMITS)
    assert after.state is case.to
    assert len(orders) == len(case.orders)
    for order, wanted in zip(orders, case.orders, strict=True):
        assert order == wanted if not isinstance(wanted, type) else isinstance(order, wanted)
    assert after.reason is case.reason
    assert (after.ended_at == event.at) if after.state.is_end else (after.ended_at is None)
    assert after.deadline_at is None if after.state.is_end else after.deadline_at is not None


def test_the_sentences_above_leave_no_row_and_no_outcome_of_the_table_untold() -> None:
    told = {(before.state, type(case.when(before)), case.to) for case in CASES for before in [case.given()]}
    table = {(row.state, row.event, to) for row in rows() for to in row.to}
    assert told == table


def _every_event(callback: Callback) -> list[Event]:
    return [
        released(),
        dial_authorised(callback),
        dial_postponed(),
        dial_refused(),
        rang(),
        answered(),
        hung_up(),
        accepted(),
        keyed(),
        destination_authorised(callback),
        destination_refused(),
        dialog_ended(),
        cancelled(),
        vanished(),
        deadline_passed(),
    ]


def test_the_events_listed_here_are_all_there_are() -> None:
    listed = {type(event) for event in _every_event(requested())}
    declared = {kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)}
    assert listed == declared - {Event}


@pytest.mark.parametrize("state", list(State))
def test_an_event_without_a_row_is_an_error_and_changes_nothing(state: State) -> None:
    before = in_state(state)
    assert before.state is state
    for event in _every_event(before):
        if (state, type(event)) in TABLE:
            continue
        with pytest.raises(IllegalEventError, match=f"{type(event).__name__} in state {state}"):
            step(before, event, LIMITS)
    assert before == in_state(state)


@pytest.mark.parametrize("state", sorted(ENDS))
def test_an_ended_callback_has_no_row_and_every_event_is_stale_to_it(state: State) -> None:
    ended = in_state(state)
    assert not [row for row in rows() if row.state is state]
    for event in _every_event(ended):
        assert is_stale(ended, event)
        assert deliver(ended, event) == (ended, ())


# what is true of one told twice, late or of somebody else


@pytest.mark.parametrize(
    ("sentence", "state", "event"),
    [
        ("a ring told twice", DA, rang()),
        ("an answer told twice", CO, answered()),
        ("a ring told after the answer", CO, rang(seconds=16)),
        ("an acceptance told twice", CO, accepted(seconds=30)),
        ("a key during the talk", TA, accepted(seconds=200)),
        ("the hang-up of an earlier attempt", RW, hung_up(seconds=61)),
        ("the ring of a leg that nobody ordered", DB, rang(B2)),
        ("the answer of a route that is planned only", DB, answered(B2)),
        ("the hang-up of a route that is planned only", DB, hung_up(B2)),
        ("a leg of another callback", TA, hung_up("cb99-b1")),
        ("a trigger released twice", Q, released(9)),
        ("a trigger released after the ringing began", DA, released(9)),
    ],
)
def test_stale_news_is_dropped(sentence: str, state: State, event: Event) -> None:
    callback = in_state(state) if sentence != "a ring told twice" else after_all(in_state(state), [rang()])
    assert is_stale(callback, event)


@pytest.mark.parametrize(
    "event", [keyed(seconds=91), dialog_ended(seconds=91), destination_refused(seconds=91), cancelled(91)]
)
def test_what_a_dialog_says_while_its_line_is_released_is_stale_and_no_error(event: Event) -> None:
    releasing = after_all(in_state(State.COLLECTING), [cancelled(90)])
    assert is_stale(releasing, event)


def test_an_authorisation_that_crosses_a_cancellation_is_stale_and_no_error() -> None:
    authorizing = in_state(State.AUTHORIZING)
    releasing = after_all(authorizing, [cancelled(25.05)])
    assert is_stale(releasing, destination_authorised(authorizing))
