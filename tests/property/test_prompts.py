"""What is said of an amount is the amount, to its last decimal."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ivr.prompts import CURRENCIES, say_money, say_number


def heard(words: list[str]) -> Decimal:
    """The number that a listener understands."""
    total = group = Decimal(0)
    decimals = ""
    for word in words:
        kind, _, rest = word.removeprefix("dialback/").partition("-")
        if kind == "number":
            group += int(rest)
        elif rest == "hundred":
            group *= 100
        elif rest in ("thousand", "million"):
            total += group * (1_000 if rest == "thousand" else 1_000_000)
            group = Decimal(0)
        elif kind == "digit":
            decimals += rest
    return total + group + Decimal(f"0.{decimals or 0}")


@given(number=st.integers(min_value=0, max_value=999_999_999))
def test_a_number_is_heard_as_it_is(number: int) -> None:
    assert heard(list(say_number(number))) == number


@given(units=st.integers(min_value=-(10**12), max_value=10**12), currency=st.sampled_from(sorted(CURRENCIES)))
def test_an_amount_is_heard_as_it_is(units: int, currency: str) -> None:
    amount = Decimal(units).scaleb(-4)
    names = CURRENCIES[currency]
    said = [word.removeprefix("dialback/") for word in say_money(amount, currency)]
    whole = hundredths = Decimal(0)
    part: list[str] = []
    for word in said:
        if word in (f"money-{names.unit}", f"money-{names.units}"):
            whole, part = heard(part), []
        elif word in (f"money-{names.hundredth}", f"money-{names.hundredths}"):
            hundredths, part = heard(part), []
        else:
            part.append(word)
    sign = -1 if "word-minus" in said else 1
    assert sign * (whole + hundredths / 100) == amount
