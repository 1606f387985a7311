"""What an account's programs may ask for: a callback, how one stands, that one be cancelled.

Reads: secrets, wishes and ids, as HTTP brought them; the store.
Gives: ApiKeys, Taken, Standing; ProblemFound for everything else.
Knows nothing of: Flask, JSON, who rings (the conductor takes it from the store's inbox).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from calls.admission import Refused
from calls.callback import WAITING, Callback, OriginKind, State, callback_id
from calls.limits import Limits
from calls.wishes import Request
from store import admissions, apikeys, callbacks, cdrs, errors, requests
from store.apikeys import ApiKey
from store.database import Connection, Database
from store.outcomes import Total, total_of
from web import problems
from web.problems import FieldProblem, ProblemFound
from web.telephones import telephones
from web.wish import Wish

AT_DAYS_MAX = 31
"""Further ahead a telephone may have another owner by then."""
CANCEL_WAIT_SECONDS = 1.0
"""So long an answer waits for the conductor; the wish is committed and holds in any case."""
CANCEL_LOOK_SECONDS = 0.02
_ID = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A wish as it came: under which Idempotency-Key (empty for none), and from where."""

    wish: Wish
    idempotency_key: str = ""
    remote_address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A request that is committed; `is_repeat` if it was before this one came."""

    callback: Callback
    is_repeat: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a callback stands, and what it cost if its books are closed."""

    callback: Callback
    records: tuple[cdrs.CallRecord, ...] = ()
    total: Total | None = None
    cancel_requested: bool = False


class Requests:
    """Answers each question in one transaction, on the thread that asks."""

    def __init__(
        self,
        *,
        database: Database,
        limits: Limits,
        new_id: Callable[[], str],
        wall: Callable[[], datetime],
        notice: Callable[[], object],
        is_stopping: Callable[[], bool],
        pause: Callable[[float], object],
        log: FilteringBoundLogger,
    ) -> None:
        """`notice` tells the conductor to look into its inbox; `pause` waits so many seconds."""
        self._database = database
        self._limits = limits
        self._new_id = new_id
        self._wall = wall
        self._notice = notice
        self._is_stopping = is_stopping
        self._pause = pause
        self._log = log

    def api_key(self, secret: str) -> ApiKey:
        """The key of that secret, found by its hash: the time it takes says nothing about other secrets."""
        key = self._database.read("find api key", apikeys.api_key_of, secret)
        if key is None:
            raise problems.unauthorised()
        return key

    def take(self, key: ApiKey, asked: Asked) -> Taken:
        """Commit the request; the same Idempotency-Key gives the same callback, for 7 days at least."""
        if self._is_stopping():
            raise problems.stopping()
        taken = self._database.call("take request", self._take, key, asked)
        if not taken.is_repeat:
            self._notice()
        return taken

    def standing(self, key: ApiKey, callback_id: str) -> Standing:
        """How a callback of the key's account stands."""
        return self._database.read("callback standing", self._look, key, callback_id)

    def cancel(self, key: ApiKey, callback_id: str) -> Standing:
        """Cancel a callback that is not being dialled; as it stands when that is done, or still waits."""
        self._database.call("request cancel", self._cancel, key, callback_id)
        self._notice()
        waited = 0.0
        while True:
            standing = self.standing(key, callback_id)
            if standing.callback.state.is_end or waited >= CANCEL_WAIT_SECONDS or self._is_stopping():
                return standing
            self._pause(CANCEL_LOOK_SECONDS)
            waited += CANCEL_LOOK_SECONDS

    # transactions

    def _take(self, connection: Connection, key: ApiKey, asked: Asked) -> Taken:
        if not requests.lock_api_key(connection, key.id):
            raise problems.unauthorised()
        if asked.idempotency_key:
            earlier = self._earlier(connection, key, asked)
            if earlier is not None:
                return Taken(callback=callbacks.load(connection, earlier), is_repeat=True)
        now = self._wall()
        new_id = callback_id(self._new_id())
        request = self._request(connection, key, asked, now)
        made = admissions.admit_request(connection, request, callback_id=new_id, limits=self._limits)
        if isinstance(made, Refused):
            raise problems.of_refusal(made)
        if asked.idempotency_key:
            apikeys.note_request(
                connection,
                api_key_id=key.id,
                key=asked.idempotency_key,
                request_hash=asked.wish.fingerprint,
                callback_id=made.id,
                at=now,
            )
        return Taken(callback=made, is_repeat=False)

    @staticmethod
    def _earlier(connection: Connection, key: ApiKey, asked: Asked) -> str | None:
        try:
            return apikeys.earlier_request(
                connection,
                api_key_id=key.id,
                key=asked.idempotency_key,
                request_hash=asked.wish.fingerprint,
            )
        except errors.Conflict as refused:
            raise problems.conflict("other_request", refused) from None

    @staticmethod
    def _request(connection: Connection, key: ApiKey, asked: Asked, now: datetime) -> Request:
        wish = asked.wish
        if wish.at is not None and not now < wish.at <= now + timedelta(days=AT_DAYS_MAX):
            problem = "it lies in the past" if wish.at <= now else "it lies too far ahead"
            remedy = f"send an instant in the next {AT_DAYS_MAX} days, or none for now"
            raise problems.bad_fields([FieldProblem(field="at", problem=problem, remedy=remedy)])
        meant = telephones(connection, key.account_id, wish)
        return Request(
            kind=OriginKind.WEB,
            number=meant.number,
            received_at=now,
            account_id=key.account_id,
            destination=meant.destination,
            dial_at=wish.at,
            attempts=wish.attempts,
            retry_gaps_seconds=wish.gaps,
            idempotency_key=asked.idempotency_key,
            reference=wish.reference,
            topic=wish.topic,
            tag=wish.tag,
            remote_address=asked.remote_address,
        )

    def _look(self, connection: Connection, key: ApiKey, callback_id: str) -> Standing:
        callback = self._own(connection, key, callback_id)
        if callback.state.is_end:
            return Standing(
                callback=callback,
                records=cdrs.list_cdrs(connection, callback_id=callback.id),
                total=total_of(connection, callback.id),
            )
        wanted = bool(callbacks.cancel_requested_by(connection, callback.id))
        return Standing(callback=callback, cancel_requested=wanted)

    def _cancel(self, connection: Connection, key: ApiKey, callback_id: str) -> None:
        requests.lock_callback(connection, callback_id, key.account_id)
        callback = self._own(connection, key, callback_id)
        if callback.state is State.CANCELLED or callbacks.cancel_requested_by(connection, callback.id):
            return  # told twice
        if callback.state not in WAITING:
            raise _too_late(callback)
        callbacks.request_cancel(connection, callback.id, f"api key {key.id}")

    def _own(self, connection: Connection, key: ApiKey, callback_id: str) -> Callback:
        if not _ID.fullmatch(callback_id):
            raise problems.unknown_callback()
        try:
            callback = callbacks.load(connection, callback_id)
        except errors.NotFound:
            raise problems.unknown_callback() from None
        if callback.account_id != key.account_id:
            self._log.warning("web.foreign_callback", api_key=key.id, callback=callback_id)
            raise problems.unknown_callback()
        return callback


def _too_late(callback: Callback) -> ProblemFound:
    if callback.state.is_end:
        problem = f"it has ended already ({callback.state})"
        remedy = "nothing is left to cancel"
    else:
        problem = f"its dialling has begun ({callback.state})"
        remedy = "do not answer, or hang up"
    found = FieldProblem(field="id", problem=problem, remedy=remedy)
    return ProblemFound(409, "too_late", f"The callback cannot be cancelled: {problem}.", errors=(found,))
