"""Which prefixes would be sold below what they cost.

Reads: tables of what we sell for and of what carriers ask (rating/ratetable.py).
Gives: a Finding for each prefix at which every carrier costs more than it is sold for.
Knows nothing of: plans' margin floors, which refuse such routes call by call (rating/routes.py).

Every prefix of either side is looked at: a carrier may break a country down further than we do, and charge
more for a part of it. Of several bands the cheapest price and the dearest cost count.
"""

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge

from rating.findings import Finding, FindingKind
from rating.raterow import RateRow
from rating.ratetable import RateTable
from values.money import plain_decimal, rate_from_units


def losses(plan: str, prices: RateTable, costs: Mapping[str, RateTable], instant: int) -> Iterator[Finding]:
    """Yield the prefixes that lose money from `instant` on; `costs` by trunk, in the plan's currency."""
    sources = [prices.prefixes(), *(table.prefixes() for table in costs.values())]
    before = ""
    for prefix in merge(*sources):
        if prefix == before:
            continue
        before = prefix
        price = _last(prices, prefix, instant)
        if not price:
            continue
        sold = min(_minute(row) for row in price)
        found = [(max(map(_minute, rows)), trunk) for trunk, rows in _asked(costs, prefix, instant) if rows]
        if found and min(found)[0] > sold:
            cost, trunk = min(found)
            text = f"plan {plan}: prefix {prefix} is sold at {_price(sold)}, {trunk} asks {_price(cost)}"
            yield Finding(FindingKind.LOSS, 0, prefix, text)


def _asked(costs: Mapping[str, RateTable], prefix: str, instant: int) -> Iterable[tuple[str, list[RateRow]]]:
    return ((trunk, _last(table, prefix, instant)) for trunk, table in costs.items())


def _last(table: RateTable, digits: str, instant: int) -> list[RateRow]:
    """Return the rows, one a band, that hold at last for the longest prefix; none if it is blocked."""
    for rows in table.rows_for(digits):
        lasting = {row.band: row for row in rows if row.valid_till is None or row.valid_till > instant}
        if lasting:
            return [] if any(row.blocked for row in lasting.values()) else list(lasting.values())
    return []


def _minute(row: RateRow) -> int:
    return row.per_minute + (row.connect_fee or 0) + (row.attempt_fee or 0)


def _price(units: int) -> str:
    text = plain_decimal(rate_from_units(units), 8)
    return text[:-4] + text[-4:].rstrip("0")
