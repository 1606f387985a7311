"""Every configuration file of our Asterisk, as text.

Reads: the settings of switch.toml.
Gives: file name → text; writes them, secrets readable by their owner alone.
Knows nothing of: running processes.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from pbx.dialplan import RING_CONTEXT, extensions_conf
from pbx.errors import ConfigurationRefused
from pbx.fixed import CDR_OFF, DEFAULTS, INDICATIONS
from pbx.installation import Installation
from pbx.layout import Layout
from pbx.modules import modules_conf
from pbx.settings import AmiLogin, PbxSettings, Settings, is_loopback
from pbx.text import Value, document, section, value_text
from pbx.trunks import pjsip_conf

CEL_COLUMNS = (
    "eventtype",
    "eventtime",
    "uniqueid",
    "linkedid",
    "accountcode",
    "channame",
    "exten",
    "context",
    "userdeftype",
    "eventextra",
)
"""The columns of the CEL file, in order; switch/evidence.py reads them."""

CEL_EVENTS = (
    "CHAN_START",
    "ANSWER",
    "BRIDGE_ENTER",
    "BRIDGE_EXIT",
    "HANGUP",
    "CHAN_END",
    "LINKEDID_END",
    "USER_DEFINED",
)
"""Never DTMF: that would store what the subscriber keys, PINs among it."""

AMI_READ = ("call", "dtmf", "system")
AMI_WRITE = ("originate", "call", "reporting")
"""`originate` for Originate, `call` for Hangup, GetVar and Setvar, `reporting` for CoreShowChannels,
CoreStatus and Status; never system, command, config or all."""

AMI_EVENTS = (
    "Newchannel",
    "Newstate",
    "DialBegin",
    "DialState",
    "DialEnd",
    "BridgeEnter",
    "BridgeLeave",
    "DTMFBegin",
    "DTMFEnd",
    "HangupRequest",
    "SoftHangupRequest",
    "Hangup",
    "OriginateResponse",
    "FullyBooted",
    "Shutdown",
)
AMI_WRITE_TIMEOUT_MS = 5000
"""A client whose socket stays full that long is dropped; Asterisk's default is 100."""

RING_STATE = 4
"""AST_STATE_RING of include/asterisk/channelstate.h: a call that came in and is not answered."""

IN_CALL_KEY_GAP_MS = 1000


def files(settings: Settings, installation: Installation) -> dict[str, str]:
    """Return all files of an Asterisk of our own."""
    layout = Layout(settings.pbx.folder.absolute())
    return {
        "asterisk.conf": asterisk_conf(settings.pbx, layout, installation),
        "modules.conf": modules_conf(),
        "logger.conf": logger_conf(),
        **drop_in(settings),
        **DEFAULTS,
    }


def drop_in(settings: Settings) -> dict[str, str]:
    """Return the files that an Asterisk of the operator's needs for Dialback."""
    return {
        "manager.conf": manager_conf(settings.ami),
        "cel.conf": cel_conf(),
        "cel_custom.conf": cel_custom_conf(),
        "extensions.conf": extensions_conf(settings.pbx, settings.agi),
        "pjsip.conf": pjsip_conf(settings.pbx, settings.trunks),
        "rtp.conf": rtp_conf(settings.pbx),
        "udptl.conf": udptl_conf(settings.pbx),
        "features.conf": features_conf(),
        "indications.conf": INDICATIONS,
        "cdr.conf": CDR_OFF,
    }


def write(texts: Mapping[str, str], folder: Path) -> None:
    """Write the files, each readable by its owner alone: some hold secrets."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        fresh = folder / f".{name}.new"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(text)
        fresh.rename(folder / name)


def without_secrets(text: str) -> str:
    """Return the text fit for a screen."""
    text = re.sub(r"(?m)^(secret|password)=.*$", r"\1=(not shown)", text)
    return re.sub(r"(agi://[^/]*/trigger/)[0-9a-f]+", r"\1(not shown)", text)


def asterisk_conf(pbx: PbxSettings, layout: Layout, installation: Installation) -> str:
    """Return where everything lies, and the switches that hold before any module loads."""
    options: dict[str, Value] = {
        "systemname": pbx.system_name,
        "entityid": entity_id(pbx.system_name),
        "live_dangerously": False,  # no System() or file access by way of AMI and AGI
        "hideconnect": True,
        "highpriority": False,
        "maxcalls": pbx.calls_max,
    }
    if pbx.calls_max == 0:
        del options["maxcalls"]
    return document(layout.directories(installation), section("options", options))


def entity_id(system_name: str) -> str:
    """Return a locally administered address made of the name, so that evidence names its Asterisk."""
    digest = bytearray(hashlib.sha256(system_name.encode()).digest()[:6])
    digest[0] = digest[0] & 0xFC | 0x02
    return ":".join(f"{byte:02x}" for byte in digest)


def logger_conf() -> str:
    """Return what is logged: never `dtmf`, which would write PINs down."""
    return document(
        section("general", {"dateformat": "%F %T.%3q", "queue_log": False, "use_callids": True}),
        "[logfiles]\nconsole => error,warning,notice\nmessages.log => error,warning,notice\n"
        "security.log => security\n",
    )


def manager_conf(ami: AmiLogin) -> str:
    """Return one user, on loopback only, with the rights it needs and no more."""
    if not is_loopback(ami.host):
        raise ConfigurationRefused(
            f"[ami] host is {ami.host}; the manager interface may be bound to loopback only",
            "Write 127.0.0.1, and reach another machine through a tunnel",
        )
    general: dict[str, Value] = {
        "enabled": True,
        "webenabled": False,
        "bindaddr": "127.0.0.1" if ami.host == "localhost" else ami.host,
        "port": ami.port,
        "timestampevents": True,
        "displayconnects": False,
        "allowmultiplelogin": False,
        "authtimeout": 5,
        "authlimit": 10,
    }
    secret = value_text("[ami] secret", ami.secret.get_secret_value())
    user = [
        f"secret={secret}",
        "deny=0.0.0.0/0.0.0.0",
        "permit=127.0.0.0/255.0.0.0",
        "permit=::1/128",
        f"read={','.join(AMI_READ)}",
        f"write={','.join(AMI_WRITE)}",
        f"writetimeout={AMI_WRITE_TIMEOUT_MS}",
        *(f"eventfilter(action(include),name({name}))=" for name in AMI_EVENTS),
        # Events of a trigger print what a stranger wrote into his SIP headers, line feeds and all. A
        # trigger is in state 4 (Ring) for life, since it is never answered; legs that we dial never are.
        f"eventfilter(action(exclude),header(ChannelState),method(exact))={RING_STATE}",
        f"eventfilter(action(exclude),header(Context),method(exact))={RING_CONTEXT}",
    ]
    return document(section("general", general), f"[{ami.user}]\n" + "\n".join(user) + "\n")


def cel_conf() -> str:
    """Return which events are evidence."""
    return document(
        section(
            "general",
            {"enable": True, "events": ",".join(CEL_EVENTS), "dateformat": "%s.%6q"},
        )
    )


def cel_custom_conf() -> str:
    """Return one CSV, every field quoted, a quote within doubled."""
    options: dict[str, Value] = {
        "format": "dsv",
        "separator_character": ",",
        "quote_character": '"',
        "quote_escape_character": '"',
        "quoting_method": "all",
        "fields": ",".join(CEL_COLUMNS),
    }
    return document(section("dialback.csv", options))


def rtp_conf(pbx: PbxSettings) -> str:
    """Return the media ports; strict RTP drops media from strangers."""
    options: dict[str, Value] = {
        "rtpstart": pbx.rtp_start,
        "rtpend": pbx.rtp_end,
        "strictrtp": True,
        "icesupport": False,
    }
    return document(section("general", options))


def udptl_conf(pbx: PbxSettings) -> str:
    """Return the fax ports: the same range as RTP, since a port in use is skipped by both."""
    options: dict[str, Value] = {
        "udptlstart": pbx.rtp_start,
        "udptlend": pbx.rtp_end,
        "udptlfecentries": 3,
        "udptlfecspan": 3,
        "use_even_ports": False,
    }
    return document(section("general", options))


def features_conf() -> str:
    """Return feature keys: none by default; the switch sets FEATUREMAP(disconnect) on each A leg."""
    return document(
        section("general", {"featuredigittimeout": IN_CALL_KEY_GAP_MS}),
        # Each key is named, since Asterisk's own defaults are `#` for blindxfer and `*` for disconnect.
        "[featuremap]\nblindxfer=\ndisconnect=\natxfer=\nparkcall=\nautomixmon=\n",
        "[applicationmap]\n",
    )
