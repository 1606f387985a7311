"""What can be said, and that it can be said in English."""

import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from calls.callback import Reason
from ivr.prompts import (
    CURRENCIES,
    NotSpeakable,
    language_to_speak,
    prompt_ids,
    say_country,
    say_digits,
    say_minutes,
    say_money,
    say_number,
    say_reason,
    sounds_of,
)
from values.e164 import RefusalReason, countries


def english() -> dict[str, str]:
    path = Path(__file__).parents[3] / "etc" / "prompts" / "en.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def words(sounds: tuple[str, ...]) -> str:
    sentences = english()
    return " ".join(sentences[sound.removeprefix("dialback/")] for sound in sounds)


def test_every_prompt_has_an_english_sentence_and_every_sentence_a_prompt() -> None:
    assert set(english()) == prompt_ids()


def test_english_sentences_are_plain_text_that_a_synthesiser_reads_well() -> None:
    for prompt_id, sentence in english().items():
        assert sentence == sentence.strip(), prompt_id
        assert sentence, prompt_id
        assert sentence.isascii(), prompt_id
        assert not set(sentence) & set('&/()[]<>#*"\\0123456789'), prompt_id
        assert len(sentence) < 220, prompt_id


def test_prompt_ids_are_safe_file_names() -> None:
    assert all(set(prompt_id) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for prompt_id in prompt_ids())


@pytest.mark.parametrize("reason", [*Reason, *RefusalReason])
def test_every_reason_can_be_said(reason: Reason | RefusalReason) -> None:
    assert words(say_reason(reason))


def test_F041_the_words_for_an_emergency_number_are_dial_locally() -> None:
    assert "dial locally" in words(say_reason(RefusalReason.EMERGENCY))
    assert say_reason(Reason.EMERGENCY) == say_reason(RefusalReason.EMERGENCY)


def test_a_sound_lies_in_the_folder_of_our_own() -> None:
    assert sounds_of("welcome", "digit-0") == ("dialback/welcome", "dialback/digit-0")


def test_digits_are_said_one_by_one() -> None:
    assert words(say_digits("0207")) == "zero two zero seven"


@pytest.mark.parametrize("digits", ["", "1a", "+44", "\u0664"])
def test_only_digits_are_said_as_digits(digits: str) -> None:
    with pytest.raises(NotSpeakable):
        say_digits(digits)


def test_countries_are_said_by_name() -> None:
    assert words(say_country("GB")) == "United Kingdom"
    assert words(say_country("001")) == "an international network"
    assert all(words(say_country(country)) for country in countries())
    with pytest.raises(NotSpeakable):
        say_country("XX")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "zero"),
        (7, "seven"),
        (13, "thirteen"),
        (59, "fifty nine"),
        (60, "sixty"),
        (61, "sixty one"),
        (99, "ninety nine"),
        (100, "one hundred"),
        (120, "one hundred twenty"),
        (848, "eight hundred forty eight"),
        (1000, "one thousand"),
        (7200, "seven thousand two hundred"),
        (1_000_001, "one million one"),
    ],
)
def test_whole_numbers_are_said_in_words(number: int, said: str) -> None:
    assert words(say_number(number)) == said


@pytest.mark.parametrize("number", [-1, 1_000_000_000])
def test_a_number_without_words_is_an_error(number: int) -> None:
    with pytest.raises(NotSpeakable):
        say_number(number)


def test_minutes_are_counted() -> None:
    assert words(say_minutes(1)) == "one minute"
    assert words(say_minutes(14)) == "fourteen minutes"
    assert words(say_minutes(0)) == "zero minutes"


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        ("0", "USD", "zero dollars"),
        ("0.24", "USD", "twenty four cents"),
        ("0.01", "USD", "one cent"),
        ("0.124", "USD", "twelve point four cents"),
        ("0.0085", "USD", "zero point eight five cents"),
        ("1.0000", "USD", "one dollar"),
        ("1.05", "EUR", "one euro and five cents"),
        ("1.0425", "USD", "one dollar and four point two five cents"),
        ("2.01", "GBP", "two pounds and one penny"),
        ("4.99", "GBP", "four pounds and ninety nine pence"),
        ("100.00", "CHF", "one hundred francs"),
        ("-3.5", "USD", "minus three dollars and fifty cents"),
    ],
)
def test_money_is_said_exactly(amount: str, currency: str, said: str) -> None:
    assert words(say_money(Decimal(amount), currency)) == said


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("1", "XAU"), ("0.00001", "USD"), ("NaN", "USD"), ("Infinity", "USD"), ("1000000000", "USD")],
)
def test_money_that_cannot_be_said_exactly_is_an_error(amount: str, currency: str) -> None:
    with pytest.raises(NotSpeakable):
        say_money(Decimal(amount), currency)


def test_every_currency_with_words_can_be_said() -> None:
    assert all(words(say_money(Decimal("1.01"), currency)) for currency in CURRENCIES)


@pytest.mark.parametrize(
    ("wanted", "installed", "spoken"),
    [
        ("fr", ["en", "fr"], "fr"),
        ("fr_CA", ["en", "fr"], "fr"),
        ("fr-CA", ["en", "fr_CA", "fr"], "fr_CA"),
        ("de", ["en", "fr"], "en"),
        ("", ["en"], "en"),
        ("en", [], "en"),
    ],
)
def test_the_subscribers_language_is_spoken_if_it_is_installed(
    wanted: str, installed: list[str], spoken: str
) -> None:
    assert language_to_speak(wanted, installed) == spoken
