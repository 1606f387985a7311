"""F068 over a year: each callback is on the invoice of the month in which it ended in its zone, once."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from months import SELLER, ZONES, call, close_month, on_invoices, open_accounts
from sqlalchemy import Connection

from billing.period import month as month_of
from staff.drafts import draft
from store import papers
from store.database import Database
from store.verify import verify

MICROSECOND = timedelta(microseconds=1)
# London's clocks in 2026: forward on 29 March at 01:00 UTC, back on 25 October at 01:00 UTC.
CLOCK_CHANGES = (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC))


def edges(zone: str) -> list[datetime]:
    """The last microsecond of each month, the first one, and those around changes of clocks."""
    starts = [month_of(2026, number, zone).starts_at for number in range(2, 13)]
    moments = [each for start in starts for each in (start - MICROSECOND, start)]
    return moments + [each + shift for each in CLOCK_CHANGES for shift in (-MICROSECOND, timedelta(0))]


def a_year_of_calls(connection: Connection) -> None:
    open_accounts(connection)
    for name, zone in ZONES.items():
        for index, ended_at in enumerate(edges(zone)):
            call(connection, name, f"{name}{index:02}", ended_at)


def test_F068_I7_twelve_months_over_two_changes_of_clocks_put_each_callback_on_one_invoice(
    company: Database,
) -> None:
    company.call("calls", a_year_of_calls)
    for number in range(1, 13):
        at = datetime(2026 + number // 12, number % 12 + 1, 3, tzinfo=UTC)
        drafts = {
            name: company.read("draft", draft, name, month=(2026, number), now=at, seller=SELLER)
            for name in ZONES
        }
        found = close_month(company, 2026, number, at=at)
        assert [head.account_id for head in found.heads] == sorted(ZONES)
        for head in found.heads:
            assert head.totals == drafts[head.account_id].totals
    marked = company.read("marked", on_invoices)
    for name, zone in ZONES.items():
        for index, ended_at in enumerate(edges(zone)):
            local = ended_at.astimezone(ZoneInfo(zone))
            assert marked[f"{name}{index:02}"] == [(name, f"{local:%Y-%m}")]
    assert sum(map(len, marked.values())) == len(ZONES) * len(edges("UTC"))
    numbers = [each.number for each in company.read("list", papers.list_issued)]
    assert numbers == [str(count) for count in range(1, 49)]
    assert company.read("verify", verify) == ()


def test_F068_the_month_ends_fourteen_hours_earlier_in_Kiritimati_than_at_Greenwich(
    company: Database,
) -> None:
    company.call("accounts", open_accounts)
    found = close_month(company, 2026, 3, at=datetime(2026, 3, 31, 10, tzinfo=UTC))
    assert [head.account_id for head in found.heads] == ["kiri"]
    assert [held.account_id for held in found.held] == ["hono", "kolk", "lond"]
    assert found.heads[0].issued_on == date(2026, 4, 1)
