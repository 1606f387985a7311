"""What a group of calls brought in and cost: price less the costs of both legs, in one currency each.

Reads: sums of charges and costs, in 10^-4 units.
Gives: Takings with an exact margin; no margin where price and cost are in different currencies.
Knows nothing of: how the groups were made.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from values.money import half_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Takings:
    """Sums of a group. `cost_currency` is empty where nothing cost anything."""

    currency: str
    cost_currency: str
    price_units: int
    cost_a_units: int
    cost_b_units: int

    @property
    def cost_units(self) -> int:
        """Return what the carriers of both legs get."""
        return self.cost_a_units + self.cost_b_units

    @property
    def margin_units(self) -> int | None:
        """Return price less costs; None where they cannot be compared."""
        if self.cost_units and self.cost_currency != self.currency:
            return None
        return self.price_units - self.cost_units

    @property
    def margin_percent(self) -> Decimal | None:
        """Return the margin in percent of the price, with 2 decimals; None of a price of 0."""
        margin = self.margin_units
        if margin is None or not self.price_units:
            return None
        return half_up(Fraction(margin * 100, self.price_units), 2)
