"""extensions.conf: the few lines that stand between SIP and the switch.

Reads: where the switch listens for AGI, the secret it shares with this file.
Gives: the contexts of docs/DIALPLAN.md.
Knows nothing of: trunks, money, the state of a callback.
"""

from __future__ import annotations

import hashlib
import hmac

from pbx.settings import AgiPlace, PbxSettings
from pbx.text import HEADER

TRIGGER_CONTEXT = "dialback-trigger"
RING_CONTEXT = "dialback-ring"
IVR_CONTEXT = "dialback-ivr"
LEG_CONTEXT = "dialback-leg"
NOWHERE_CONTEXT = "dialback-nowhere"

DID_DIGITS_MIN, DID_DIGITS_MAX = 2, 18
"""Short codes of a private network up to E.164's 15 digits behind an international prefix."""
NUMBER_CHARACTERS_MAX = 64
NAME_CHARACTERS_MAX = 128
BUSY = 17
"""Q.850 "user busy": SIP 486. A 5xx would make some carriers try another way to us."""
SITE_TOKEN_CHARACTERS = 32
RING_FACTS = (
    "DIALBACK_NUMBER",
    "DIALBACK_NAME",
    "DIALBACK_PRESENTATION",
    "DIALBACK_DIVERSION",
    "CHANNEL(endpoint)",
)
"""The AGI arguments of a trigger, in order; the DID is agi_extension."""


def site_token(secret: str) -> str:
    """Return the token by which the switch knows that a trigger comes from our own dialplan."""
    return hmac.new(secret.encode(), b"trigger", hashlib.sha256).hexdigest()[:SITE_TOKEN_CHARACTERS]


def extensions_conf(pbx: PbxSettings, agi: AgiPlace) -> str:
    """Return the dialplan."""
    place = f"agi://{agi.host}:{agi.port}"
    token = site_token(agi.secret.get_secret_value())
    return "\n".join(
        (
            HEADER,
            # autofallthrough: a channel that runs out of lines is hung up, never left waiting.
            "[general]\nstatic=yes\nwriteprotect=yes\nautofallthrough=yes\nclearglobalvars=yes\n",
            _trigger(),
            _ring(f"{place}/trigger/{token}"),
            _ivr(f"{place}/ivr/${{DIALBACK_LEG}}/${{DIALBACK_TOKEN}}", pbx.absolute_seconds_max),
            _leg(),
            f"; No line here: a call that is forwarded ends.\n[{NOWHERE_CONTEXT}]\n",
        )
    )


def _trigger() -> str:
    """Let in what is a number, and nothing else.

    `.` and `!` in a pattern match any byte, and SIP lets a line feed through (%0A), which would then
    stand in AGI's environment, in AMI's events and in the CEL file. X matches 0 to 9.
    """
    lengths = range(DID_DIGITS_MIN, DID_DIGITS_MAX + 1)
    patterns = [f"_{plus}{'X' * length}" for plus in ("", "+") for length in lengths]
    lines = [f"exten => {pattern},1,Goto({RING_CONTEXT},${{EXTEN}},1)" for pattern in patterns]
    return "\n".join((f"[{TRIGGER_CONTEXT}]", *lines)) + "\n"


def _ring(address: str) -> str:
    """Ring, tell the switch who rang, and go: never answered, no early media.

    Caller number and name are encoded and then wiped before AGI, whose environment prints them as they
    came. URIENCODE leaves ( and ) as they are, and an open one swallows the commas behind it: FILTER.
    """
    number, name = NUMBER_CHARACTERS_MAX, NAME_CHARACTERS_MAX
    facts = ",".join(f"${{{name}}}" for name in RING_FACTS)
    return _extension(
        RING_CONTEXT,
        "_[+0-9]!",
        "Ringing()",
        f"Set(DIALBACK_NUMBER={_harmless(f'${{CALLERID(num):0:{number}}}')})",
        f"Set(DIALBACK_NAME={_harmless(f'${{CALLERID(name):0:{name}}}')})",
        f"Set(DIALBACK_PRESENTATION={_harmless('${CALLERID(pres)}')})",
        f"Set(DIALBACK_DIVERSION={_harmless(f'${{REDIRECTING(from-num):0:{number}}}')})",
        "Set(CALLERID(all)=)",
        "Set(CALLERID(ani)=)",
        "Set(CALLERID(dnid)=)",
        "Set(CALLERID(rdnis)=)",
        "Set(REDIRECTING(from-name,i)=)",
        "Set(REDIRECTING(from-num,i)=)",
        f"AGI({address},{facts})",
        f"Hangup({BUSY})",
    )


def _harmless(expression: str) -> str:
    return f"${{FILTER(A-Za-z0-9%._~\\x2d,${{URIENCODE({expression})}})}}"


def _ivr(address: str, absolute_seconds: int) -> str:
    """Give A to the switch, under a limit that holds when the switch is dead."""
    limit = f"${{IF($[0${{DIALBACK_ABSOLUTE}} > 0]?${{DIALBACK_ABSOLUTE}}:{absolute_seconds})}}"
    return _extension(
        IVR_CONTEXT, "s", f"Set(TIMEOUT(absolute)={limit})", "Answer()", f"AGI({address})", "Hangup()"
    )


def _leg() -> str:
    """Dial's pre-dial subroutine b(): runs on the B channel before its INVITE leaves."""
    return _extension(LEG_CONTEXT, "s", "Set(CHANNEL(accountcode)=${ARG1})", "Return()")


def _extension(context: str, pattern: str, *applications: str) -> str:
    first, *rest = applications
    lines = [f"[{context}]", f"exten => {pattern},1,{first}", *(f" same => n,{line}" for line in rest)]
    return "\n".join(lines) + "\n"
