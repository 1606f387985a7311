"""The two ways in which a callback is wished for: a ring, and a request.

Reads: nothing.
Gives: Ring and Request, as they were received.
Knows nothing of: who may wish (calls/admission.py).
"""

from dataclasses import dataclass
from datetime import datetime

from calls.callback import OriginKind
from values.e164 import E164


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """One ring of a trigger. Every `…_raw` text is the caller's own and may be hostile.

    `ingress_country` is the ISO 3166 code of the country whose habits the trunk's numbers follow.
    """

    trigger_id: str
    channel_id: str
    did_raw: str
    caller_number_raw: str
    caller_name_raw: str
    is_withheld: bool
    is_diverted: bool
    trunk: str
    ingress_country: str
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A wish by web, API or command line. `number` names the subscriber; one of its account's numbers.

    `account_id` limits whose numbers count (that of the API key); empty for staff. `dial_at` None is now.
    """

    kind: OriginKind
    number: E164
    received_at: datetime
    account_id: str = ""
    destination: E164 | None = None
    dial_at: datetime | None = None
    attempts: int = 1
    retry_gaps_seconds: tuple[int, ...] = ()
    idempotency_key: str = ""
    reference: str = ""
    topic: str = ""
    tag: str = ""
    remote_address: str = ""
