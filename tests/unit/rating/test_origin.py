"""The class of a caller ID, as the network that is called sees it."""

import pytest

from rating.origin import OriginClass, origin_class
from values.e164 import E164

LONDON, PARIS, OSLO, NEW_YORK = map(
    E164.parse, ("+442079460101", "+33142685300", "+4722345678", "+12125550100")
)


@pytest.mark.parametrize(
    ("shown", "dialled", "expected"),
    [
        (E164.parse("+442079460999"), LONDON, OriginClass.SAME_COUNTRY),
        (E164.parse("+33612345678"), PARIS, OriginClass.SAME_COUNTRY),
        (E164.parse("+4915112345678"), PARIS, OriginClass.EEA),
        (OSLO, PARIS, OriginClass.EEA),
        (PARIS, LONDON, OriginClass.EEA),
        (LONDON, PARIS, OriginClass.NON_EEA),
        (NEW_YORK, PARIS, OriginClass.NON_EEA),
        (E164.parse("+14165550100"), NEW_YORK, OriginClass.NON_EEA),
        ("+12125550199", NEW_YORK, OriginClass.SAME_COUNTRY),
    ],
)
def test_F139_a_caller_id_has_a_class_at_its_destination(
    shown: E164 | str, dialled: E164, expected: OriginClass
) -> None:
    assert origin_class(shown, dialled) is expected


@pytest.mark.parametrize(
    "shown", [None, "", "1234", "anonymous", "1" * 16, "+44 20", "004420", "0207946", "+9991234567"]
)
def test_F139_absent_short_long_and_odd_caller_ids_are_invalid(shown: str | None) -> None:
    assert origin_class(shown, PARIS) is OriginClass.INVALID


def test_F139_five_digits_are_enough_and_fifteen_not_too_many() -> None:
    assert origin_class("33142", PARIS) is OriginClass.SAME_COUNTRY
    assert origin_class("491511234567890", PARIS) is OriginClass.EEA
