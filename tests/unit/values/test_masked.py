import pytest

from values.e164 import E164, country_of
from values.masked import MaskedNumber, mask, mask_all, stored_number


def test_a_masked_number_keeps_all_but_four_digits_and_masking_it_again_changes_nothing() -> None:
    assert mask("+442079460101") == "+44207946****"
    assert mask(mask("+442079460101")) == "+44207946****"
    assert mask("112") == "***"


def test_numbers_are_masked_within_a_text_and_ids_and_times_are_not() -> None:
    text = "cb01k2z4567890123-a1 to +442079460101 at 2026-03-02T09:00:00.123456Z, or 00442079460101"
    assert (
        mask_all(text)
        == "cb01k2z4567890123-a1 to +44207946**** at 2026-03-02T09:00:00.123456Z, or 0044207946****"
    )
    assert mask_all(mask_all(text)) == mask_all(text)


def test_a_column_gives_a_whole_number_or_what_is_left_of_one() -> None:
    assert stored_number("+442079460101") == E164("442079460101")
    left = stored_number("+44207946****")
    assert isinstance(left, MaskedNumber)
    assert str(left) == "+44207946****"
    assert country_of(left.likely) == "GB"


@pytest.mark.parametrize("text", ["442079460101", "44*07946", "", "+44****"])
def test_nothing_else_is_a_masked_number(text: str) -> None:
    with pytest.raises(ValueError, match="masked"):
        MaskedNumber(text)


def test_what_is_masked_can_be_dialled_by_nobody() -> None:
    left = stored_number("+44207946****")
    assert not left.digits.isdigit()
    with pytest.raises(ValueError, match=r"."):
        E164(left.digits)
