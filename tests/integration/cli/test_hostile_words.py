"""T27, T28: what strangers and clerks write reaches every form of output as text, and as nothing else."""

import csv
import io
import json
from pathlib import Path

import pytest
from office import Office
from openpyxl import load_workbook
from week import week

from staff import exits

HOSTILE = (
    '=HYPERLINK("http://x","y")',
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\u202eevil\u202c",
    "<script>alert(1)</script>",
    "'; DROP TABLE accounts; --",
    "${jndi:ldap://x}",
    "a | b || c",
)
STARTS = ("=", "+", "-", "@", "\t", "\r", "|", "%")
MONTH = ("--month", "2026-03")
LISTS = (
    ("account", "list"),
    ("subscriber", "list"),
    ("cdr", "list"),
    ("callback", "list"),
    ("trigger", "list"),
    ("audit", "list"),
    ("ledger", "show", "acme"),
    ("report", "usage", "--by", "tag", *MONTH),
    ("report", "margin", "--by", "tag", *MONTH),
    ("report", "quality", "--by", "destination", *MONTH),
    ("invoice", *MONTH),
)


@pytest.fixture
def attacked(office: Office) -> Office:
    """The office after a week of calls; some are under the tag `=support`."""
    office.store(week, seed=3, calls=8, currency="USD")
    return office


def name_it(office: Office, word: str) -> None:
    """Write a word wherever a person may."""
    office.done("account", "change", "acme", "--name", word, "--reason", word)
    office.done("subscriber", "change", "anna", "--name", word)


def test_T28_no_cell_of_a_csv_is_a_formula(attacked: Office) -> None:
    for word in HOSTILE[:4]:
        name_it(attacked, word)
    for words in LISTS:
        for row in csv.reader(io.StringIO(attacked.done(*words, "--output", "csv").out)):
            for cell in row:
                is_number = cell.lstrip("+-").replace(".", "", 1).isdigit()
                assert is_number or not cell.startswith(STARTS), (words, cell)


def test_T27_no_control_or_direction_character_reaches_the_terminal(attacked: Office) -> None:
    name_it(attacked, "<script>alert(1)</script>")
    for words in LISTS:
        said = attacked.done(*words).out
        assert all(char.isprintable() or char == "\n" for char in said), words
        json.loads(attacked.done(*words, "--output", "json").out)


def test_T27_a_sheet_has_hostile_words_as_text(attacked: Office, tmp_path: Path) -> None:
    file = tmp_path / "x.xlsx"
    attacked.done("report", "usage", "--by", "tag", *MONTH, "--output", "xlsx", "--file", str(file))
    sheet = load_workbook(file).active
    assert sheet is not None
    assert not [cell.value for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]


def test_T27_a_draft_in_every_form_survives_any_name(attacked: Office, tmp_path: Path) -> None:
    file = tmp_path / "draft.pdf"
    for word in HOSTILE:
        if word.isprintable():
            attacked.done("account", "change", "acme", "--name", word, "--reason", "x")
        else:
            refused = attacked("account", "change", "acme", "--name", word, "--reason", "x")
            assert refused.code == exits.USAGE
    attacked.done("invoice", "show", "acme", *MONTH, "--pdf", str(file))
    assert file.read_bytes().startswith(b"%PDF-")


def test_F098_no_secret_of_the_settings_is_ever_printed(attacked: Office) -> None:
    import tomllib

    settings = tomllib.loads((attacked.folder / "switch.toml").read_text())
    secrets = [settings["agi"]["secret"], settings["ami"]["secret"]]
    for words in (*LISTS, ("pbx", "show-config"), ("db", "check"), ("db", "export", "--account", "acme")):
        said = attacked(*words)
        assert not [secret for secret in secrets if secret in said.out + said.err], words


def test_F098_an_api_key_is_shown_once_and_is_in_no_log_or_export(attacked: Office) -> None:
    made = attacked.done("api-key", "create", "acme", "--name", "shop", "--output", "json").data
    (secret,) = [value for name, value in made.items() if name in {"key", "secret", "api_key"}]
    for words in (("api-key", "list"), ("audit", "list"), ("db", "export", "--account", "acme")):
        for form in (() if words[0] == "db" else ("--output", "json")), ():
            assert secret not in attacked.done(*words, *form).out
    assert secret.encode() not in (attacked.folder / "dialback.db").read_bytes()
