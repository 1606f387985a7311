"""F078: the database backed up, restored and exported by commands."""

import json
import stat
from pathlib import Path

import pytest
from office import Office
from week import week

from staff import exits


@pytest.fixture
def busy(office: Office) -> Office:
    office.store(week, seed=3, calls=8, currency="USD")
    return office


def config_of(folder: Path, office: Office) -> str:
    """Another switch.toml like the office's, in an empty folder."""
    folder.mkdir()
    file = folder / "switch.toml"
    file.write_text((office.folder / "switch.toml").read_text())
    return str(file)


def test_F078_a_restored_backup_tells_the_same_and_its_books_agree(busy: Office, tmp_path: Path) -> None:
    file = tmp_path / "monday.backup"
    busy.done("db", "backup", str(file))
    config = config_of(tmp_path / "new", busy)
    again = Office(folder=tmp_path / "new", capsys=busy.capsys)
    again.done("db", "restore", str(file))
    assert stat.S_IMODE((tmp_path / "new" / "dialback.db").stat().st_mode) == 0o600
    again.done("ledger", "verify")
    for words in (("cdr", "list"), ("account", "list"), ("invoice", "show", "acme", "--month", "2026-03")):
        said = [office.done(*words, "--output", "json").out for office in (busy, again)]
        assert said[0] == said[1]
    assert config


def test_a_filled_database_is_replaced_only_on_request_and_kept_beside(busy: Office, tmp_path: Path) -> None:
    file = tmp_path / "monday.backup"
    busy.done("db", "backup", str(file))
    busy.done("account", "change", "acme", "--name", "Later Ltd", "--reason", "renamed")
    refused = busy("db", "restore", str(file))
    assert refused.code == exits.CONFLICT
    assert "there are accounts in it" in refused.err
    told = busy.done("db", "restore", str(file), "--yes")
    (kept,) = busy.folder.glob("dialback.db.before-*")
    assert str(kept) in told.err
    names = {row["id"]: row["name"] for row in busy.done("account", "list", "--output", "json").data}
    assert names["acme"] == "Acme Ltd"


def test_a_backup_is_never_written_over_a_file(busy: Office, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    assert busy("db", "backup", str(tmp_path / "there")).code == exits.CONFLICT
    assert (tmp_path / "there").read_text() == "mine"
    assert busy("db", "restore", str(tmp_path / "there")).code == exits.USAGE


def test_an_account_is_exported_as_json_and_that_is_logged(busy: Office, tmp_path: Path) -> None:
    file = tmp_path / "acme.json"
    busy.done("db", "export", "--account", "acme", "--file", str(file))
    told = json.loads(file.read_text())
    assert [row["id"] for row in told["accounts"]] == ["acme"]
    assert {row["account_id"] for row in told["callbacks"]} == {"acme"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = json.loads(busy.done("db", "export", "--account", "acme").out)
    assert again["callbacks"] == told["callbacks"]
    assert busy("db", "export", "--account", "nobody").code == exits.NOT_FOUND
