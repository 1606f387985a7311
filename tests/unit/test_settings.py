"""What is told of a wrong key in switch.toml: the key, what stands there, and what to write."""

from pathlib import Path

import pytest

from settings import BadSettings, load
from web.settings import WebSettings

FILE = """
[database]
url = "sqlite:///books.db"
[pbx]
[agi]
port = 4573
secret = "0123456789abcdef"
[ami]
port = 5038
secret = "0123456789abcdef"
"""


def refusal(folder: Path, was: str, now: str) -> str:
    file = folder / "switch.toml"
    file.write_text(FILE.replace(was, now))
    with pytest.raises(BadSettings) as refused:
        load(file)
    return "\n".join(line.removeprefix(f"{file}: ") for line in str(refused.value).splitlines())


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ('port = "x"', "agi.port = 'x': write a whole number, without quotes"),
        ("port = 45.5", "agi.port = 45.5: write a whole number, without quotes"),
        ("port = 0", "agi.port = 0: write 1 or more"),
        ("port = 70000", "agi.port = 70000: write 65535 or less"),
        ("port = 4573\nhost = 1", "agi.host = 1: write text in quotes"),
    ],
)
def test_a_value_that_cannot_be_meant_is_told_in_our_words_not_a_librarys(
    tmp_path: Path, now: str, told: str
) -> None:
    assert told in refusal(tmp_path, "port = 4573", now).splitlines()


def test_a_word_that_is_not_of_the_list_is_told_with_the_list(tmp_path: Path) -> None:
    told = refusal(tmp_path, "[pbx]", '[log]\nlevel = "loud"\n[pbx]')
    assert "log.level = 'loud': write one of 'debug', 'info', 'warning' or 'error'" in told.splitlines()


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("", ""),
        ("https://calls.example.com", "https://calls.example.com"),
        ("https://calls.example.com/", "https://calls.example.com"),
        ("http://127.0.0.1:8080/dialback/", "http://127.0.0.1:8080/dialback"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_F071_a_public_address_is_kept_so_that_a_path_can_follow(written: str, kept: str) -> None:
    assert WebSettings(public_url=written).public_url == kept


@pytest.mark.parametrize(
    "written",
    [
        "calls.example.com",
        "ftp://calls.example.com",
        "https://",
        "https:///confirm",
        "javascript:alert(1)",
        "https://calls.example.com/?page=1",
        "https://calls.example.com/#top",
        "https://user:password@calls.example.com",
        "https://calls.example.com:99999",
        "https://calls.example.com:0",
        "https://calls example.com",
        "https://calls.example.com/\\u000aBcc:",
        "https://münchen.example",
        f"https://calls.example.com/{'x' * 200}",
    ],
)
def test_F071_a_public_address_that_no_link_can_begin_with_is_refused(tmp_path: Path, written: str) -> None:
    lines = refusal(tmp_path, "[pbx]", f'[web]\npublic_url = "{written}"\n[pbx]').splitlines()
    (told,) = (line for line in lines if line.startswith("web.public_url = "))
    assert told.endswith(": write http(s)://HOST, or with a path, without user, query or #")


@pytest.mark.parametrize("number", ["CN-{year}-{n:05}", "CN-{year}-{n:04}"])
def test_an_invoice_and_a_credit_note_never_have_one_number(tmp_path: Path, number: str) -> None:
    told = refusal(tmp_path, "[pbx]", f'[invoices]\nnumber = "{number}"\n[pbx]')
    assert "invoices: number and credit_note_number give the same numbers" in told
