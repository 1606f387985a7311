"""Why a callback ended, as a sentence for its account.

Reads: calls.callback.Reason.
Gives: SENTENCES, one for every reason.
Knows nothing of: what is spoken on the telephone (ivr/prompts.py).
"""

from collections.abc import Mapping

from calls.callback import Reason

SENTENCES: Mapping[Reason, str] = {
    Reason.TALKED: "The call was connected and has ended.",
    Reason.NOT_ACCEPTED: "The telephone was answered, but nobody pressed a key.",
    Reason.GAVE_UP: "The caller gave no destination in time.",
    Reason.LEFT: "The caller hung up before a destination was reached.",
    Reason.BUSY: "The line was busy.",
    Reason.NO_ANSWER: "Nobody answered.",
    Reason.REJECTED: "The call was rejected.",
    Reason.UNOBTAINABLE: "The number cannot be reached.",
    Reason.CONGESTION: "The network had no free line.",
    Reason.EXPIRED: "It could not be dialled in time.",
    Reason.CANCELLED: "It was cancelled.",
    Reason.VANISHED: "The call was lost; what was talked until then counts.",
    Reason.NEVER_SEEN: "The call was ordered, but no telephone was rung.",
    Reason.NO_CREDIT: "The account's credit does not cover the call.",
    Reason.NO_RATE: "The account's plan has no rate for the number.",
    Reason.NO_ROUTE: "There is no way to the number just now.",
    Reason.BLOCKED: "Calls to the number are not offered.",
    Reason.COUNTRY_DENIED: "Calls to the country are not allowed this way.",
    Reason.ACCOUNT_CLOSED: "The account is suspended or closed.",
    Reason.NUMBER_REFUSED: "The number cannot be dialled.",
    Reason.EMERGENCY: "Emergency numbers are not connected; dial them on the telephone in your hand.",
    Reason.OWN_NUMBER: "The number is a trigger number of this service.",
    Reason.OVERDUE: "It took longer than it may, and was ended.",
    Reason.SPEND_CAP: "The spending limit that was set for the account or the subscriber is reached.",
    Reason.CODE_SPOKEN: "The code was spoken.",
    Reason.TRY_LATER: "The service was too busy; try again later.",
}
