"""A bill run that is killed -9 at each of its steps, and run again: the same invoices, no gap, none twice."""

import hashlib
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from killed_run import SETTINGS, STEPS
from sqlalchemy import Connection, func, select
from storeworld import CLERK, callback, play, story

from store import papers
from store.customers import Account, Subscriber, add_account, add_number, add_subscriber
from store.database import Database
from store.invoicetables import invoice_sessions
from store.verify import verify
from values.e164 import E164

ROOT = Path(__file__).parents[3]
ACCOUNTS = 5


def calls_of_a_month(connection: Connection) -> None:
    for index in range(1, ACCOUNTS):
        owner = Account(
            id=f"acct{index}", name=f"Account {index}", currency="EUR", zone="Europe/London",
            plan_name="standard", credit_limit_units=50_0000,
        )  # fmt: skip
        add_account(connection, owner, CLERK)
        person = Subscriber(id=f"sub{index}", account_id=owner.id, name=f"Person {index}", home_country="GB")
        add_subscriber(connection, person, CLERK)
        phone = E164.parse(f"+44207946020{index}")
        add_number(connection, subscriber_id=person.id, number=phone, author=CLERK, verified=True)
        first = replace(callback(f"cb{index}9"), account_id=owner.id, subscriber_id=person.id, number_a=phone)
        play(connection, first, story(first, talk_seconds=31 + index))
    first = callback("cb1")
    play(connection, first, story(first))


def settings_of(company: Database, folder: Path) -> Path:
    company.call("calls", calls_of_a_month)
    file = folder / "switch.toml"
    file.write_text(SETTINGS.format(url=company.url, secret="s" * 32))
    return file


def start(config: Path, step: str, *more: str) -> "subprocess.Popen[str]":
    script = ROOT / "tests" / "support" / "killed_run.py"
    return subprocess.Popen(
        [sys.executable, str(script), str(config), step, *more],
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'support'}", "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(config: Path, *more: str) -> None:
    again = start(config, "-", *more)
    _, told = again.communicate(timeout=100)
    assert again.returncode == 0, told


def outcome(company: Database) -> list[tuple[str, str, str]]:
    """Number, account and the hash of all its papers, for each invoice."""
    found = []
    for each in company.read("list", papers.list_issued):
        made = hashlib.sha256()
        for form in papers.FORMS:
            if form != "xml":
                made.update(company.read("paper", papers.paper, each.number, form))
        found.append((each.number, each.account_id, made.hexdigest()))
    return found


def is_whole(company: Database) -> None:
    found = outcome(company)
    assert [number for number, _, _ in found] == [f"INV-2026-{count:05}" for count in range(1, ACCOUNTS + 1)]
    assert len({account for _, account, _ in found}) == ACCOUNTS
    assert company.read("verify", verify) == ()
    marked = company.read(
        "marked", lambda connection: connection.execute(select(func.count()).select_from(invoice_sessions))
        .scalar_one(),
    )  # fmt: skip
    assert marked == ACCOUNTS


# A killed program takes seconds: the two kinds of step are tried always, on an engine each, the rest slowly.
SOON = {("postgresql", "before the commit"), ("sqlite", "a paper kept")}
MARKS = {"sqlite": [], "postgresql": [pytest.mark.postgres]}
EACH = [
    pytest.param(engine, step, marks=marks if (engine, step) in SOON else [*marks, pytest.mark.slow])
    for engine, marks in MARKS.items()
    for step in STEPS
]


@pytest.mark.parametrize(("engine", "step"), EACH, indirect=["engine"])
def test_F150_killed_at_each_step_and_run_again(company: Database, tmp_path: Path, step: str) -> None:
    config = settings_of(company, tmp_path)
    killed = start(config, step, "--processes", "1")
    _, told = killed.communicate(timeout=100)
    assert killed.returncode == -signal.SIGKILL, told
    before = [(each.number, each.account_id) for each in company.read("list", papers.list_issued)]
    finish(config, "--processes", "1")
    is_whole(company)
    kept = outcome(company)
    assert [(number, account) for number, account, _ in kept][: len(before)] == before
    finish(config, "--processes", "1")
    assert outcome(company) == kept


@pytest.mark.slow
def test_F150_papers_do_not_depend_on_how_often_a_run_was_killed(company: Database, tmp_path: Path) -> None:
    config = settings_of(company, tmp_path)
    for step in ("before the papers", "a paper made", "a paper kept"):
        killed = start(config, step, "--processes", "1")
        _, told = killed.communicate(timeout=100)
        assert killed.returncode == -signal.SIGKILL, told
    numbers = [each.number for each in company.read("list", papers.list_issued)]
    fresh = {number: fresh_hash(company, number) for number in numbers}
    finish(config)
    assert {number: digest for number, _, digest in outcome(company)} == fresh


def fresh_hash(company: Database, number: str) -> str:
    from billing.render import forms

    made = forms(company.read("invoice", papers.invoice_of, number))
    return hashlib.sha256(b"".join(made[form] for form in papers.FORMS if form != "xml")).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.4, 0.8, 1.2, 1.6, 2.0, 2.4, 3.0])
def test_F150_killed_at_any_moment_with_processes_at_work(
    company: Database, tmp_path: Path, seconds: float
) -> None:
    config = settings_of(company, tmp_path)
    killed = start(config, "-", "--processes", "2")
    time.sleep(seconds)
    killed.kill()
    killed.communicate(timeout=100)
    finish(config, "--processes", "2")
    is_whole(company)
