"""The sections of switch.toml that shape our Asterisk.

Reads: the tables [pbx] and [[trunks]], already parsed; what it needs of [agi] and [ami] as protocols.
Gives: frozen settings; a wrong value is refused by pydantic with its key and rule.
Knows nothing of: the file, other shells' sections, Asterisk's own file formats.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

Port = Annotated[int, Field(ge=1, le=65535)]
MediaPort = Annotated[int, Field(ge=1024, le=65535)]
Codec = Literal["alaw", "ulaw", "gsm", "g722"]
Dtmf = Literal["auto", "rfc4733", "inband", "info"]
RTP_PORTS_MIN = 8
"""Two legs with RTP and RTCP each: less carries no call."""

LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){LABEL}(?:\.{LABEL})*")
TAKEN_TRUNK_NAMES = ("global", "system", "general")
"""Asterisk gives a meaning of its own to sections of these names."""


def host_or_address(text: str) -> str:
    """Return `text` if it is an IP address or a host name."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        if HOST_NAME.fullmatch(text):
            return text
    raise ValueError(f"{text!r} is neither an IP address nor a host name")


def match_pattern(text: str) -> str:
    """Return `text` if it is `address`, `address/bits` or `address:port` (IPv4) or a host name."""
    address, colon, port = text.partition(":")
    if colon and "." in address and port.isascii() and port.isdigit() and 0 < int(port) < 65536:
        return f"{host_or_address(address)}:{int(port)}"
    if "/" in text:
        network = ipaddress.ip_network(text)  # raises ValueError, which pydantic reports with the key
        if network.prefixlen < 8:
            raise ValueError(f"{text!r} is too wide: a trunk is known by its addresses")
        return str(network)
    return host_or_address(text)


Host = Annotated[str, AfterValidator(host_or_address)]
Match = Annotated[str, AfterValidator(match_pattern)]


class Section(BaseModel):
    """A table of switch.toml: unknown keys are refused, values do not change."""

    # Inputs are left out of errors because a password may be one; the rules name the others themselves.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class PbxSettings(Section):
    """The Asterisk that we bring along."""

    folder: Path
    host: Host = "127.0.0.1"
    """The address on which SIP and media are bound; 0.0.0.0 means all."""
    sip_port: Port
    rtp_start: MediaPort
    rtp_end: MediaPort
    system_name: str = Field(default="dialback", pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")
    """Begins every id that Asterisk makes itself: must differ between machines."""
    external_address: Host | None = None
    """What carriers see when this host is behind address translation."""
    local_networks: tuple[str, ...] = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")
    absolute_seconds_max: Annotated[int, Field(ge=60, le=86400)] = 14400
    """The A leg's last resort if the switch names no limit of its own."""
    rtp_timeout_seconds: Annotated[int, Field(ge=5, le=3600)] = 60
    calls_max: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Asterisk's own cap on channels; 0 means none."""
    cache: Path | None = None
    """Where fetched packages are kept; unset: DIALBACK_CACHE, else ~/.cache/dialback."""

    @field_validator("folder")
    @classmethod
    def _writable_as_configuration(cls, value: Path) -> Path:
        text = str(value)
        if not text.isprintable() or any(character in text for character in ";[]|"):
            raise ValueError("must be a path without control characters and without ; [ ] |")
        return value

    @field_validator("local_networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_network(text)) for text in value)

    @model_validator(mode="after")
    def _room_for_media(self) -> PbxSettings:
        if self.rtp_end - self.rtp_start + 1 < RTP_PORTS_MIN:
            raise ValueError(
                f"rtp_end ({self.rtp_end}) must be at least rtp_start + {RTP_PORTS_MIN - 1} "
                f"({self.rtp_start + RTP_PORTS_MIN - 1})"
            )
        return self


class TrunkSettings(Section):
    """A carrier as SIP sees it; its commercial side is in the database."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    host: Host
    port: Port = 5060
    transport: Literal["udp"] = "udp"
    match: tuple[Match, ...] = ()
    """Whence its calls come: addresses, networks or address:port; unset: host.
    Trunks that share an address are told apart by the port from which they call."""
    country: str = Field(pattern=r"^[A-Z]{2}$")
    """The country whose habits caller numbers of this trunk follow."""
    username: str | None = Field(default=None, pattern=r"^[\x21-\x7e]{1,80}$")
    password: SecretStr | None = None
    codecs: tuple[Codec, ...] = Field(default=("alaw", "ulaw"), min_length=1)
    prefix: str = Field(default="", pattern=r"^[0-9]{0,10}$")
    """Digits before the number, as some carriers want."""
    plus: bool = False
    dtmf: Dtmf = "auto"
    """How keys come and go. `auto`: as RFC 4733 where the carrier agrees to it, else as tones in the sound.
    Name one where a carrier agrees to RFC 4733 and then sends tones. Keys in INFO are heard in any case."""
    t38: bool = True
    qualify_seconds: Annotated[int, Field(ge=0, le=3600)] = 0
    """How often the carrier is asked by OPTIONS whether it lives; 0 means never."""

    @field_validator("name")
    @classmethod
    def _free_name(cls, value: str) -> str:
        if value in TAKEN_TRUNK_NAMES or value.startswith("dialback"):
            raise ValueError(f"{value!r} is taken: Asterisk or Dialback gives it a meaning of its own")
        return value

    @field_validator("password")
    @classmethod
    def _one_line(cls, value: SecretStr | None) -> SecretStr | None:
        secret = value.get_secret_value() if value else ""
        if not (secret.isascii() and secret.isprintable()) or secret != secret.strip():
            raise ValueError("must be printable ASCII without spaces at its ends")
        return value

    @model_validator(mode="after")
    def _both_or_neither(self) -> TrunkSettings:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together: give both or neither")
        return self

    @property
    def matches(self) -> tuple[str, ...]:
        """What the trunk's calls are known by, in Asterisk's own words."""
        return self.match or (self.host,)


class AgiPlace(Protocol):
    """What we need of [agi]: where Asterisk finds the switch, and the secret they share."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def secret(self) -> SecretStr: ...


class AmiLogin(Protocol):
    """What we need of [ami]: where Asterisk listens, and for whom."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def user(self) -> str: ...
    @property
    def secret(self) -> SecretStr: ...


class Settings(Protocol):
    """The part of switch.toml that this package reads."""

    @property
    def pbx(self) -> PbxSettings: ...
    @property
    def trunks(self) -> Sequence[TrunkSettings]: ...
    @property
    def agi(self) -> AgiPlace: ...
    @property
    def ami(self) -> AmiLogin: ...


def is_loopback(host: str) -> bool:
    """Whether only this host can reach that address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
