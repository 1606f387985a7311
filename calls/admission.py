"""Whether a ring or a request becomes a callback.

Reads: what the store knows of the trigger number, the caller and the account, gathered beforehand.
Gives: Admitted, or Refused with the reason; both leave a record.
Knows nothing of: the store, Asterisk, how a refusal is told.
"""

from dataclasses import dataclass
from enum import StrEnum

from calls.policy import Verdict
from values.e164 import E164


class AdmissionRefusal(StrEnum):
    """Why no callback was made."""

    UNKNOWN_DID = "unknown_did"
    UNKNOWN_CALLER = "unknown_caller"
    DIVERTED = "diverted"
    NOT_VERIFIED = "not_verified"
    DUPLICATE = "duplicate"
    ACCOUNT_SUSPENDED = "account_suspended"
    ACCOUNT_CLOSED = "account_closed"
    COUNTRY_DENIED = "country_denied"
    NO_CREDIT = "no_credit"
    NO_RATE = "no_rate"
    STOPPING = "stopping"
    TOO_MANY_CODES = "too_many_codes"
    SPEND_CAP = "spend_cap"
    TOO_MANY_CALLBACKS = "too_many_callbacks"


SENTENCES = {
    AdmissionRefusal.UNKNOWN_DID: "This trigger number is not in service.",
    AdmissionRefusal.UNKNOWN_CALLER: "The calling number is not registered with an account.",
    AdmissionRefusal.DIVERTED: "The ring was diverted by another line; only a direct ring is accepted.",
    AdmissionRefusal.NOT_VERIFIED: "The callback number is registered but not verified yet; verify it first.",
    AdmissionRefusal.DUPLICATE: "A callback for this subscriber is under way already.",
    AdmissionRefusal.ACCOUNT_SUSPENDED: "The account is suspended; accounts staff can resume it.",
    AdmissionRefusal.ACCOUNT_CLOSED: "The account is closed.",
    AdmissionRefusal.COUNTRY_DENIED: "Callbacks to this country are not allowed this way.",
    AdmissionRefusal.NO_CREDIT: "The account's credit does not cover a call; pay or top up first.",
    AdmissionRefusal.NO_RATE: "There is no rate for the callback number in the account's plan.",
    AdmissionRefusal.SPEND_CAP: "The spending limit of the account or the subscriber is reached.",
    AdmissionRefusal.TOO_MANY_CALLBACKS: "The account has as many callbacks under way as it may have.",
    AdmissionRefusal.TOO_MANY_CODES: "Too many codes were ordered for this number or account; wait a while.",
    AdmissionRefusal.STOPPING: "The switch is stopping and takes no new callbacks; try again shortly.",
}


class AccountState(StrEnum):
    """Whether an account may call."""

    OPEN = "open"
    SUSPENDED = "suspended"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The subscriber who would be rung, as the store knows it at this instant."""

    account_id: str
    subscriber_id: str
    account_state: AccountState
    number_a: E164
    number_verified: bool
    has_live_callback: bool
    has_rate: bool
    has_credit: bool
    country: Verdict
    has_free_line: bool = True
    is_within_caps: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """This subscriber is to be rung."""

    candidate: Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """No callback, and why; the account is known unless the caller is not."""

    reason: AdmissionRefusal
    detail: str = ""

    @property
    def sentence(self) -> str:
        """The reason as a sentence for a person, with its detail."""
        return f"{SENTENCES[self.reason]} {self.detail}".rstrip()


def decide(*, did_known: bool, diverted: bool, candidate: Candidate | None) -> Admitted | Refused:
    """Admit the candidate or name the first thing that stands against it; nothing rings before this."""
    if not did_known:
        return Refused(reason=AdmissionRefusal.UNKNOWN_DID)
    if candidate is None:
        return Refused(reason=AdmissionRefusal.UNKNOWN_CALLER)
    if diverted:
        # Two callback systems, or a line forwarded to us, would ring each other for ever.
        return Refused(reason=AdmissionRefusal.DIVERTED)
    return decide_candidate(candidate)


def decide_verification(candidate: Candidate) -> Admitted | Refused:
    """The checks of a call that only speaks a code: it costs the account nothing and is part of self-care."""
    if candidate.account_state is AccountState.CLOSED:
        return Refused(reason=AdmissionRefusal.ACCOUNT_CLOSED)
    if candidate.has_live_callback:
        return Refused(reason=AdmissionRefusal.DUPLICATE)
    if candidate.country.is_denied:
        return Refused(reason=AdmissionRefusal.COUNTRY_DENIED, detail=candidate.country.reason)
    if not candidate.has_rate:
        return Refused(reason=AdmissionRefusal.NO_RATE)
    return Admitted(candidate=candidate)


def decide_candidate(candidate: Candidate) -> Admitted | Refused:
    """The checks that a web request and a ring share."""
    if candidate.account_state is AccountState.CLOSED:
        return Refused(reason=AdmissionRefusal.ACCOUNT_CLOSED)
    if candidate.account_state is AccountState.SUSPENDED:
        return Refused(reason=AdmissionRefusal.ACCOUNT_SUSPENDED)
    if not candidate.number_verified:
        return Refused(reason=AdmissionRefusal.NOT_VERIFIED)
    if candidate.has_live_callback:
        return Refused(reason=AdmissionRefusal.DUPLICATE)
    if candidate.country.is_denied:
        return Refused(reason=AdmissionRefusal.COUNTRY_DENIED, detail=candidate.country.reason)
    if not candidate.has_rate:
        return Refused(reason=AdmissionRefusal.NO_RATE)
    if not candidate.has_credit:
        return Refused(reason=AdmissionRefusal.NO_CREDIT)
    if not candidate.is_within_caps:
        return Refused(reason=AdmissionRefusal.SPEND_CAP)
    if not candidate.has_free_line:
        return Refused(reason=AdmissionRefusal.TOO_MANY_CALLBACKS)
    return Admitted(candidate=candidate)
