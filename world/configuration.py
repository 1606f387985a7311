"""The configuration of the world's Asterisk: a dialplan that plays scripts kept in its database.

Reads: the carriers, their addresses, ports, where the switch under test listens.
Gives: file name → text, complete for `asterisk -C`.
Knows nothing of: running processes, which phones there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources

MODULES = (
    # what the rest stands on
    "res_timing_timerfd.so res_sorcery_config.so res_sorcery_memory.so res_sorcery_astdb.so",
    "res_pjproject.so res_crypto.so bridge_simple.so bridge_native_rtp.so bridge_softmix.so pbx_config.so",
    # SIP
    "res_rtp_asterisk.so res_pjsip.so res_pjsip_session.so res_pjsip_sdp_rtp.so res_pjsip_caller_id.so",
    "res_pjsip_endpoint_identifier_ip.so res_pjsip_diversion.so res_pjsip_dtmf_info.so",
    "res_pjsip_empty_info.so res_pjsip_rfc3326.so res_pjsip_nat.so res_pjsip_header_funcs.so",
    "res_pjsip_pubsub.so res_pjsip_authenticator_digest.so res_pjsip_outbound_authenticator_digest.so",
    "res_pjsip_registrar.so res_pjsip_endpoint_identifier_user.so res_pjsip_t38.so",
    "res_pjsip_logger.so chan_pjsip.so",
    # sound
    "codec_alaw.so codec_ulaw.so codec_a_mu.so codec_resample.so format_wav.so format_pcm.so format_gsm.so",
    "format_sln.so codec_gsm.so",
    # what a phone can do
    "app_dial.so app_exec.so app_stack.so app_senddtmf.so app_playtones.so app_milliwatt.so app_read.so",
    "app_record.so app_mixmonitor.so app_playback.so app_echo.so app_transfer.so app_waitforsilence.so",
    "app_celgenuserevent.so app_db.so app_verbose.so res_fax.so res_fax_spandsp.so res_tonedetect.so",
    # what the dialplan says
    "func_callerid.so func_channel.so func_cut.so func_db.so func_lock.so func_logic.so func_math.so",
    "func_strings.so func_uri.so func_global.so func_timeout.so",
    # the log
    "res_cdrel_custom.so cel_custom.so",
)

INDICATIONS = """\
[general]
country = us
[us]
description = United States
ringcadence = 2000,4000
dial = 350+440
busy = 480+620/500,0/500
ring = 440+480/2000,0/4000
congestion = 480+620/250,0/250
callwaiting = 440/300,0/10000
dialrecall = !350+440/100,!0/100,350+440
record = 1400/500,0/15000
info = !950/330,!1400/330,!1800/330,0
stutter = !350+440/100,!0/100,350+440
"""

LOG_NAME = "phones.csv"
"""Below log/cel-custom/. Not a path: Asterisk cuts a section's name, which this is, at 80 characters."""
CEL_FIELDS = ("eventtype", "eventtime", "userdeftype", "channame", "uniqueid", "accountcode", "eventextra")


class NetworkRefused(ValueError):
    """A network of that shape cannot be set up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """One other network. Each has an address of its own, by which the switch can tell its trunks apart."""

    name: str
    dtmf: str = "rfc4733"
    """rfc4733, inband or info."""
    codecs: tuple[str, ...] = ("alaw", "ulaw")
    country_code: str = ""
    """National numbers (0…) are taken to be of this country, as its own switch would do."""
    prefix: str = ""
    """Digits that this carrier wants before each number, and takes off."""
    reachable: bool = True
    """False: nothing listens at its address."""

    def __post_init__(self) -> None:
        if not (self.name.isascii() and self.name.isalnum()):
            raise NetworkRefused(f"a carrier's name is ASCII letters and digits, not {self.name!r}")
        if self.dtmf not in {"rfc4733", "inband", "info"}:
            raise NetworkRefused(f"carrier {self.name}: dtmf is rfc4733, inband or info, not {self.dtmf!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Softphone:
    """A line for a person: a program registers here, and calls leave through the first carrier."""

    number: str
    port: int
    password: str
    user: str = "softphone"
    host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        if not (self.user.isascii() and self.user.isalnum() and self.password.isalnum()):
            raise NetworkRefused("a softphone's user and password are ASCII letters and digits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A carrier and where it listens."""

    carrier: Carrier
    host: str
    port: int
    hidden_port: int | None = None
    """Where it listens while it is dark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that the configuration depends on."""

    directories: str
    lines: Sequence[Line]
    switch_host: str
    switch_port: int
    ami_port: int
    ami_secret: str
    rtp_start: int
    rtp_end: int
    softphone: Softphone | None = None
    verbose: bool = False

    def moved(self, carrier: str, hidden_port: int | None) -> Plan:
        """Return the plan with one carrier's transport at another port, or (None) back at its own."""
        lines = [
            replace(line, hidden_port=hidden_port) if line.carrier.name == carrier else line
            for line in self.lines
        ]
        return replace(self, lines=lines)


def configuration_files(plan: Plan) -> dict[str, str]:
    """Return every file below etc/, by name."""
    return {
        "asterisk.conf": plan.directories
        + "\n[options]\nsystemname = world\nhideconnect = yes\nlive_dangerously = no\n",
        "modules.conf": _modules(),
        "logger.conf": _logger(plan),
        "manager.conf": _manager(plan),
        "rtp.conf": f"[general]\nrtpstart = {plan.rtp_start}\nrtpend = {plan.rtp_end}\nstrictrtp = no\n",
        "udptl.conf": f"[general]\nudptlstart = {plan.rtp_start}\nudptlend = {plan.rtp_end}\n",
        "cel.conf": "[general]\nenable = yes\n"
        "events = CHAN_START,CHAN_END,ANSWER,HANGUP,USER_DEFINED,DTMF\ndateformat = %s.%6q\n",
        "cel_custom.conf": f"[{LOG_NAME}]\nfields = {','.join(CEL_FIELDS)}\n",
        "pjsip.conf": _pjsip(plan),
        "extensions.conf": _dialplan(plan),
        "features.conf": "[general]\n",
        "indications.conf": INDICATIONS,
        "res_fax.conf": "[general]\nmaxrate = 14400\nminrate = 2400\nmodems = v17,v27,v29\necm = yes\n",
        "acl.conf": "",
        **dict.fromkeys(
            ("ccss.conf", "pjproject.conf", "stasis.conf", "codecs.conf", "cdr.conf"), "[general]\n"
        ),
    }


def _modules() -> str:
    names = " ".join(MODULES).split()
    return "[modules]\nautoload = no\n" + "".join(f"load = {name}\n" for name in names)


def _logger(plan: Plan) -> str:
    full = "full.log => notice,warning,error,verbose(5)\n" if plan.verbose else ""
    return f"[general]\ndateformat = %F %T.%3q\n[logfiles]\nmessages.log => notice,warning,error\n{full}"


def _manager(plan: Plan) -> str:
    return (
        f"[general]\nenabled = yes\nbindaddr = 127.0.0.1\nport = {plan.ami_port}\ntimestampevents = yes\n"
        f"[world]\nsecret = {plan.ami_secret}\ndeny = 0.0.0.0/0.0.0.0\npermit = 127.0.0.1/255.255.255.255\n"
        "write = system,call,originate,reporting\n"
    )


def _pjsip(plan: Plan) -> str:
    parts = [
        "[global]\ntype = global\nuser_agent = World\nendpoint_identifier_order = request_uri,username\n"
    ]
    parts += [_carrier(line, plan) for line in plan.lines if line.carrier.reachable]
    if plan.softphone is not None:
        parts.append(_softphone(plan.softphone))
    return "\n".join(parts)


def _carrier(line: Line, plan: Plan) -> str:
    name, host, port = line.carrier.name, line.host, line.port
    return f"""\
[transport-{name}]
type = transport
protocol = udp
allow_reload = yes
bind = {host}:{line.hidden_port or port}

[{name}]
type = aor
contact = sip:{plan.switch_host}:{plan.switch_port}

[{name}]
type = endpoint
transport = transport-{name}
aors = {name}
context = carrier-{name}
disallow = all
allow = {",".join(line.carrier.codecs)}
dtmf_mode = {line.carrier.dtmf}
media_address = {host}
bind_rtp_to_media_address = yes
t38_bind_udptl_to_media_address = yes
direct_media = no
t38_udptl = yes
t38_udptl_ec = redundancy
trust_id_inbound = yes
send_pai = yes
trust_id_outbound = yes
timers = no
100rel = no
rtp_keepalive = 0

[{name}]
type = identify
endpoint = {name}
match_request_uri = /@{host.replace(".", "[.]")}:{port}/
"""


def _softphone(phone: Softphone) -> str:
    return f"""\
[transport-{phone.user}]
type = transport
protocol = udp
bind = {phone.host}:{phone.port}

[{phone.user}]
type = aor
max_contacts = 1
remove_existing = yes

[{phone.user}]
type = auth
auth_type = digest
username = {phone.user}
password = {phone.password}

[{phone.user}]
type = endpoint
transport = transport-{phone.user}
context = softphone
aors = {phone.user}
auth = {phone.user}
disallow = all
allow = alaw,ulaw
dtmf_mode = auto
direct_media = no
rtp_symmetric = yes
force_rport = yes
rewrite_contact = yes
"""


def _dialplan(plan: Plan) -> str:
    contexts = [_arrivals(line.carrier) for line in plan.lines]
    if plan.softphone is not None:
        number = plan.softphone.number
        contexts.append(
            f"[softphone]\nexten => _[+0-9*#]!,1,Set(CALLERID(num)={number})\n"
            f" same => n,Dial(PJSIP/${{EXTEN}}@{plan.lines[0].carrier.name},60)\n"
        )
    return "\n".join([*contexts, resources.files("world").joinpath("dialplan.conf").read_text()])


def _arrivals(carrier: Carrier) -> str:
    """The context of one carrier: number formats are its own affair, all else is common."""
    lines = [f"Set(CARRIER={carrier.name})", f"Set(HOME={carrier.country_code})", "Set(DIALLED=${EXTEN})"]
    if carrier.prefix:
        size = len(carrier.prefix)
        lines.append(f'ExecIf($["${{EXTEN:0:{size}}}" = "{carrier.prefix}"]?Set(DIALLED=${{EXTEN:{size}}}))')
    lines.append("Goto(arrival,s,1)")
    first, *rest = lines
    return f"[carrier-{carrier.name}]\nexten => _[+0-9*#]!,1,{first}\n" + "".join(
        f" same => n,{line}\n" for line in rest
    )
