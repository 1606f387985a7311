"""Settings of a whole site with free ports, for tests that bring an Asterisk up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from pydantic import SecretStr

from pbx.settings import PbxSettings, TrunkSettings
from world.ports import free_port, free_rtp_range


@dataclass(frozen=True, slots=True, kw_only=True)
class Agi:
    host: str
    port: int
    secret: SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class Ami:
    host: str
    port: int
    user: str
    secret: SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    pbx: PbxSettings
    trunks: tuple[TrunkSettings, ...]
    agi: Agi
    ami: Ami


def site_of(folder: Path, agi_port: int, carriers: Mapping[str, tuple[str, int]]) -> Site:
    start, end = free_rtp_range("127.0.0.1", crc32(str(folder).encode()))
    return Site(
        pbx=PbxSettings(folder=folder, sip_port=free_port(), rtp_start=start, rtp_end=end),
        trunks=tuple(
            TrunkSettings(name=name, host=host, port=port, country="GB")
            for name, (host, port) in carriers.items()
        ),
        agi=Agi(host="127.0.0.1", port=agi_port, secret=SecretStr("a-site-secret-of-tests")),
        ami=Ami(
            host="127.0.0.1", port=free_port(), user="dialback", secret=SecretStr("an-ami;secret-of-tests")
        ),
    )
