"""F078: backups are whole, online, and bring the same books back, from either engine into either."""

import hashlib
import sqlite3
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from filled_books import fill_books
from moneyed import Money
from sqlalchemy import Connection, MetaData, Table, inspect, select
from storeworld import CLERK, callback, play, story
from week import week

from billing.render import forms
from store import creditnotes, node, papers
from store.backup import _set_serial, back_up, is_filled, restore
from store.columns import metadata
from store.database import Database
from store.errors import Conflict, Invalid, NodeTaken, NotFound
from store.portability import NOT_TOLD, of_account
from store.upgrade import NEWEST, upgrade
from store.verify import verify


def everything(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
        for table in metadata.sorted_tables
        if table.name != "node"
    }


@pytest.fixture
def filled(company: Database) -> Database:
    company.call("week", week, seed=5, calls=12)
    return company


@pytest.mark.parametrize("target", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_F078_a_backup_brings_every_row_back_on_either_engine(
    filled: Database, target: str, templates: Any, tmp_path: Path
) -> None:
    file = tmp_path / "all.backup"
    back_up(filled, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (tmp_path / "new").mkdir()
    url = templates.new(target, "tables", tmp_path / "new")
    assert restore(file, url) == NEWEST
    again = Database(url)
    try:
        assert again.read("all", everything) == filled.read("all", everything)
        assert again.read("verify", verify) == ()
        # It goes on counting where it was, and the books are locked as before.
        again.call("play", play, callback("later"), story(callback("later")))
        assert again.read("verify", verify) == ()
    finally:
        again.close()


@pytest.mark.parametrize("target", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_F078_every_paper_is_the_same_bytes_after_a_restore_on_either_engine(
    company: Database, target: str, templates: Any, tmp_path: Path
) -> None:
    company.call("fill", fill_books)  # two credit notes before the invoice of March, one after it
    late = replace(CLERK, at=datetime(2026, 6, 2, 9, tzinfo=UTC), reason="noise")
    company.call("credit", creditnotes.issue, "cb1-a1", Money("0.03", "EUR"), "case 10", late)
    numbers = [each.number for each in company.read("issued", papers.list_issued)]
    assert len(numbers) == 4
    for number in numbers:
        made = forms(company.read("paper", papers.invoice_of, number))
        company.call("keep", papers.keep, number, made)
    before = company.read("papers", printed, numbers)
    assert len(before) == len(numbers) * len(papers.FORMS)
    back_up(company, tmp_path / "all.backup")
    (tmp_path / "new").mkdir()
    url = templates.new(target, "tables", tmp_path / "new")
    restore(tmp_path / "all.backup", url)
    again = Database(url)
    try:
        assert again.read("papers", printed, numbers) == before
        # Made anew from the restored books they are these bytes as well.
        for number in numbers:
            made = forms(again.read("paper", papers.invoice_of, number))
            assert not again.call("keep", papers.keep, number, made)
        assert again.read("verify", verify) == ()
    finally:
        again.close()


def printed(connection: Connection, numbers: list[str]) -> dict[tuple[str, str], str]:
    """The hash of every form of every paper; what is said of an XML that cannot be."""
    found = {}
    for number in numbers:
        for form in papers.FORMS:
            try:
                found[number, form] = hashlib.sha256(papers.paper(connection, number, form)).hexdigest()
            except NotFound as missing:
                if form != "xml":
                    raise
                found[number, form] = str(missing)
    return found


def test_a_backup_is_taken_while_others_write_and_is_whole(filled: Database, tmp_path: Path) -> None:
    writer = Database(filled.url)
    with writer.engine.connect() as other:
        # A transaction that is under way is not in the copy, and does not hold it up.
        other.exec_driver_sql("BEGIN" if not filled.is_sqlite else "BEGIN DEFERRED")
        back_up(filled, tmp_path / "one.backup")
        other.rollback()
    writer.close()
    copy = Database(f"sqlite:///{tmp_path / 'one.backup'}")
    assert copy.read("verify", verify) == ()
    copy.close()
    assert sorted(path.name for path in tmp_path.glob("one*")) == ["one.backup"]


def test_a_backup_never_overwrites_a_file(filled: Database, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    with pytest.raises(Conflict, match="is there already"):
        back_up(filled, tmp_path / "there")
    assert (tmp_path / "there").read_text() == "mine"


def test_a_database_with_accounts_is_not_restored_over(filled: Database, tmp_path: Path) -> None:
    file = tmp_path / "all.backup"
    back_up(filled, file)
    before = filled.read("all", everything)
    with pytest.raises(Conflict, match="there are accounts in it"):
        restore(file, filled.url)
    assert filled.read("all", everything) == before


def test_a_file_of_sqlite_is_put_aside_where_told(filled: Database, tmp_path: Path) -> None:
    if not filled.is_sqlite:
        pytest.skip("a server's database is never put aside")
    file, aside = tmp_path / "all.backup", tmp_path / "aside.db"
    back_up(filled, file)
    filled.call("play", play, callback("later"), story(callback("later")))
    filled.close()
    restore(file, filled.url, aside=aside)
    with sqlite3.connect(aside) as kept, sqlite3.connect(str(filled.engine.url.database)) as now:
        count = "SELECT count(*) FROM callbacks"
        assert kept.execute(count).fetchone()[0] == now.execute(count).fetchone()[0] + 1
    kept.close()
    now.close()


def test_nothing_is_restored_under_a_running_switch(
    database: Database, filled: Database, tmp_path: Path
) -> None:
    file = tmp_path / "all.backup"
    back_up(filled, file)
    lock = node.lock(filled)
    try:
        with pytest.raises(NodeTaken):
            restore(file, filled.url)
    finally:
        lock.close()


def test_what_is_no_backup_is_refused_before_anything_changes(filled: Database, tmp_path: Path) -> None:
    nonsense, other = tmp_path / "nonsense", tmp_path / "other.db"
    nonsense.write_bytes(b"not a database at all" * 100)
    with sqlite3.connect(other) as made:
        made.execute("CREATE TABLE mine (a)")
    made.close()
    for file, match in ((nonsense, "is no backup"), (other, "none of our tables")):
        with pytest.raises(Invalid, match=match):
            restore(file, filled.url)
    with pytest.raises(NotFound):
        restore(tmp_path / "nowhere", filled.url)
    assert is_filled(filled)


def test_a_filled_database_of_the_first_revision_is_upgraded_with_all_that_is_in_it(
    filled: Database, engine: str, templates: Any, tmp_path: Path
) -> None:
    (tmp_path / "old").mkdir()
    empty_url = templates.new(engine, "empty", tmp_path / "old")
    upgrade_to_first(empty_url)
    old = Database(empty_url)
    first = old.call("fill", as_of_the_first_revision, filled.read("all", by_name))
    assert sum(map(len, first.values())) > 100
    old.close()
    assert upgrade(empty_url) == NEWEST
    assert upgrade(empty_url) == NEWEST
    now = Database(empty_url)
    try:
        assert now.read("verify", verify) == ()
        after = now.read("all", by_name)
        for table, rows in first.items():
            columns = rows[0].keys() if rows else ()
            kept = [{column: row[column] for column in columns} for row in after[table]]
            assert sorted(kept, key=repr) == sorted(rows, key=repr), table
        now.call("play", play, callback("later"), story(callback("later")))
        assert now.read("verify", verify) == ()
    finally:
        now.close()


def upgrade_to_first(url: str) -> None:
    from alembic import command
    from alembic.config import Config

    database = Database(url)
    config = Config()
    config.set_main_option("script_location", "store/migrations")
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.commit()
    database.close()


Named = dict[str, list[dict[str, Any]]]


def by_name(connection: Connection) -> Named:
    """Rows as the engine keeps them."""
    plain = MetaData()
    plain.reflect(connection)
    return {
        table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
        for table in plain.sorted_tables
        if table.name not in {"node", "alembic_version"}
    }


def as_of_the_first_revision(connection: Connection, rows: Named) -> Named:
    """Put into the old tables what they have columns for."""
    old = MetaData()
    old.reflect(connection)
    put: Named = {}
    for table in old.sorted_tables:
        if table.name in rows:
            columns = {column["name"] for column in inspect(connection).get_columns(table.name)}
            put[table.name] = [
                {name: value for name, value in row.items() if name in columns} for row in rows[table.name]
            ]
            if put[table.name]:
                connection.execute(table.insert(), put[table.name])
            _set_serial(connection, metadata.tables[table.name])
    return put


def test_an_account_gets_all_that_is_its_own_and_nothing_of_ours(filled: Database) -> None:
    told = filled.read("export", of_account, "acme")
    for table in (
        "accounts",
        "subscribers",
        "numbers",
        "callbacks",
        "legs",
        "cdrs",
        "charges",
        "callback_log",
    ):
        assert told[table], table
    text = repr(told)
    assert "carrier-x" not in text
    assert "'east'" not in text  # nor in the history
    assert all("cost" not in column for rows in told.values() for row in rows for column in row)
    charged = sum(-int(str(row["amount"]).replace(".", "")) for row in told["postings"])
    assert charged > 0
    with pytest.raises(NotFound):
        filled.read("export", of_account, "nobody")


def test_an_export_leaves_out_no_table_that_is_bound_to_an_account(filled: Database) -> None:
    bound: list[Table] = [table for table in metadata.sorted_tables if "account_id" in table.c]
    told = filled.read("export", of_account, "acme")
    rows = filled.read("all", everything)
    for table in bound:
        place = list(table.c.keys()).index("account_id")
        if table.name not in NOT_TOLD and any(row[place] == "acme" for row in rows[table.name]):
            assert table.name in told
