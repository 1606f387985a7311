"""Asterisk's configuration syntax: sections of `key=value` lines, safely written.

Reads: names and values.
Gives: text that Asterisk's parser (main/config.c, process_text_line) reads back as those values.
Knows nothing of: what the values mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pbx.errors import ConfigurationRefused

Value = str | int | bool
HEADER = "; Written by `dialback pbx`: change switch.toml, not this file.\n"


def section(name: str, options: Mapping[str, Value]) -> str:
    """Return one section."""
    return section_of_pairs(name, options.items())


def section_of_pairs(name: str, pairs: Iterable[tuple[str, Value]]) -> str:
    """Return one section in which a key may repeat."""
    return f"[{_line(name)}]\n" + "".join(f"{key}={value_text(key, value)}\n" for key, value in pairs)


def document(*sections: str) -> str:
    """Return a whole file."""
    return HEADER + "\n" + "\n".join(sections)


def value_text(key: str, value: Value) -> str:
    """Return the value as it stands behind `key=`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if text != text.strip():
        raise ConfigurationRefused(
            f"the value of {key} begins or ends with a space, which Asterisk drops", "Leave it out"
        )
    return _line(text, key).replace(";", "\\;")  # an open semicolon begins a comment


def _line(text: str, key: str = "a section name") -> str:
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in text):
        raise ConfigurationRefused(
            f"the value of {key} holds a control character, which would begin a new line",
            "Leave it out",
        )
    return text
