"""switch.toml as one frozen object: each shell's section, checked by that shell.

Reads: a TOML file.
Gives: Settings, or BadSettings: every wrong key with its value and the rule, never a secret.
Knows nothing of: what the settings do.
"""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from pbx.settings import PbxSettings, TrunkSettings
from staff.settings import DeckSettings, InvoiceSettings, MailSettings, PrivacySettings, SellerSettings
from switch.settings import AgiSettings, AmiSettings, SwitchSettings
from web.settings import WebSettings

DEFAULT_FILE = Path("switch.toml")
SECRET_KEYS = frozenset({"secret", "password"})
_WHOLE, _FLAG = "write a whole number, without quotes", "write true or false, without quotes"
REMEDIES = {
    "missing": "it is missing; add it",
    "extra_forbidden": "there is no such key; correct its spelling, or take it out",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "bool_type": _FLAG,
    "bool_parsing": _FLAG,
    "string_type": "write text in quotes",
    "literal_error": "write one of {expected}",
    "greater_than_equal": "write {ge} or more",
    "less_than_equal": "write {le} or less",
}
"""What to write instead, by pydantic's own name of the fault."""


class BadSettings(Exception):
    """The configuration file is missing or wrong; each line names a key and its rule."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatabaseSettings(_Section):
    """Where the books are: sqlite:///path or postgresql://user@host/name."""

    url: str = Field(pattern=r"^(sqlite|postgresql|postgres)(\+[a-z]+)?://")


class LogSettings(_Section):
    """How the log is written, on standard error."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(_Section):
    """The whole file. Relative paths in it start at the file's own folder."""

    database: DatabaseSettings
    pbx: PbxSettings
    agi: AgiSettings
    ami: AmiSettings
    trunks: tuple[TrunkSettings, ...] = ()
    switch: SwitchSettings = SwitchSettings()
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()
    seller: SellerSettings = SellerSettings()
    decks: DeckSettings = DeckSettings()
    invoices: InvoiceSettings = InvoiceSettings()
    mail: MailSettings = MailSettings()
    privacy: PrivacySettings = PrivacySettings()

    @field_validator("trunks")
    @classmethod
    def _each_name_once(cls, value: tuple[TrunkSettings, ...]) -> tuple[TrunkSettings, ...]:
        names = [trunk.name for trunk in value]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"trunk names must differ; given twice: {', '.join(twice)}")
        return value

    @model_validator(mode="after")
    def _ports_differ(self) -> "Settings":
        ports = {"agi.port": self.agi.port, "ami.port": self.ami.port, "web.port": self.web.port}
        for name, port in ports.items():
            same = [other for other, its in ports.items() if its == port and other != name]
            if same:
                raise ValueError(f"{name} and {same[0]} are both {port}; give each its own")
        return self


def load(path: Path) -> Settings:
    """The settings in that file; BadSettings if there are none or any is wrong."""
    try:
        with path.open("rb") as stream:
            table = tomllib.load(stream)
    except FileNotFoundError:
        raise BadSettings(f"{path}: there is no such file; make one with `dialback init`") from None
    except OSError as error:
        raise BadSettings(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path}: not valid TOML: {error}") from None
    try:
        return Settings.model_validate(_with_paths(table, path.parent.resolve()))
    except ValidationError as error:
        raise BadSettings("\n".join(f"{path}: {line}" for line in _lines(error))) from None


def _with_paths(table: dict[str, object], folder: Path) -> dict[str, object]:
    """Make relative paths absolute, so that it does not matter where a command is started."""
    pbx = table.get("pbx")
    if isinstance(pbx, dict) and isinstance(pbx.get("folder"), str):
        pbx["folder"] = str(folder / pbx["folder"])
    database = table.get("database")
    if isinstance(database, dict) and isinstance(url := database.get("url"), str):
        scheme, slashes, rest = url.partition(":///")
        if scheme.startswith("sqlite") and slashes and not rest.startswith("/"):
            database["url"] = f"{scheme}:///{folder / rest}"
    return table


def _lines(error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in problem["loc"]) or "the file"
        value = "" if SECRET_KEYS & set(map(str, problem["loc"])) else _shown(problem["input"])
        lines.append(f"{key}{value}: {_remedy(problem)}")
    return lines


def _remedy(problem: ErrorDetails) -> str:
    """What is wrong and what to write, in words for who edits the file; else in pydantic's own."""
    limits = problem.get("ctx", {})
    match problem["type"]:
        case "string_pattern_mismatch" if problem["loc"] == ("database", "url"):
            return "write sqlite:///FILE or postgresql://USER@HOST/NAME"
        case "too_short" if SECRET_KEYS & set(map(str, problem["loc"])):
            return f"write at least {limits['min_length']} characters"
        case "value_error":
            return problem["msg"].removeprefix("Value error, ")
        case kind:
            return REMEDIES[kind].format_map(limits) if kind in REMEDIES else problem["msg"]


def _shown(value: object) -> str:
    return f" = {value!r}" if isinstance(value, str | int | float | bool) else ""
