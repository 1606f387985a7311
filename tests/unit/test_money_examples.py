"""What docs/MONEY.md works out for bands, surcharges, packages and routes comes out of the program."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from priced import LegRole, a_plan, a_rate

from rating.credit import LongestTalk, longest_talk
from rating.packages import monthly_fee_due
from rating.plan import ALegPolicy, Plan
from rating.price import Pins, price_leg
from rating.rate import Rate
from rating.routes import Offer, choose_routes

MONEY = (Path(__file__).parents[2] / "docs" / "MONEY.md").read_text(encoding="utf-8")
BOUNDED = a_plan("1/1", call_price_min=Decimal("0.20"), call_price_max=Decimal("1.50"))
PACKAGED = a_plan(package_seconds=18_000)
SEVEN = a_plan(package_seconds=18_000, overage_per_minute=Decimal(7))
SIXTY = a_rate("0.60", connect_fee=Decimal("0.05"))


def cost(seconds: int, plan: Plan, rate: Rate, pins: Pins | None = None) -> Decimal:
    return price_leg(rate=rate, plan=plan, talk_seconds=seconds, role=LegRole.B, pins=pins or Pins()).amount


def left(seconds: int) -> Pins:
    return Pins(in_package=True, package_seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A sentence, or a row of a table, and the amounts that the program gives, in its order."""

    text: str
    amounts: Sequence[Decimal]


EXAMPLES = (
    Example(
        text="| costs | {:.4f} | {:.4f} | {:.4f} | {:.4f} |",
        amounts=[cost(seconds, BOUNDED, a_rate("0.25")) for seconds in (1, 60, 240, 600)],
    ),
    Example(
        text="31 s at 0.0850, 30/1: {:.4f} to 4 decimals, {:.4f} to 3, {:.4f} to 2.",
        amounts=[cost(31, a_plan(amount_places=places), a_rate("0.0850")) for places in (4, 3, 2)],
    ),
    Example(
        text="0.085 then and 0.090 afterwards, cost {:.4f}.",
        amounts=[cost(120, a_plan(), a_rate("0.085", band="peak"))],
    ),
    Example(
        text="300 s at 0.02, 1/1, cost {:.4f}; with a surcharge of\n0.25 they cost {:.4f}.",
        amounts=[
            cost(300, a_plan("1/1"), a_rate("0.02"), Pins(surcharge_per_minute=Decimal(extra)))
            for extra in ("0", "0.25")
        ],
    ),
    Example(
        text="| deck 0.60, fee 0.05 | 300 min | 100 s | 100 s | {:.4f} |",
        amounts=[cost(100, PACKAGED, SIXTY, left(18_000))],
    ),
    Example(
        text="40 s | 100 s | 40 s | 0.05 + 60 \N{MULTIPLICATION SIGN} 0.60/60 = {:.4f} |",
        amounts=[cost(100, PACKAGED, SIXTY, left(40))],
    ),
    Example(
        text="| *V19.4*, overage 7 | 0 | 10 min | 0 | {:.4f}: with the fee of 1,800 the month is {:,.0f} |",
        amounts=[cost(600, SEVEN, SIXTY, left(0)) - Decimal("0.05"), 1800 + Decimal(70)],
    ),
    Example(
        text="| *V19.4*, overage 7, 1,000 min for 6,000 | 10 min | 11 min | 10 min | {:.4f}: {:,.0f} |",
        amounts=[cost(660, SEVEN, a_rate("0.60"), left(600)), 6000 + Decimal(7)],
    ),
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.text[:30])
def test_F048_what_the_manual_works_out_is_what_the_program_gives(example: Example) -> None:
    assert example.text.format(*example.amounts) in MONEY


def test_the_longest_talk_of_the_manual() -> None:
    plan = a_plan(package_seconds=600, overage_per_minute=Decimal("0.60"), a_leg_policy=ALegPolicy.FREE)
    found = longest_talk(
        available=Decimal("0.50"),
        plan=plan,
        rate_a=a_rate("0.10", "44"),
        rate_b=a_rate("0.25"),
        a_seconds_at_b_answer=0,
        pins_b=left(120),
    )
    assert isinstance(found, LongestTalk)
    text = f"0.50 at an overage of 0.60, with 120 s covered, is\n{found.seconds} s."
    assert text in MONEY


def test_V19_3_the_fees_of_the_manual() -> None:
    plan = a_plan(monthly_fee=Decimal(4), monthly_fee_waived_from=Decimal(20))
    uses = [Decimal(text) for text in ("0", "19.99", "20.00", "20.01")]
    totals = [f"{use + monthly_fee_due(plan, use):.2f}" for use in uses]
    assert f"makes {totals[0]}, {totals[1]},\n{totals[2]} and {totals[3]}." in MONEY


def test_the_margin_of_the_manual() -> None:
    offer = Offer(trunk="a", rate=a_rate("0.09"))
    (route,) = choose_routes(price=a_rate("0.25"), offers=[offer]).chosen
    assert f"a minute earns {route.margin_per_minute:.2f}, {route.margin_percent:f} %." in MONEY
