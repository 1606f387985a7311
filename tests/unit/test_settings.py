"""What is told of a wrong key in switch.toml: the key, what stands there, and what to write."""

from pathlib import Path

import pytest

from settings import BadSettings, load

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
