"""Whether a running Asterisk of ours is as it should be.

Reads: the running Asterisk's console, its manager port, the settings, the prompt texts.
Gives: one Finding per thing looked at, good or bad, with the remedy.
Knows nothing of: how findings are shown.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pbx import voice
from pbx.configuration import AMI_READ, AMI_WRITE, CEL_EVENTS
from pbx.dialplan import IVR_CONTEXT, LEG_CONTEXT, NOWHERE_CONTEXT, RING_CONTEXT, TRIGGER_CONTEXT
from pbx.errors import PbxError
from pbx.installation import fit_version
from pbx.modules import module_names
from pbx.process import Asterisk
from pbx.settings import Settings

AMI_SECONDS_MAX = 5.0
AMI_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    good: bool
    says: str


def findings(asterisk: Asterisk, settings: Settings, texts: Mapping[str, Mapping[str, str]]) -> list[Finding]:
    """Return everything that can be told about it; `texts` is language → prompt id → sentence."""
    if asterisk.pid is None:
        return [_bad("running", f"no Asterisk runs in {asterisk.layout.folder}: dialback pbx up")]
    return [
        _good("running", f"pid {asterisk.pid}"),
        _version(asterisk),
        _modules(asterisk),
        _dialplan(asterisk),
        _options(asterisk),
        *_manager(asterisk, settings),
        _evidence(asterisk),
        _trunks(asterisk, settings),
        *_prompts(asterisk, texts),
    ]


def _version(asterisk: Asterisk) -> Finding:
    try:
        text = fit_version(asterisk.command("core show version"), where="the running Asterisk")
    except PbxError as error:
        return _bad("version", str(error))
    return _good("version", text)


def _modules(asterisk: Asterisk) -> Finding:
    shown = asterisk.command("module show")
    loaded = {line.split()[0] for line in shown.splitlines() if " Running " in line}
    missing = [name for name in module_names() if f"{name}.so" not in loaded]
    known = {f"{name}.so" for name in module_names()}
    extra = sorted(name for name in loaded - known if name.endswith(".so"))
    if missing:
        return _bad("modules", f"not running: {', '.join(missing)}")
    if extra:
        return _bad("modules", f"loaded without need: {', '.join(extra)}; dialback pbx down, then up")
    return _good("modules", f"{len(known)} loaded, no other")


def _dialplan(asterisk: Asterisk) -> Finding:
    shown = asterisk.command("dialplan show")
    wanted = (TRIGGER_CONTEXT, RING_CONTEXT, IVR_CONTEXT, LEG_CONTEXT, NOWHERE_CONTEXT)
    missing = [context for context in wanted if f"[ Context '{context}'" not in shown]
    return (
        _bad("dialplan", f"contexts missing: {', '.join(missing)}") if missing else _good("dialplan", "there")
    )


def _options(asterisk: Asterisk) -> Finding:
    shown = asterisk.command("core show settings")
    if re.search(r"Live dangerously:\s+Yes", shown, re.IGNORECASE):
        return _bad("live_dangerously", "on: set it to no in asterisk.conf")
    return _good("live_dangerously", "off")


def _manager(asterisk: Asterisk, settings: Settings) -> Iterator[Finding]:
    shown = asterisk.command("manager show settings")
    bound = re.search(r"TCP Bindaddress:\s+(\S+)", shown)
    address = bound[1] if bound else "nowhere"
    loopback = address.startswith(("127.", "[::1]"))
    yield (_good if loopback else _bad)("manager bind", f"{address}" + ("" if loopback else ": not loopback"))
    stamped = re.search(r"Timestamp events:\s+Yes", shown) is not None
    yield (_good if stamped else _bad)("event times", "stamped" if stamped else "timestampevents is off")
    yield _rights(asterisk.command(f"manager show user {settings.ami.user}"))
    yield _login(asterisk, settings)


def _rights(shown: str) -> Finding:
    """More than needed is as wrong as less: `originate` with `system` is a shell."""
    for kind, wanted in (("read", AMI_READ), ("write", AMI_WRITE)):
        line = re.search(rf"{kind} perm:\s*(\S*)", shown)
        has = set(line[1].split(",")) if line else set()
        if has != set(wanted):
            return _bad(
                "manager rights", f"{kind} is {','.join(sorted(has)) or 'none'}, must be {','.join(wanted)}"
            )
    return _good("manager rights", f"read {','.join(AMI_READ)}; write {','.join(AMI_WRITE)}")


def _login(asterisk: Asterisk, settings: Settings) -> Finding:
    """Log in as the switch does; while the switch is logged in, a second login is refused by design."""
    connected = asterisk.command("manager show connected").split()
    if settings.ami.user in connected:
        return _good("manager login", f"{settings.ami.user} is logged in just now")
    ami = settings.ami
    lines = f"Action: Login\r\nUsername: {ami.user}\r\nSecret: {ami.secret.get_secret_value()}\r\n"
    try:
        with socket.create_connection((ami.host, ami.port), AMI_SECONDS_MAX) as connection:
            connection.sendall((lines + "Events: off\r\n\r\n").encode())
            heard = b""
            while b"\r\n\r\n" not in heard and len(heard) < AMI_BYTES_MAX:
                piece = connection.recv(AMI_BYTES_MAX)
                if not piece:
                    break
                heard += piece
    except OSError as error:
        return _bad("manager login", f"{ami.host}:{ami.port} cannot be reached: {error}")
    if b"Response: Success" in heard:
        return _good("manager login", f"{ami.user} at {ami.host}:{ami.port}")
    return _bad("manager login", f"{ami.user} is refused: is [ami] secret the one Asterisk was started with?")


def _evidence(asterisk: Asterisk) -> Finding:
    shown = asterisk.command("cel show status")
    tracked = set(re.findall(r"Tracking Event: (\S+)", shown))
    if "DTMF" in tracked:
        return _bad("evidence", "CEL records DTMF, PINs among it: take DTMF out of cel.conf")
    lacking = set(CEL_EVENTS) - tracked
    if lacking or "CEL Custom CSV Logging" not in shown:
        return _bad("evidence", f"CEL does not record {', '.join(sorted(lacking)) or 'to a file'}")
    return _good("evidence", str(asterisk.layout.events))


def _trunks(asterisk: Asterisk, settings: Settings) -> Finding:
    shown = set(re.findall(r"Identify:\s+(\S+?)/", asterisk.command("pjsip show identifies")))
    missing = [trunk.name for trunk in settings.trunks if trunk.name not in shown]
    if missing:
        return _bad("trunks", f"not known to Asterisk: {', '.join(missing)}; dialback pbx down, then up")
    if not settings.trunks:
        return _bad("trunks", "none: write a [[trunks]] table in switch.toml")
    return _good("trunks", ", ".join(trunk.name for trunk in settings.trunks))


def _prompts(asterisk: Asterisk, texts: Mapping[str, Mapping[str, str]]) -> Iterator[Finding]:
    for language, sentences in texts.items():
        lacking = voice.missing(sentences, language=language, layout=asterisk.layout)
        if lacking:
            yield _bad(f"prompts {language}", f"missing: {', '.join(lacking[:5])} ({len(lacking)} in all)")
        else:
            yield _good(f"prompts {language}", f"{len(sentences)} there")
    if not (asterisk.layout.sounds / "en" / "beep.gsm").exists():
        yield _bad("core prompts", f"not in {asterisk.layout.sounds / 'en'}")


def _good(what: str, says: str) -> Finding:
    return Finding(what=what, good=True, says=says)


def _bad(what: str, says: str) -> Finding:
    return Finding(what=what, good=False, says=says)
