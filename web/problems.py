"""What the web says no with: one exception, and its form as RFC 9457 `application/problem+json`.

Reads: refusals of the floors below.
Gives: ProblemFound, with the status, a code for programs, a sentence for people and the fields at fault.
Knows nothing of: Flask, Twisted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calls.admission import AdmissionRefusal, Refused
from store import errors

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
"""After a stop or a restart of the database the next try is likely to succeed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """A field that cannot be meant. `problem` has no full stop, `remedy` is what to do instead."""

    field: str
    problem: str
    remedy: str


SCHEMA = {
    "type": "object",
    "description": "RFC 9457.",
    "required": ["type", "title", "status", "detail", "errors"],
    "properties": {
        "type": {"type": "string", "description": "`urn:dialback:problem:` and a word for programs."},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence for people."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "problem", "remedy"],
                "properties": {
                    "field": {"type": "string", "description": "Its name; `body` for the whole."},
                    "problem": {"type": "string", "description": "What is wrong."},
                    "remedy": {"type": "string", "description": "What to do instead."},
                },
            },
        },
    },
}


class ProblemFound(Exception):
    """The request cannot be granted."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`code` is a word for programs, `detail` a sentence for people."""
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})


def as_members(problem: ProblemFound, *, title: str) -> dict[str, object]:
    """The members of the problem document."""
    return {
        "type": f"urn:dialback:problem:{problem.code}",
        "title": title,
        "status": problem.status,
        "detail": problem.detail,
        "errors": [
            {"field": each.field, "problem": each.problem, "remedy": each.remedy} for each in problem.errors
        ],
    }


def bad_fields(found: Sequence[FieldProblem]) -> ProblemFound:
    """422: these fields cannot be meant."""
    names = ", ".join(dict.fromkeys(each.field for each in found))
    return ProblemFound(422, "bad_fields", f"Nothing was done; see to: {names}.", errors=found)


def bad_body(problem: str, remedy: str) -> ProblemFound:
    """400: the body cannot be read at all."""
    found = FieldProblem(field="body", problem=problem, remedy=remedy)
    return ProblemFound(400, "bad_body", "The body cannot be read; nothing was done.", errors=(found,))


def unauthorised() -> ProblemFound:
    """401: the same for no key, a wrong one and one that was revoked."""
    return ProblemFound(
        401,
        "unauthorised",
        "Send a valid API key, as `Authorization: Bearer …` or `X-API-Key: …`.",
        headers={"WWW-Authenticate": 'Bearer realm="dialback"'},
    )


def unknown_callback() -> ProblemFound:
    """404: the same for one that does not exist and one of another account."""
    return ProblemFound(404, "unknown_callback", "Your account has no callback of this id.")


def stopping() -> ProblemFound:
    """503: nothing new is taken."""
    return _later("stopping", Refused(reason=AdmissionRefusal.STOPPING).sentence)


def unavailable() -> ProblemFound:
    """503: the store is away."""
    return _later(
        "unavailable", "The service cannot be reached just now; nothing was done, try again shortly."
    )


def conflict(code: str, refused: errors.Refused) -> ProblemFound:
    """409: it stands against something that is there already."""
    found = FieldProblem(field=refused.field, problem=refused.problem, remedy=refused.remedy)
    detail = f"{refused.problem[:1].upper()}{refused.problem[1:]}."
    return ProblemFound(409, code, detail, errors=(found,))


def of_refusal(refused: Refused) -> ProblemFound:
    """The answer to a request that was understood and is not admitted."""
    status, remedy = ADMISSION[refused.reason]
    found = []
    if remedy:
        found.append(FieldProblem(field="number", problem=refused.sentence.rstrip("."), remedy=remedy))
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else None
    return ProblemFound(status, refused.reason.value, refused.sentence, errors=found, headers=headers)


_REGISTER = "have accounts staff register it for one of your subscribers and verify it"
ADMISSION: Mapping[AdmissionRefusal, tuple[int, str]] = {
    AdmissionRefusal.UNKNOWN_DID: (422, ""),
    AdmissionRefusal.UNKNOWN_CALLER: (422, _REGISTER),
    AdmissionRefusal.DIVERTED: (403, ""),
    AdmissionRefusal.NOT_VERIFIED: (422, "have it verified, then ask again"),
    AdmissionRefusal.DUPLICATE: (409, "wait until that one has ended, or cancel it"),
    AdmissionRefusal.ACCOUNT_SUSPENDED: (403, ""),
    AdmissionRefusal.ACCOUNT_CLOSED: (403, ""),
    AdmissionRefusal.COUNTRY_DENIED: (403, "name a number of another country"),
    AdmissionRefusal.NO_CREDIT: (402, ""),
    AdmissionRefusal.NO_RATE: (422, "name a number that your plan covers"),
    AdmissionRefusal.STOPPING: (503, ""),
    AdmissionRefusal.TOO_MANY_CODES: (429, ""),
    AdmissionRefusal.SPEND_CAP: (402, ""),
    AdmissionRefusal.TOO_MANY_CALLBACKS: (429, ""),
}


def _later(code: str, detail: str) -> ProblemFound:
    return ProblemFound(503, code, detail, headers={"Retry-After": str(RETRY_SECONDS)})
