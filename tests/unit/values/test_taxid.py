import pytest

from values.taxid import EU, TaxIdRefused, is_in_eu, tax_country, tax_id, tax_place


def test_the_union_has_twenty_seven_members_and_the_united_kingdom_is_none() -> None:
    assert len(EU) == 27
    assert is_in_eu("DE")
    assert is_in_eu("ES-CN")
    assert not is_in_eu("GB")
    assert not is_in_eu("")


@pytest.mark.parametrize(("written", "place"), [("de", "DE"), (" us-ny ", "US-NY"), ("", "")])
def test_a_place_has_one_form(written: str, place: str) -> None:
    assert tax_place(written) == place
    assert tax_country(place) == place[:2]


@pytest.mark.parametrize("wrong", ["XX", "Germany", "DE-ABCD", "D", "DE DE", "dé"])
def test_what_is_no_place_is_refused_with_the_form(wrong: str) -> None:
    with pytest.raises(TaxIdRefused, match="such as DE, or US-NY"):
        tax_place(wrong)


@pytest.mark.parametrize(
    ("written", "place", "form"),
    [
        ("DE 123 456 789", "DE", "DE123456789"),
        ("fr 40.303.265.045", "FR", "FR40303265045"),
        ("GB 123 4567 89", "GB", "GB123456789"),
        ("EL123456789", "GR", "EL123456789"),
        ("ATU12345678", "AT", "ATU12345678"),
        ("NL123456789B01", "DE", "NL123456789B01"),
        ("CHE-123.456.789 MWST", "CH", "CHE123456789MWST"),
        ("91-1144442", "US-WA", "911144442"),
        ("", "DE", ""),
    ],
)
def test_an_id_is_written_in_its_countrys_form(written: str, place: str, form: str) -> None:
    assert tax_id(written, place) == form


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ("DE12345678", "DE"),
        ("123456789", "DE"),
        ("GR123456789", "GR"),
        ("GB123", "GB"),
        ("DE" + "".join(chr(0xFF10 + digit) for digit in range(1, 10)), "DE"),
        ("A\x00B", "US"),
        ("<script>", ""),
        ("X", ""),
        ("9" * 31, "US"),
    ],
)
def test_an_id_of_another_form_is_refused_with_what_to_write(wrong: str, place: str) -> None:
    with pytest.raises(TaxIdRefused, match=r"write|leave it out"):
        tax_id(wrong, place)
