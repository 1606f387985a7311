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
    """Make the caller's words harmless before anything else is done with them.

    AGI's environment and AMI's events print caller number, name and dialled number as they came, and
    SIP lets a line feed through (%0A).
    """
    number, name = NUMBER_CHARACTERS_MAX, NAME_CHARACTERS_MAX
    return _extension(
        TRIGGER_CONTEXT,
        "_[+0-9]!",
        "Ringing()",
        f"Set(DIALBACK_NUMBER=${{URIENCODE(${{CALLERID(num):0:{number}}})}})",
        f"Set(DIALBACK_NAME=${{URIENCODE(${{CALLERID(name):0:{name}}})}})",
        "Set(DIALBACK_PRESENTATION=${URIENCODE(${CALLERID(pres)})})",
        f"Set(DIALBACK_DIVERSION=${{URIENCODE(${{REDIRECTING(from-num):0:{number}}})}})",
        "Set(CALLERID(all)=)",
        "Set(CALLERID(ani)=)",
        "Set(CALLERID(dnid)=)",
        "Set(CALLERID(rdnis)=)",
        "Set(REDIRECTING(from-name,i)=)",
        "Set(REDIRECTING(from-num,i)=)",
        f"Goto({RING_CONTEXT},${{FILTER(+0-9,${{EXTEN}})}},1)",
    )


def _ring(address: str) -> str:
    """Tell the switch, and go: never answered, no early media."""
    facts = ",".join(f"${{{name}}}" for name in RING_FACTS)
    return _extension(RING_CONTEXT, "_[+0-9]!", f"AGI({address},{facts})", f"Hangup({BUSY})")


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
