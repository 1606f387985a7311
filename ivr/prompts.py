"""What can be said: prompt ids, and how numbers, countries, minutes and money are put together from them.

Reads: values and reasons.
Gives: sound names such as `dialback/digit-4`, as tuples in the order they are played. Asterisk picks the
recording by the channel's language; the English texts are in etc/prompts/en.toml.
Knows nothing of: files, channels, what is said when (ivr/dialog.py).

The order of words is English. A language with another order brings a module like this one.
"""

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from calls.callback import Reason
from values.e164 import WORLD, RefusalReason, countries

FOLDER = "dialback"
# Asterisk's own form of a language: en, en_GB.
DEFAULT_LANGUAGE = "en"
# Money has four decimals (values/money.py): two of them below the minor unit.
MONEY_PLACES_MAX = 4
WHOLE_MAX = 999_999_999


class Prompt(StrEnum):
    """The whole sentences."""

    WELCOME = "welcome"
    ENTER_NUMBER = "enter-number"
    ENTER_NUMBER_AGAIN = "enter-number-again"
    ENTER_NEXT_NUMBER = "enter-next-number"
    NOTHING_KEYED = "nothing-keyed"
    PRESS_ANY_KEY = "press-any-key"
    CONFIRM = "confirm"
    FOLLOW_ON_1 = "follow-on-1"
    FOLLOW_ON_2 = "follow-on-2"
    FOLLOW_ON_3 = "follow-on-3"
    HELP = "help"
    GOODBYE = "goodbye"
    ENTER_TAG = "enter-tag"
    UNKNOWN_TAG = "unknown-tag"
    CODE_WELCOME = "code-welcome"
    CODE_IS = "code-is"
    CODE_AGAIN = "code-again"
    REASON_CALL_ENDED = "reason-call-ended"
    REASON_BUSY = "reason-busy"
    REASON_NO_ANSWER = "reason-no-answer"
    REASON_REJECTED = "reason-rejected"
    REASON_UNOBTAINABLE = "reason-unobtainable"
    REASON_FAILED = "reason-failed"
    REASON_NO_CREDIT = "reason-no-credit"
    REASON_SPEND_CAP = "reason-spend-cap"
    REASON_NO_RATE = "reason-no-rate"
    REASON_BLOCKED = "reason-blocked"
    REASON_COUNTRY_DENIED = "reason-country-denied"
    REASON_ACCOUNT_CLOSED = "reason-account-closed"
    REASON_INVALID_NUMBER = "reason-invalid-number"
    REASON_UNKNOWN_COUNTRY_CODE = "reason-unknown-country-code"
    REASON_WRONG_LENGTH = "reason-wrong-length"
    REASON_EMERGENCY = "reason-emergency"
    REASON_SHORT_CODE = "reason-short-code"
    REASON_PREMIUM = "reason-premium"
    REASON_SATELLITE = "reason-satellite"
    REASON_OWN_NUMBER = "reason-own-number"
    REASON_TRY_LATER = "reason-try-later"


class Word(StrEnum):
    """The words between numbers."""

    POINT = "word-point"
    MINUS = "word-minus"
    AND = "word-and"
    HUNDRED = "word-hundred"
    THOUSAND = "word-thousand"
    MILLION = "word-million"
    MINUTE = "word-minute"
    MINUTES = "word-minutes"


class CurrencyWords(NamedTuple):
    """How an amount of a currency is called: one and many of its unit and of its hundredth."""

    unit: str
    units: str
    hundredth: str
    hundredths: str


CURRENCIES = {
    "AUD": CurrencyWords("dollar", "dollars", "cent", "cents"),
    "CAD": CurrencyWords("dollar", "dollars", "cent", "cents"),
    "CHF": CurrencyWords("franc", "francs", "centime", "centimes"),
    "EUR": CurrencyWords("euro", "euros", "cent", "cents"),
    "GBP": CurrencyWords("pound", "pounds", "penny", "pence"),
    "NZD": CurrencyWords("dollar", "dollars", "cent", "cents"),
    "USD": CurrencyWords("dollar", "dollars", "cent", "cents"),
}


class NotSpeakable(ValueError):
    """There are no words for this value; the sentence says which."""


def sounds_of(*prompt_ids: str) -> tuple[str, ...]:
    """The sound names of these prompts."""
    return tuple(f"{FOLDER}/{prompt_id}" for prompt_id in prompt_ids)


def say_reason(reason: Reason | RefusalReason) -> tuple[str, ...]:
    """Why a call was not made or ended."""
    if isinstance(reason, RefusalReason):
        return sounds_of(_REFUSAL_PROMPTS[reason])
    return sounds_of(_REASON_PROMPTS.get(reason, Prompt.REASON_TRY_LATER))


def say_digits(digits: str) -> tuple[str, ...]:
    """The digits, one by one."""
    if not (digits.isascii() and digits.isdigit()):
        raise NotSpeakable("only the digits 0 to 9 are read out one by one")
    return sounds_of(*(f"digit-{digit}" for digit in digits))


def say_country(country: str) -> tuple[str, ...]:
    """The name of a country, by its ISO 3166 code; `001` is an international network."""
    if country not in (*countries(), WORLD):
        raise NotSpeakable(f"{country!r} is no country")
    return sounds_of(f"country-{country.lower()}")


def say_number(number: int) -> tuple[str, ...]:
    """A whole number from 0 to 999,999,999 in words."""
    return sounds_of(*_words_of(number))


def say_minutes(minutes: int) -> tuple[str, ...]:
    """So many minutes."""
    return say_number(minutes) + sounds_of(Word.MINUTE if minutes == 1 else Word.MINUTES)


def say_money(amount: Decimal, currency: str) -> tuple[str, ...]:
    """An amount, exactly to its last decimal: 1.0425 USD is one dollar and four point two five cents."""
    words = CURRENCIES.get(currency)
    if words is None:
        raise NotSpeakable(f"there are no words for the currency {currency!r}")
    whole, hundredths = _split(amount)
    said: list[str] = [Word.MINUS] if amount < 0 else []
    if whole or not hundredths:
        said += _words_of(whole)
        said.append(f"money-{words.unit if whole == 1 else words.units}")
    if whole and hundredths:
        said.append(Word.AND)
    if hundredths:
        said += _decimal_words(hundredths)
        said.append(f"money-{words.hundredth if hundredths == 1 else words.hundredths}")
    return sounds_of(*said)


def language_to_speak(wanted: str, installed: Iterable[str]) -> str:
    """The language of the recordings: as wanted, else without its region (`fr_CA` → `fr`), else English."""
    have = set(installed)
    for language in (wanted, wanted.replace("-", "_"), wanted.replace("-", "_").split("_")[0]):
        if language in have:
            return language
    return DEFAULT_LANGUAGE


def prompt_ids() -> frozenset[str]:
    """Every prompt that can be said; each has a sentence in etc/prompts/en.toml."""
    ids: set[str] = {*Prompt, *Word}
    ids |= {f"digit-{digit}" for digit in range(10)}
    ids |= {f"number-{number}" for number in (*range(_WHOLE_WORDS), *range(_WHOLE_WORDS, 100, 10))}
    ids |= {f"country-{country.lower()}" for country in (*countries(), WORLD)}
    ids |= {f"money-{word}" for words in CURRENCIES.values() for word in words}
    return frozenset(ids)


# Numbers below are one recording each, which sounds better than two.
_WHOLE_WORDS = 60


def _words_of(number: int) -> list[str]:
    if not 0 <= number <= WHOLE_MAX:
        raise NotSpeakable(f"only 0 to {WHOLE_MAX} can be said in words")
    words: list[str] = []
    for size, word in ((1_000_000, Word.MILLION), (1_000, Word.THOUSAND), (100, Word.HUNDRED)):
        count, number = divmod(number, size)
        if count:
            words += [*_words_of(count), word]
    if number >= _WHOLE_WORDS:
        words.append(f"number-{number - number % 10}")
        number %= 10
    if number or not words:
        words.append(f"number-{number}")
    return words


def _split(amount: Decimal) -> tuple[int, Decimal]:
    """Whole units, and hundredths with what is below them."""
    if not amount.is_finite():
        raise NotSpeakable("this is not an amount")
    scaled = abs(amount).scaleb(MONEY_PLACES_MAX)
    if scaled != int(scaled):
        raise NotSpeakable(f"an amount has at most {MONEY_PLACES_MAX} decimals")
    whole, parts = divmod(int(scaled), 10**MONEY_PLACES_MAX)
    return whole, Decimal(parts).scaleb(2 - MONEY_PLACES_MAX)


def _decimal_words(value: Decimal) -> list[str]:
    whole, _, decimals = f"{value:f}".partition(".")
    words = _words_of(int(whole))
    decimals = decimals.rstrip("0")
    if decimals:
        words += [Word.POINT, *(f"digit-{digit}" for digit in decimals)]
    return words


_REASON_PROMPTS = {
    Reason.TALKED: Prompt.REASON_CALL_ENDED,
    Reason.BUSY: Prompt.REASON_BUSY,
    Reason.NO_ANSWER: Prompt.REASON_NO_ANSWER,
    Reason.REJECTED: Prompt.REASON_REJECTED,
    Reason.UNOBTAINABLE: Prompt.REASON_UNOBTAINABLE,
    Reason.CONGESTION: Prompt.REASON_FAILED,
    Reason.NO_ROUTE: Prompt.REASON_FAILED,
    Reason.NO_CREDIT: Prompt.REASON_NO_CREDIT,
    Reason.SPEND_CAP: Prompt.REASON_SPEND_CAP,
    Reason.NO_RATE: Prompt.REASON_NO_RATE,
    Reason.BLOCKED: Prompt.REASON_BLOCKED,
    Reason.COUNTRY_DENIED: Prompt.REASON_COUNTRY_DENIED,
    Reason.ACCOUNT_CLOSED: Prompt.REASON_ACCOUNT_CLOSED,
    Reason.NUMBER_REFUSED: Prompt.REASON_INVALID_NUMBER,
    Reason.EMERGENCY: Prompt.REASON_EMERGENCY,
    Reason.OWN_NUMBER: Prompt.REASON_OWN_NUMBER,
}
_REFUSAL_PROMPTS = {
    RefusalReason.EMPTY: Prompt.REASON_INVALID_NUMBER,
    RefusalReason.NOT_DIGITS: Prompt.REASON_INVALID_NUMBER,
    RefusalReason.NO_HOME_COUNTRY: Prompt.REASON_INVALID_NUMBER,
    RefusalReason.NOT_A_NUMBER: Prompt.REASON_INVALID_NUMBER,
    RefusalReason.UNKNOWN_COUNTRY_CODE: Prompt.REASON_UNKNOWN_COUNTRY_CODE,
    RefusalReason.IMPOSSIBLE_LENGTH: Prompt.REASON_WRONG_LENGTH,
    RefusalReason.EMERGENCY: Prompt.REASON_EMERGENCY,
    RefusalReason.SHORT_CODE: Prompt.REASON_SHORT_CODE,
    RefusalReason.PREMIUM: Prompt.REASON_PREMIUM,
    RefusalReason.SHARED_COST: Prompt.REASON_PREMIUM,
    RefusalReason.SATELLITE: Prompt.REASON_SATELLITE,
    RefusalReason.GLOBAL: Prompt.REASON_SATELLITE,
}
