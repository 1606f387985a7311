"""pjsip.conf: one transport, and per trunk an endpoint, an address, an identification.

Reads: the [pbx] and [[trunks]] settings.
Gives: SIP configuration without anonymous callers, registrations, transfers or direct media.
Knows nothing of: routes, rates, the dialplan beyond the name of its entry.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from pbx.dialplan import NOWHERE_CONTEXT, TRIGGER_CONTEXT
from pbx.errors import ConfigurationRefused
from pbx.settings import PbxSettings, TrunkSettings
from pbx.text import Value, document, section, section_of_pairs

TRANSPORT = "dialback-udp"
USER_AGENT = "Dialback"
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - recognised here, not bound
TONES_OF = {"GB": "uk", "IE": "uk", "US": "us", "CA": "us"}
DEFAULT_TONES = "uk"


def pjsip_conf(pbx: PbxSettings, trunks: Sequence[TrunkSettings]) -> str:
    """Return the file; raises ConfigurationRefused if two trunks cannot be told apart."""
    refuse_twins(trunks)
    return document(_global(), _transport(pbx), *_acl(trunks), *(_trunk(pbx, trunk) for trunk in trunks))


def refuse_twins(trunks: Sequence[TrunkSettings]) -> None:
    """Raise ConfigurationRefused if two trunks share a name or an origin of calls."""
    names: set[str] = set()
    owners: dict[str, str] = {}
    for trunk in trunks:
        if trunk.name in names:
            raise ConfigurationRefused(
                f"trunks: name {trunk.name!r} stands twice", "Give each trunk a name of its own"
            )
        names.add(trunk.name)
        for match in trunk.matches:
            if match in owners:
                raise ConfigurationRefused(
                    f"trunks: {owners[match]!r} and {trunk.name!r} both match {match}",
                    "Name address:port in match, so that a call belongs to one trunk",
                )
            owners[match] = trunk.name


def _global() -> str:
    return section(
        "global",
        {
            "type": "global",
            "user_agent": USER_AGENT,
            # By address only: neither a user name nor a From header makes anybody a trunk.
            "endpoint_identifier_order": "ip",
            "default_from_user": "dialback",
            # A number may carry parameters of its own: +442079460101;npdi;rn=… is still that number.
            "ignore_uri_user_options": True,
            "max_forwards": 20,
        },
    )


def _transport(pbx: PbxSettings) -> str:
    options: dict[str, Value] = {
        "type": "transport",
        "protocol": "udp",
        "bind": f"{bracketed(pbx.host)}:{pbx.sip_port}",
    }
    if pbx.external_address is not None:
        options["external_media_address"] = pbx.external_address
        options["external_signaling_address"] = pbx.external_address
    pairs = list(options.items())
    if pbx.external_address is not None:
        pairs += [("local_net", network) for network in pbx.local_networks]
    return section_of_pairs(TRANSPORT, pairs)


def _acl(trunks: Sequence[TrunkSettings]) -> list[str]:
    """Strangers are dropped before any work is done, if all trunks are known by address."""
    permitted = [_without_port(match) for trunk in trunks for match in trunk.matches]
    if not all(_is_address(match) for match in permitted):
        return []
    rules: list[tuple[str, Value]] = [("type", "acl"), ("deny", "0.0.0.0/0.0.0.0"), ("deny", "::/0")]
    rules += [("permit", match) for match in dict.fromkeys(permitted)]
    return [section_of_pairs("dialback-acl", rules)]


def _trunk(pbx: PbxSettings, trunk: TrunkSettings) -> str:
    endpoint: dict[str, Value] = {
        "type": "endpoint",
        "transport": TRANSPORT,
        "context": TRIGGER_CONTEXT,
        "aors": trunk.name,
        "disallow": "all",
        "allow": ",".join(trunk.codecs),
        "identify_by": "ip",
        **_media(pbx, trunk),
        **MANNERS,
        "tone_zone": TONES_OF.get(trunk.country, DEFAULT_TONES),
    }
    auth: list[str] = []
    if trunk.username is not None and trunk.password is not None:
        endpoint["outbound_auth"] = trunk.name
        login: dict[str, Value] = {
            "type": "auth",
            "auth_type": "digest",
            "username": trunk.username,
            "password": trunk.password.get_secret_value(),
        }
        auth = [section(trunk.name, login)]
    address: dict[str, Value] = {
        "type": "aor",
        "contact": f"sip:{bracketed(trunk.host)}:{trunk.port}",
        "qualify_frequency": trunk.qualify_seconds,
    }
    known_by: dict[str, Value] = {
        "type": "identify",
        "endpoint": trunk.name,
        "match": ",".join(trunk.matches),
        "srv_lookups": False,
    }
    return "\n".join(
        [
            section(trunk.name, endpoint),
            *auth,
            section(trunk.name, address),
            section(trunk.name, known_by),
        ]
    )


def _media(pbx: PbxSettings, trunk: TrunkSettings) -> dict[str, Value]:
    options: dict[str, Value] = {
        "direct_media": False,
        "rtp_symmetric": True,
        "force_rport": True,
        "dtmf_mode": trunk.dtmf,  # auto: RFC 4733 if both sides know it, else tones: a key counts once
        "rtp_timeout": pbx.rtp_timeout_seconds,
        "rtp_timeout_hold": pbx.rtp_timeout_seconds * 10,
        "max_audio_streams": 1,
        "max_video_streams": 0,
        "fax_detect": False,
        "t38_udptl": trunk.t38,
        "t38_udptl_ec": "redundancy",
        "t38_udptl_maxdatagram": 400,
    }
    if pbx.host not in EVERY_ADDRESS:
        options |= {
            "media_address": pbx.host,
            "bind_rtp_to_media_address": True,
            "t38_bind_udptl_to_media_address": True,
        }
    return options


MANNERS: dict[str, Value] = {
    "trust_id_inbound": True,  # a trunk is trusted for its callers' numbers and presentation
    "trust_id_outbound": False,
    "send_diversion": False,
    "send_history_info": False,
    "send_connected_line": False,
    "trust_connected_line": False,
    "allow_transfer": False,
    "allow_subscribe": False,
    "inband_progress": False,
    # 302 becomes a dialplan call in FORWARD_CONTEXT, which leads nowhere; the other methods would follow
    # it inside PJSIP, unseen. Without the variable it would enter our own trigger context.
    "redirect_method": "user",
    "set_var": f"FORWARD_CONTEXT={NOWHERE_CONTEXT}",
    "timers": True,
    "language": "en",
}


def bracketed(host: str) -> str:
    """Return the host as it stands in a URI."""
    return f"[{host}]" if ":" in host else host


def _without_port(match: str) -> str:
    return match.partition(":")[0] if match.count(":") == 1 else match


def _is_address(match: str) -> bool:
    try:
        ipaddress.ip_network(match)
    except ValueError:
        return False
    return True
