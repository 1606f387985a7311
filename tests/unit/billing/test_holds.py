"""Holds end once, within what is available."""

from collections.abc import Callable

import pytest

from billing.holds import Hold, HoldConflict, HoldEnded, HoldState, OverLimit, Standing, open_hold, raise_hold

ENDS: list[Callable[[Hold], Hold]] = [lambda hold: hold.post(400), Hold.void, Hold.expire]


def a_hold(units: int = 500) -> Hold:
    return Hold(id="cb01", account_id="acme", currency="USD", units=units)


def standing(posted: int, pending: int = 0, limit: int = 0) -> Standing:
    return Standing(posted_units=posted, pending_units=pending, credit_limit_units=limit)


def opened(units: int, within: Standing) -> Hold:
    return open_hold(id="cb01", account_id="acme", currency="USD", units=units, standing=within)


def test_a_hold_takes_from_what_is_available_until_it_ends() -> None:
    assert a_hold().pending_units == 500
    assert [end(a_hold()).pending_units for end in ENDS] == [0, 0, 0]


def test_a_posted_hold_remembers_the_charge() -> None:
    assert (a_hold().post(400).state, a_hold().post(400).posted_units) == (HoldState.POSTED, 400)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("after", [*ENDS, lambda hold: hold.raise_to(900)])
def test_nothing_follows_an_end(end: Callable[[Hold], Hold], after: Callable[[Hold], Hold]) -> None:
    with pytest.raises(HoldEnded):
        after(end(a_hold()))


def test_a_raise_never_shrinks() -> None:
    assert a_hold(500).raise_to(400).units == 500
    assert a_hold(500).raise_to(900).units == 900


def test_available_is_posted_less_pending_plus_the_limit() -> None:
    assert standing(-300, 200, 1000).available_units == 500


def test_a_hold_opens_within_what_is_available_and_not_a_unit_above() -> None:
    assert opened(500, standing(-300, 200, 1000)).is_open
    with pytest.raises(OverLimit) as refused:
        opened(501, standing(-300, 200, 1000))
    assert refused.value.shortfall_units == 1


def test_a_hold_is_raised_by_the_difference_only() -> None:
    within = standing(0, pending=500, limit=1000)
    assert raise_hold(a_hold(500), units=1000, standing=within).units == 1000
    with pytest.raises(OverLimit) as refused:
        raise_hold(a_hold(500), units=1001, standing=within)
    assert refused.value.shortfall_units == 1


def test_an_account_over_its_limit_may_still_keep_what_it_holds() -> None:
    assert raise_hold(a_hold(500), units=500, standing=standing(-9000, 500)).units == 500


def test_the_same_hold_asked_again_is_that_hold() -> None:
    assert a_hold().repeats(a_hold())
    assert not a_hold().repeats(Hold(id="cb02", account_id="acme", currency="USD", units=500))


@pytest.mark.parametrize(
    "other",
    [
        Hold(id="cb01", account_id="other", currency="USD", units=500),
        Hold(id="cb01", account_id="acme", currency="EUR", units=500),
        Hold(id="cb01", account_id="acme", currency="USD", units=501),
    ],
)
def test_the_same_id_with_other_fields_is_an_error(other: Hold) -> None:
    with pytest.raises(HoldConflict, match="cb01"):
        a_hold().repeats(other)


def test_an_ended_hold_is_not_opened_again_under_its_id() -> None:
    with pytest.raises(HoldConflict, match="voided"):
        a_hold().void().repeats(a_hold())


@pytest.mark.parametrize("units", [-1, 0.5, 10**19])
def test_a_hold_is_zero_or_more_whole_units(units: int) -> None:
    with pytest.raises(ValueError, match="units"):
        a_hold(units)
