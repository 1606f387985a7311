"""What people write on the command line, read strictly; the options that many commands share.

Reads: words of the command line.
Gives: click types and options; a word that is not understood is refused with the form expected.
Knows nothing of: what the values are for.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from staff.listing import CSV, JSON, TABLE, WIDE

Command = TypeVar("Command", bound=Callable[..., Any])

# [0-9] and not \d: other alphabets' digits look like others.
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.(?:[0-9]{3}){1,2})?)?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_COUNT = re.compile("[0-9]{1,9}")
"""More than any list has rows, and far from what a database no longer takes for a number."""
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


class Instant(click.ParamType[datetime, object]):
    """An ISO date, or date and time. Without an offset it is UTC, or refused where `zoned` is asked for."""

    name = "time"

    def __init__(self, *, zoned: bool = False) -> None:
        """`zoned`: a local time by mistake would ring somebody at night, so the offset must be written."""
        self._zoned = zoned

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The aware instant."""
        if isinstance(value, datetime):
            return value
        form = "2026-03-01T08:15:00+01:00 or 2026-03-01T07:15:00Z"
        if not self._zoned:
            form = f"2026-03-01 (UTC), {form}"
        found = _INSTANT.fullmatch(str(value))
        if not found or (self._zoned and not found["zone"]):
            self.fail(f"{value!r} is no time; write {form}", param, ctx)
        try:
            instant = datetime.fromisoformat(str(value))
            return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} does not exist in the calendar; write {form}", param, ctx)


class LocalInstant(click.ParamType[datetime, object]):
    """An ISO date, or date and time; without an offset it is left naive, and meant in a zone known later."""

    name = "time"

    def __init__(self, zone: str = "--zone") -> None:
        """`zone` says whose zone it is meant in."""
        self._zone = zone

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The instant, aware only if its offset was written."""
        if isinstance(value, datetime):
            return value
        form = f"2026-03-01, 2026-03-01T08:15:00 (both in {self._zone}) or 2026-03-01T07:15:00Z"
        if not _INSTANT.fullmatch(str(value)):
            self.fail(f"{value!r} is no time; write {form}", param, ctx)
        try:
            return datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} does not exist in the calendar; write {form}", param, ctx)


class Zone(click.ParamType[str, object]):
    """A zone of the IANA database."""

    name = "zone"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Its name."""
        from zoneinfo import available_timezones

        if value not in available_timezones():
            self.fail(f"{value!r} is no time zone; write an IANA name, such as Europe/London", param, ctx)
        return str(value)


class Month(click.ParamType[tuple[int, int], object]):
    """A calendar month, YYYY-MM."""

    name = "month"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Year and month."""
        if isinstance(value, tuple):
            return value
        found = _MONTH.fullmatch(str(value))
        if not found:
            self.fail(f"{value!r} is no month; write one such as 2026-03", param, ctx)
        return int(found[1]), int(found[2])


class Count(click.ParamType[int, object]):
    """How many, or which in a row: `least` or more."""

    name = "number"

    def __init__(self, least: int = 1) -> None:
        """`least`: the smallest that can be meant."""
        self._least = least

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The whole number."""
        if not _COUNT.fullmatch(str(value)) or int(str(value)) < self._least:
            self.fail(f"{value!r} is no number here; write {self._least} or more, in digits", param, ctx)
        return int(str(value))


class Country(click.ParamType[str, object]):
    """An ISO 3166 code; small letters are understood."""

    name = "country"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Two capitals."""
        from values.e164 import countries

        code = str(value).upper() if str(value).isascii() else ""  # "ß" would become SS, South Sudan
        if code not in countries():
            self.fail(f"{value!r} is no country; write two capitals, such as GB", param, ctx)
        return code


def refuse_to_write_over(option: str, written: Path | None, read: Path) -> None:
    """Refuse to write where the command reads; `read` may be a folder, or `-`."""
    if written is None or not written.exists() or not read.exists():
        return
    if any(written.samefile(source) for source in (read, *(read.iterdir() if read.is_dir() else ()))):
        raise click.UsageError(f"{option}: {written} is what is read; name another file")


def together(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Several options as one decorator; `--help` lists them in this order."""

    def add(command: Command) -> Command:
        return reduce(lambda made, option: option(made), reversed(options), command)

    return add


def output_option(command: Command) -> Command:
    """Add --output table|json|csv."""
    return click.option(
        "--output",
        type=click.Choice([TABLE, JSON, CSV]),
        default=TABLE,
        show_default=True,
        help="How to print: for people, or for programs.",
    )(command)


def rows_output_option(command: Command) -> Command:
    """Add --output table|json|csv|wide, for lists that a narrow terminal shows without some columns."""
    return click.option(
        "--output",
        type=click.Choice([TABLE, JSON, CSV, WIDE]),
        default=TABLE,
        show_default=True,
        help="How to print: for people, or for programs; wide: every column, however narrow the terminal.",
    )(command)


def reason_option(command: Command) -> Command:
    """Add --reason."""
    return click.option("--reason", default="", help="Why; kept in the audit log.")(command)


def required_reason_option(command: Command) -> Command:
    """Add --reason, which must be given and say something."""
    told = click.option("--reason", required=True, callback=said, help="Why; kept in the audit log.")
    return told(command)


def home_country_option(command: Command) -> Command:
    """Add --home-country."""
    return click.option(
        "--home-country",
        type=Country(),
        metavar="CC",
        help="How national numbers are meant: two capitals, such as GB.",
    )(command)


def said(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """The text of an option that must say something."""
    if not value.strip():
        raise click.BadParameter("it is empty; say why", context, parameter)
    return value
