"""Whatever is sent, it is a wish or a refusal in words."""

import json

from hypothesis import given
from hypothesis import strategies as st

from web.body import FORM, JSON, read_fields
from web.problems import ProblemFound
from web.wish import FIELDS, Wish, read_wish

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=150),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
tables = st.dictionaries(st.sampled_from([*FIELDS, "numbre", "", "\x00"]), values, max_size=6)


@given(body=st.binary(max_size=300), media_type=st.sampled_from([JSON, FORM, "", "text/plain"]))
def test_any_bytes_are_fields_or_a_refusal(body: bytes, media_type: str) -> None:
    try:
        read_wish(read_fields(body, media_type))
    except ProblemFound as refused:
        _is_told(refused, 400, 413, 415, 422)


@given(table=tables)
def test_any_table_is_a_wish_or_a_refusal_of_every_field_at_fault(table: dict[str, object]) -> None:
    try:
        wish = read_wish(table)
    except ProblemFound as refused:
        _is_told(refused, 422)
    else:
        assert wish.reference.isprintable()
        assert 1 <= wish.attempts <= 5
        assert len(wish.fingerprint) == 64


@given(table=tables)
def test_json_and_back_means_the_same(table: dict[str, object]) -> None:
    there = json.dumps(table).encode()
    try:
        read = read_fields(there, JSON)
    except ProblemFound:
        return  # no number of JSON, or none that a field could take
    assert _outcome(read) == _outcome(table)


def test_two_wishes_that_differ_have_two_fingerprints() -> None:
    wishes = [Wish(number="1"), Wish(number="2"), Wish(number="1", tag="a"), Wish(number="1", topic="a")]
    assert len({wish.fingerprint for wish in wishes}) == 4


def _outcome(table: object) -> object:
    assert isinstance(table, dict)
    try:
        return read_wish(table)
    except ProblemFound as refused:
        return sorted((error.field, error.problem) for error in refused.errors)


def _is_told(refused: ProblemFound, *statuses: int) -> None:
    assert refused.status in statuses
    assert refused.detail
    assert refused.errors
    text = json.dumps([refused.detail, *[[e.field, e.problem, e.remedy] for e in refused.errors]])
    assert len(text) < 6_000
    assert all(error.field and error.remedy for error in refused.errors)
