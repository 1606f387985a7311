"""What people write and key, and which number it is."""

import sys

import pytest

from values.e164 import (
    E164,
    WORLD,
    Dialable,
    NumberKind,
    NumberRefused,
    Refusal,
    RefusalReason,
    countries,
    country_code_of,
    country_of,
    dialling_refusal,
    kind_of,
    names_its_country,
    normalise,
)
from values.refusal import REMEDIES

UNDERSTOOD = [
    # text, home country, ingress country, number
    ("+44 20 7946 0101", "GB", None, "+442079460101"),
    ("+44 20 7946 0101", None, None, "+442079460101"),
    ("+442079460101", "US", None, "+442079460101"),
    ("0044 20 7946 0101", "FR", None, "+442079460101"),
    ("+44(0)20 7946 0101", None, None, "+442079460101"),
    ("+44 (0) 20 7946 0101".replace("(0) ", "(0)"), "DE", None, "+442079460101"),
    ("0044(0)20-7946-0101", "FR", None, "+442079460101"),
    ("+44 020 7946 0101", "FR", None, "+442079460101"),
    ("020 7946 0101", "GB", None, "+442079460101"),
    ("(020) 7946 0101", "GB", None, "+442079460101"),
    ("(0)20 7946 0101", "GB", None, "+442079460101"),
    ("020.7946.0101", "GB", None, "+442079460101"),
    ("[020] 7946-0101", "GB", None, "+442079460101"),
    ("\t020 7946 0101 ", "GB", None, "+442079460101"),
    ("20 7946 0101", "GB", None, "+442079460101"),
    ("442079460101", "GB", None, "+442079460101"),
    ("07700 900123", "GB", None, "+447700900123"),
    ("0113 496 0123", "GB", None, "+441134960123"),
    ("\u202a+44\u00a020\u20117946\u20110101\u202c", None, None, "+442079460101"),
    ("\uff0b44 20 7946 0101", None, None, "+442079460101"),
    ("202 555 0111", "US", None, "+12025550111"),
    ("1 202 555 0111", "US", None, "+12025550111"),
    ("(202) 555-0111", "US", None, "+12025550111"),
    ("+1 (202) 555-0111", "GB", None, "+12025550111"),
    ("011 44 20 7946 0101", "US", None, "+442079460101"),
    ("011442079460101", "CA", None, "+442079460101"),
    ("011 44 20 7946 0101", "JM", None, "+442079460101"),
    ("011 44 20 7946 0101", "GB", None, "+442079460101"),
    ("00 44 20 7946 0101", "US", None, "+442079460101"),
    ("0091 98765 43210", "GB", None, "+919876543210"),
    ("00919876543210", "IN", None, "+919876543210"),
    ("0091 98765 43210", "US", None, "+919876543210"),
    ("098765 43210", "IN", None, "+919876543210"),
    ("9876543210", "IN", None, "+919876543210"),
    ("0011 44 20 7946 0101", "AU", None, "+442079460101"),
    ("0011 1 202 555 0111", "AU", None, "+12025550111"),
    ("00 44 20 7946 0101", "AU", None, "+442079460101"),
    ("02 5550 0123", "AU", None, "+61255500123"),
    ("+61 2 5550 0123", "GB", None, "+61255500123"),
    ("0061 2 5550 0123", "GB", None, "+61255500123"),
    ("010 44 20 7946 0101", "JP", None, "+442079460101"),
    ("03-1234-5678", "JP", None, "+81312345678"),
    ("090-1234-5678", "JP", None, "+819012345678"),
    ("810 44 20 7946 0101", "RU", None, "+442079460101"),
    ("8 10 44 20 7946 0101", "KZ", None, "+442079460101"),
    ("8 495 123-45-67", "RU", None, "+74951234567"),
    ("495 123 45 67", "RU", None, "+74951234567"),
    ("+7 495 123 45 67", "GB", None, "+74951234567"),
    ("06 6982 0101", "IT", None, "+390669820101"),
    ("+39 06 6982 0101", "GB", None, "+390669820101"),
    ("+39 (0)6 6982 0101", "GB", None, "+390669820101"),
    ("0039 06 6982 0101", "FR", None, "+390669820101"),
    ("347 123 4567", "IT", None, "+393471234567"),
    ("+39 (0)347 123 4567", "IT", None, "+393471234567"),
    ("912 345 678", "ES", None, "+34912345678"),
    ("212 345 678", "PT", None, "+351212345678"),
    ("01 99 00 12 34", "FR", None, "+33199001234"),
    ("+33 1 99 00 12 34", "US", None, "+33199001234"),
    ("+33 (0)1 99 00 12 34", "FR", None, "+33199001234"),
    ("030 123456", "DE", None, "+4930123456"),
    ("0 2 123 4567".replace(" ", ""), "TH", None, "+6621234567"),
    ("4002", "NU", None, "+6834002"),
    ("+683 4002", "GB", None, "+6834002"),
    ("+290 22222", "GB", None, "+29022222"),
    ("0044 20 7946 0101", "SG", None, "+442079460101"),
    ("001 44 20 7946 0101", "SG", None, "+442079460101"),
    # The network in front of us has its own international prefix, whatever the person's home is.
    ("0011 44 20 7946 0101", "GB", "AU", "+442079460101"),
    ("010 44 20 7946 0101", "GB", "JP", "+442079460101"),
    ("00 1 202 555 0111", "US", "GB", "+12025550111"),
    ("011 44 20 7946 0101", "GB", "US", "+442079460101"),
    ("020 7946 0101", "GB", "US", "+442079460101"),
    ("00 44 20 7946 0101", None, "GB", "+442079460101"),
]

REFUSED = [
    # text, home country, reason
    ("", "GB", RefusalReason.EMPTY),
    ("+", "GB", RefusalReason.EMPTY),
    (" - ", "GB", RefusalReason.EMPTY),
    ("()", "GB", RefusalReason.EMPTY),
    ("(0)", "GB", RefusalReason.EMPTY),
    ("abc", "GB", RefusalReason.NOT_DIGITS),
    ("1-800-FLOWERS", "US", RefusalReason.NOT_DIGITS),
    ("020 7946 0101 x12", "GB", RefusalReason.NOT_DIGITS),
    ("020 7946 0101,,5", "GB", RefusalReason.NOT_DIGITS),
    ("٠٢٠٧٩٤٦٠١٠١", "GB", RefusalReason.NOT_DIGITS),
    ("\uff10\uff12\uff10 7946 0101", "GB", RefusalReason.NOT_DIGITS),
    ("²²²²²²²²", "GB", RefusalReason.NOT_DIGITS),
    ("+44207946\x000101", "GB", RefusalReason.NOT_DIGITS),
    ("+442079460101&SIP/evil", "GB", RefusalReason.NOT_DIGITS),
    ("${EXTEN}", "GB", RefusalReason.NOT_DIGITS),
    ("+44 20 7946 0101\r\nVariable: x", "GB", RefusalReason.NOT_DIGITS),
    ("++442079460101", "GB", RefusalReason.NOT_DIGITS),
    ("020 7946 0101", None, RefusalReason.NO_HOME_COUNTRY),
    ("020 7946 0101", "", RefusalReason.NO_HOME_COUNTRY),
    ("2025550111", None, RefusalReason.NO_HOME_COUNTRY),
    ("+4420", "GB", RefusalReason.IMPOSSIBLE_LENGTH),
    ("+44207946010112345", "GB", RefusalReason.IMPOSSIBLE_LENGTH),
    ("0" * 65, "GB", RefusalReason.IMPOSSIBLE_LENGTH),
    ("9" * 70_000, "GB", RefusalReason.IMPOSSIBLE_LENGTH),
    ("0207946", "GB", RefusalReason.IMPOSSIBLE_LENGTH),
    ("004420", "GB", RefusalReason.IMPOSSIBLE_LENGTH),
    ("00", "GB", RefusalReason.IMPOSSIBLE_LENGTH),
    ("+210 123 45678", "GB", RefusalReason.UNKNOWN_COUNTRY_CODE),
    ("+999 123 456 789", "GB", RefusalReason.UNKNOWN_COUNTRY_CODE),
    ("00 999 123 456 789", "GB", RefusalReason.UNKNOWN_COUNTRY_CODE),
    ("+0044 20 7946 0101", "GB", RefusalReason.UNKNOWN_COUNTRY_CODE),
    ("447911123456", "US", RefusalReason.NOT_A_NUMBER),
    ("555 0111", "US", RefusalReason.NOT_A_NUMBER),
    ("0044 1632 960123", "SG", RefusalReason.NOT_A_NUMBER),
    ("112", "GB", RefusalReason.EMERGENCY),
    ("911", "GB", RefusalReason.EMERGENCY),
    ("999", "US", RefusalReason.EMERGENCY),
    ("000", "GB", RefusalReason.EMERGENCY),
    ("110", None, RefusalReason.EMERGENCY),
    ("1-1-2", "DE", RefusalReason.EMERGENCY),
    ("+112", "GB", RefusalReason.EMERGENCY),
    ("+44 112", "GB", RefusalReason.EMERGENCY),
    ("0044 999", "GB", RefusalReason.EMERGENCY),
    ("+1 911", "GB", RefusalReason.EMERGENCY),
    ("15", "FR", RefusalReason.EMERGENCY),
    ("1177", "SE", RefusalReason.SHORT_CODE),
    ("116123", "GB", RefusalReason.SHORT_CODE),
    ("22000", "US", RefusalReason.SHORT_CODE),
    ("1", "GB", RefusalReason.SHORT_CODE),
    ("0", "GB", RefusalReason.SHORT_CODE),
]

BARRED = [
    ("1-900-555-0100", "US", RefusalReason.PREMIUM),
    ("+1 900 555 0100", "GB", RefusalReason.PREMIUM),
    ("0909 879 0001", "GB", RefusalReason.PREMIUM),
    ("+44 909 879 0001", "US", RefusalReason.PREMIUM),
    ("0871 234 5678", "GB", RefusalReason.PREMIUM),
    ("0900 1 123456", "DE", RefusalReason.PREMIUM),
    ("0892 12 34 56", "FR", RefusalReason.PREMIUM),
    ("+61 1900 123 456", "GB", RefusalReason.PREMIUM),
    ("0180 2 123456", "DE", RefusalReason.SHARED_COST),
    ("+870 773 111 632", "GB", RefusalReason.SATELLITE),
    ("00 881 6 12345678", "GB", RefusalReason.SATELLITE),
    ("+882 16 1234567", "GB", RefusalReason.GLOBAL),
    ("+883 5100 0123 4567", "GB", RefusalReason.GLOBAL),
    ("+878 10 1234567890", "GB", RefusalReason.GLOBAL),
    ("+979 1 2345 6789", "GB", RefusalReason.GLOBAL),
    ("+808 1234 5678", "GB", RefusalReason.GLOBAL),
    ("+800 1234 5678", "GB", RefusalReason.GLOBAL),
]


@pytest.mark.parametrize(("text", "home", "ingress", "number"), UNDERSTOOD)
def test_R20_R26_every_natural_spelling_is_understood(
    text: str, home: str | None, ingress: str | None, number: str
) -> None:
    assert str(normalise(text, home_country=home, ingress_country=ingress)) == number


def test_every_reason_has_a_remedy() -> None:
    assert set(REMEDIES) == set(RefusalReason)


def test_R20_the_table_has_at_least_sixty_spellings() -> None:
    assert len(UNDERSTOOD) >= 60


@pytest.mark.parametrize(("text", "home", "reason"), REFUSED)
def test_F008_what_is_no_number_is_refused_with_reason_and_remedy(
    text: str, home: str | None, reason: RefusalReason
) -> None:
    with pytest.raises(NumberRefused) as caught:
        normalise(text, home_country=home)
    assert caught.value.reason is reason
    assert caught.value.remedy == str(caught.value)
    assert caught.value.remedy.endswith(".")


@pytest.mark.parametrize(("text", "home", "reason"), BARRED)
def test_F008_numbers_that_cost_too_much_are_refused_before_dialling(
    text: str, home: str, reason: RefusalReason
) -> None:
    refusal = dialling_refusal(text, home)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is reason
    assert dialling_refusal(normalise(text, home_country=home)) == refusal


def test_F007_three_spellings_are_one_number() -> None:
    spellings = ("+44 20 7946 0101", "0044 20 7946 0101", "+44(0)20 7946 0101")
    assert {str(normalise(text, home_country="GB")) for text in spellings} == {"+442079460101"}


def test_F007_a_home_form_without_home_country_is_refused_and_the_form_named() -> None:
    with pytest.raises(NumberRefused, match=r"\+44 20 7946 0101"):
        normalise("020 7946 0101", home_country=None)


@pytest.mark.parametrize("text", ["911", "112", "999"])
@pytest.mark.parametrize("home", ["GB", "US", "FR", "PH", None])
def test_F041_emergency_numbers_are_refused_wherever_the_subscriber_is_at_home(
    text: str, home: str | None
) -> None:
    refusal = dialling_refusal(text, home)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is RefusalReason.EMERGENCY
    assert "dial locally" in refusal.remedy


def test_an_ordinary_number_is_dialable_and_nothing_else() -> None:
    outcome = dialling_refusal("020 7946 0101", "GB")
    assert outcome == Dialable(number=E164("442079460101"))
    assert not outcome


def test_an_operator_can_enable_satellites_but_not_emergency_numbers() -> None:
    enabled = frozenset(NumberKind)
    assert dialling_refusal("+870773111632", enabled=enabled) == Dialable(number=E164("870773111632"))
    assert dialling_refusal("112", "GB", enabled=enabled)


def test_a_number_of_ours_with_an_unassigned_country_code_is_refused() -> None:
    refusal = dialling_refusal(E164("210123456789"))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is RefusalReason.UNKNOWN_COUNTRY_CODE


@pytest.mark.parametrize(
    "text",
    [
        "+4420",
        "442079460101",
        "+44 20 7946 0101",
        "+0442079460101",
        "+44207946010\u0661",
        "",
        "+",
        "+44207946010a",
    ],
)
def test_only_the_exact_form_is_parsed(text: str) -> None:
    with pytest.raises(NumberRefused):
        E164.parse(text)


def test_a_parsed_number_is_written_as_it_was() -> None:
    assert str(E164.parse("+442079460101")) == "+442079460101"
    assert E164.parse("+442079460101").digits == "442079460101"


def test_the_bad_code_of_a_country_is_an_error_that_names_the_form() -> None:
    with pytest.raises(ValueError, match="two-letter ISO 3166 code"):
        normalise("020 7946 0101", home_country="UK")


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("442079460101", "GB"),
        ("447700900123", "GB"),
        ("12025550111", "US"),
        ("14165550111", "CA"),
        ("18765550111", "JM"),
        ("74951234567", "RU"),
        ("77272501234", "KZ"),
        ("639171234567", "PH"),
        ("870773111632", WORLD),
        ("210123456789", WORLD),
    ],
)
def test_the_country_of_a_number_is_known(number: str, country: str) -> None:
    assert country_of(E164(number)) == country


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("442079460101", NumberKind.FIXED),
        ("447911123456", NumberKind.MOBILE),
        ("12025550111", NumberKind.FIXED_OR_MOBILE),
        ("18005550199", NumberKind.TOLL_FREE),
        ("870773111632", NumberKind.SATELLITE),
        ("881612345678", NumberKind.SATELLITE),
        ("883510001234567", NumberKind.GLOBAL),
        ("447012345678", NumberKind.PERSONAL),
        ("210123456789", NumberKind.UNKNOWN),
    ],
)
def test_the_kind_of_a_number_is_known(number: str, kind: NumberKind) -> None:
    assert kind_of(E164(number)) is kind


@pytest.mark.parametrize(
    ("text", "home", "named"),
    [
        ("+442079460101", "GB", True),
        ("00442079460101", "US", True),
        ("011442079460101", "US", True),
        ("0011442079460101", "AU", True),
        ("010442079460101", "JP", True),
        ("810442079460101", "RU", True),
        ("02079460101", "GB", False),
        ("011442079460101", "GB", False),
        ("2025550111", "US", False),
        ("", "GB", False),
    ],
)
def test_F128_it_is_known_whether_a_spelling_names_its_country(text: str, home: str, named: bool) -> None:
    assert names_its_country(text, home_country=home) is named


def test_satellite_and_premium_numbers_are_barred_even_if_the_library_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("phonenumbers.number_type", lambda _number: 1)
    for text in ("+870773111632", "+881612345678", "+883510001234567", "+19005550100", "+449098790001"):
        assert dialling_refusal(text)


@pytest.mark.parametrize("code", ["870", "878", "881", "882", "883", "979", "808", "888", "800", "991"])
def test_T03_no_number_of_a_global_or_satellite_code_is_dialable(code: str) -> None:
    for length in range(7, 16):
        for tail in ("0123456789012", "1234567890123", "6161616161616", "9876543210987"):
            assert dialling_refusal(f"+{code}{tail}"[: length + 1])


def test_all_countries_have_a_code() -> None:
    assert len(countries()) > 240
    assert country_code_of("GB") == 44
    assert all(country_code_of(country) > 0 for country in countries())


def test_the_big_geocoding_tables_are_never_loaded() -> None:
    assert not [name for name in sys.modules if name.startswith("phonenumbers.geo")]
