"""Dunning as rows: open invoices, the steps that were taken, and their end when the invoice is paid.

Reads: invoices, the account's balance, late fees as they were printed.
Gives: Dunned: each step taken, once. Whatever pays an invoice lifts its steps in the same transaction.
Knows nothing of: on which days a step is due (billing/dunning.py), how a letter looks.

Money pays the oldest invoice first, so what is still owed is owed on the newest ones.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, insert, select

from billing.acts import fee_charged
from billing.dunning import RESENDS, LateFee, Stage, Step, step_due
from calls.admission import AccountState
from store import acts, checks, ledger, receivables
from store import mails as mailqueue
from store.accountplans import plan_name_at
from store.accounts import PREPAID, Account, account, change_account, list_accounts, set_account_state
from store.audit import Author, note
from store.errors import Conflict
from store.invoicetables import invoices
from store.leaving import let_go
from store.moneytables import dunning_steps, late_fees
from store.schema import plan_versions
from values.money import from_units

LIFTED = "lifted"
WAITS = "waits"
NO_ADDRESS = "not sent: no e-mail"
IN_QUEUE = "a mail with it is in the queue: run `dialback mail run`"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInvoice:
    """An issued invoice of which something is still owed, with what it lists beside `total_units`."""

    number: str
    due_on: date
    first_day: date
    starts_at: datetime
    currency: str
    total_units: int
    open_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dunned:
    """A step that was taken, or `lifted`, or `waits`; `told` is what has to be said of it."""

    account_id: str
    number: str
    stage: str
    due_on: date
    done_at: datetime
    open_units: int
    told: str = ""


def open_invoices(connection: Connection, owner: Account) -> tuple[OpenInvoice, ...]:
    """The invoices of which something is owed, the oldest first.

    A late fee is owed with the invoice that lists it; before, it keeps open none that is paid.
    """
    owed = -ledger.standing(connection, owner.id).posted_units
    still_open = receivables.open_units(connection, owner.id, owed)
    wanted = (
        select(invoices)
        .where(invoices.c.account_id == owner.id, invoices.c.number.in_(still_open))
        .order_by(invoices.c.ends_at)
    )
    return tuple(
        OpenInvoice(
            number=row.number,
            due_on=row.due_on,
            first_day=row.first_day,
            starts_at=row.starts_at,
            currency=row.currency,
            total_units=row.total_units,
            open_units=still_open[row.number],
        )
        for row in connection.execute(wanted)
    )


def run(
    connection: Connection, account_id: str, author: Author, *, on: date | None = None
) -> tuple[Dunned, ...]:
    """Take of each open invoice the step that is due by that day of the account's zone, if there is one.

    While a mail with the invoice waits in the queue nobody was reminded: the step comes when it is sent, and
    `WAITS` stands in its place, which is not written down.
    """
    ledger.lock(connection, account_id)
    owner = account(connection, account_id)
    zone = ZoneInfo(owner.zone)
    today = on or author.at.astimezone(zone).date()
    taken: list[Dunned] = []
    for each in open_invoices(connection, owner):
        step = step_due(
            due=each.due_on,
            today=today,
            done=_done(connection, each.number, zone),
            fee=_fee(connection, owner.id, each),
            bought_from=each.first_day,
        )
        if step is not None:
            taken.append(_take(connection, each, step, author))
    return tuple(taken)


def run_all(connection: Connection, author: Author, *, on: date | None = None) -> tuple[Dunned, ...]:
    """The same for every account."""
    return tuple(
        step for owner in list_accounts(connection) for step in run(connection, owner.id, author, on=on)
    )


def relieve(connection: Connection, account_id: str, author: Author) -> None:
    """Lift what was done about invoices that are paid now; the caller has just moved the account's money."""
    dunned, taken = _under_way(connection, account_id)
    if not dunned:
        return
    owner = account(connection, account_id)
    still_open = {each.number for each in open_invoices(connection, owner)}
    paid = sorted(dunned - still_open)
    for number in paid:
        lifted = Dunned(
            account_id=account_id,
            number=number,
            stage=LIFTED,
            due_on=author.at.date(),
            done_at=author.at,
            open_units=0,
        )
        _write(connection, lifted, author)
    if paid and not still_open & dunned:
        _put_back(connection, account_id, taken, author)


def list_steps(connection: Connection, account_id: str | None = None) -> tuple[Dunned, ...]:
    """Every step that was taken, in order of time."""
    wanted = select(dunning_steps).order_by(
        dunning_steps.c.done_at, dunning_steps.c.number, dunning_steps.c.due_on
    )
    if account_id is not None:
        wanted = wanted.where(dunning_steps.c.account_id == account_id)
    return tuple(
        Dunned(
            account_id=row.account_id,
            number=row.number,
            stage=row.stage,
            due_on=row.due_on,
            done_at=row.done_at,
            open_units=row.open_units,
            told=row.told,
        )
        for row in connection.execute(wanted)
    )


def print_fee(connection: Connection, plan_name: str, fee: LateFee, author: Author) -> bool:
    """Write down a late fee and the day of its printing; False if it stands there already."""
    versions = select(plan_versions.c.currency).where(plan_versions.c.plan_name == plan_name)
    currency = connection.execute(versions.limit(1)).scalar_one()  # all versions of a plan have the same
    checks.amount("amount", fee.units, currency)
    mine = (late_fees.c.plan_name == plan_name) & (late_fees.c.printed_on == fee.printed_on)
    known = connection.execute(select(late_fees.c.units).where(mine)).scalar()
    if known is not None:
        if known != fee.units:
            problem = f"another late fee was printed for {plan_name!r} on {fee.printed_on}"
            raise Conflict("amount", problem, "name a later day: what was printed stays printed")
        return False
    row = {"plan_name": plan_name, "printed_on": fee.printed_on, "units": fee.units}
    connection.execute(insert(late_fees), {**row, "created_at": author.at, "created_by": author.name})
    note(connection, author, "dunning.fee", plan_name, after=row, currency=currency)
    return True


# how


def _fee(connection: Connection, account_id: str, each: OpenInvoice) -> LateFee | None:
    """The late fee that was in print, in the price list of the account's plan, when the month began."""
    plan_name = plan_name_at(connection, account_id, each.starts_at)
    wanted = (
        select(late_fees)
        .where(late_fees.c.plan_name == plan_name, late_fees.c.printed_on <= each.first_day)
        .order_by(late_fees.c.printed_on.desc())
        .limit(1)
    )
    row = connection.execute(wanted).first()
    return None if row is None else LateFee(units=row.units, printed_on=row.printed_on)


def _under_way(connection: Connection, account_id: str) -> tuple[set[str], dict[str, str]]:
    """The invoices that are dunned now; and what the account had before dunning took it, by stage.

    What was taken for an invoice is given back with the last one: another may be dunned when the first is
    paid, and took nothing itself, for nothing was left.
    """
    wanted = (
        select(dunning_steps)
        .where(dunning_steps.c.account_id == account_id)
        .order_by(dunning_steps.c.done_at, dunning_steps.c.number, dunning_steps.c.round)
    )
    rows = connection.execute(wanted).all()
    lifts = Counter(row.number for row in rows if row.stage == LIFTED)
    dunned = {row.number for row in rows if row.stage != LIFTED and row.round == lifts[row.number]}
    then_dunned, taken = set[str](), dict[str, str]()
    for row in rows:
        if row.stage == LIFTED:
            then_dunned.discard(row.number)
        else:
            then_dunned.add(row.number)
        if not then_dunned:
            taken.clear()
        elif row.before:
            taken[row.stage] = row.before
    return dunned, taken


def _newest_round(connection: Connection, number: str) -> int:
    """The round that is open now: each `lifted` ended one."""
    mine = (dunning_steps.c.number == number) & (dunning_steps.c.stage == LIFTED)
    return int(connection.execute(select(func.count()).select_from(dunning_steps).where(mine)).scalar_one())


def _done(connection: Connection, number: str, zone: ZoneInfo) -> dict[Stage, date]:
    """The stages of this round, each with the day on which it was done."""
    mine = (dunning_steps.c.number == number) & (dunning_steps.c.round == _newest_round(connection, number))
    wanted = select(dunning_steps.c.stage, dunning_steps.c.done_at).where(mine)
    return {Stage(row.stage): row.done_at.astimezone(zone).date() for row in connection.execute(wanted)}


def _take(connection: Connection, each: OpenInvoice, step: Step, author: Author) -> Dunned:
    owner_id = connection.execute(select(invoices.c.account_id).where(invoices.c.number == each.number))
    owner = account(connection, owner_id.scalar_one())  # again: another invoice's step may have changed it
    taken = Dunned(
        account_id=owner.id,
        number=each.number,
        stage=step.stage.value,
        due_on=step.on,
        done_at=author.at,
        open_units=each.open_units,
    )
    if mailqueue.is_waiting(connection, each.number):
        return replace(taken, stage=WAITS, told=IN_QUEUE)
    if step.stage in RESENDS and not mailqueue.resend(connection, each.number, author):
        taken = replace(taken, told=NO_ADDRESS)
    before = _act(connection, owner, each, step.stage, author)
    _write(connection, taken, author, before=before)
    return taken


def _act(connection: Connection, owner: Account, each: OpenInvoice, stage: Stage, author: Author) -> str:
    """Do what the stage means for the account; what was before, if it may be put back."""
    because = replace(author, reason=f"invoice {each.number} is not paid: {stage.replace('_', ' ')}")
    match stage:
        case Stage.LATE_FEE:
            _charge_fee(connection, owner, each, because)
        case Stage.LIMIT if owner.credit_limit_units and owner.state is not AccountState.CLOSED:
            change_account(connection, replace(owner, credit_limit_units=0), because)
            return str(owner.credit_limit_units)
        case Stage.SUSPEND if owner.state is AccountState.OPEN:
            set_account_state(connection, owner.id, AccountState.SUSPENDED, because)
            return owner.state.value
        case Stage.CLOSE if owner.state is not AccountState.CLOSED:
            let_go(connection, owner, because)
            set_account_state(connection, owner.id, AccountState.CLOSED, because)
    return ""


def _charge_fee(connection: Connection, owner: Account, each: OpenInvoice, author: Author) -> None:
    fee = _fee(connection, owner.id, each)
    assert fee is not None
    act = acts.act_of(owner.id, f"late fee of {each.number}", author)
    if acts.done(connection, owner.id, act.reference) is not None:
        return  # in an earlier round; another one may have been printed since
    amount = from_units(fee.units, owner.currency)
    said = {"currency": owner.currency, "units": fee.units}
    acts.perform(
        connection, act, lambda: fee_charged(act, amount), action="dunning.late-fee", said=said, author=author
    )


def _put_back(connection: Connection, account_id: str, taken: Mapping[str, str], author: Author) -> None:
    """Give back the credit limit and resume the account, where dunning took them; closed stays closed."""
    because = replace(author, reason="every invoice that was dunned is paid")
    owner = account(connection, account_id)
    if owner.state is AccountState.CLOSED:
        return
    # Who was made to pay in advance meanwhile has no credit any more.
    if Stage.LIMIT in taken and not owner.credit_limit_units and owner.kind != PREPAID:
        change_account(connection, replace(owner, credit_limit_units=int(taken[Stage.LIMIT])), because)
    if Stage.SUSPEND in taken and owner.state is AccountState.SUSPENDED:
        set_account_state(connection, account_id, AccountState.OPEN, because)


def _write(connection: Connection, taken: Dunned, author: Author, *, before: str = "") -> None:
    row = {
        "number": taken.number,
        "round": _newest_round(connection, taken.number),
        "stage": taken.stage,
        "account_id": taken.account_id,
        "due_on": taken.due_on,
        "open_units": taken.open_units,
        "before": before,
        "told": taken.told,
    }
    connection.execute(insert(dunning_steps), {**row, "done_at": taken.done_at, "done_by": author.name})
    currency = account(connection, taken.account_id).currency
    action = f"dunning.{taken.stage}".replace("_", "-")
    note(connection, author, action, taken.account_id, after=row, currency=currency)
