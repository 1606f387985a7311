"""The API over a real store with one small company in it, and a clock and ids of the test's own."""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from flask.testing import FlaskClient
from storeworld import CLERK, LIMITS, NOW, advance, fill
from structlog.testing import LogCapture
from werkzeug.test import TestResponse

from calls import events
from calls.callback import Callback
from store import callbacks
from store.apikeys import add_api_key
from store.customers import Account, Subscriber, add_account, add_number, add_subscriber
from store.database import Connection, Database
from store.upgrade import upgrade
from values.e164 import E164
from web.api import Api, make_app
from web.confirmations import Confirmations, House
from web.requests import Requests

SECRET = "dbk_anna-0123456789abcdefghij"
OTHER_SECRET = "dbk_other-0123456789abcdefghij"
OTHER_PHONE = E164.parse("+12025550143")
HOUSE = House(secret=b"the secret of this switch", name="Dialback Ltd", email="bills@dialback.example")
BODY = {"number": "+44 20 7946 0101"}
AUTH = {"Authorization": f"Bearer {SECRET}"}


@dataclass
class Office:
    """What stands around the API in a test."""

    database: Database
    log: LogCapture
    notices: int = 0
    is_stopping: bool = False
    now: datetime = NOW
    on_pause: list[Callable[[], object]] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    turn: threading.Lock = field(default_factory=threading.Lock)
    app: Api = field(init=False)

    def __post_init__(self) -> None:
        log = structlog.wrap_logger(None, processors=[self.log])
        requests = Requests(
            database=self.database,
            limits=LIMITS,
            new_id=self._new_id,
            wall=lambda: self.now,
            notice=self._notice,
            is_stopping=lambda: self.is_stopping,
            pause=self._pause,
            log=log,
        )
        confirmations = Confirmations(database=self.database, house=HOUSE, wall=lambda: self.now)
        self.app = make_app(requests, confirmations, monotonic=lambda: 0.0, log=log)

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def ask(self, body: dict[str, Any] | None = None, **headers: str) -> TestResponse:
        """POST as JSON with Anna's key; `Idempotency_Key=…` gives a header."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post("/api/v1/callbacks", json=body or BODY, headers={**AUTH, **named})

    def show(self, callback_id: str, secret: str = SECRET) -> TestResponse:
        return self.client.get(f"/api/v1/callbacks/{callback_id}", headers={"X-API-Key": secret})

    def cancel(self, callback_id: str, secret: str = SECRET) -> TestResponse:
        return self.client.delete(f"/api/v1/callbacks/{callback_id}", headers={"X-API-Key": secret})

    def callbacks(self) -> tuple[Callback, ...]:
        return self.database.read("list", callbacks.list_callbacks)

    def tell(self, callback_id: str, *told: events.Event) -> Callback:
        """Move a callback as the conductor does."""

        def move(connection: Connection) -> Callback:
            now = callbacks.load(connection, callback_id)
            for event in told:
                now = advance(connection, now, event)
            return now

        return self.database.call("tell", move)

    def conduct(self) -> None:
        """Take the inbox as the conductor does."""
        for wish in self.database.call("take", callbacks.take_inbox):
            if wish.is_cancel:
                cancelled = events.Cancelled(at=self.now, by=wish.cancelled_by)
                self.tell(wish.callback.id, cancelled)

    def later(self, seconds: float) -> datetime:
        return self.now + timedelta(seconds=seconds)

    def _new_id(self) -> str:
        with self.turn:
            return f"{next(self.ids):026d}"

    def _notice(self) -> None:
        self.notices += 1

    def _pause(self, _seconds: float) -> None:
        for function in self.on_pause:
            function()


def make_books(folder: Path) -> Path:
    """A database file with the company of storeworld.py, another account, and a key for each."""
    file = folder / "dialback.db"
    upgrade(f"sqlite:///{file}")
    database = Database(f"sqlite:///{file}")
    database.call("fill", fill_with_keys)
    database.close()
    return file


@contextmanager
def open_office(books: Path) -> Iterator[Office]:
    """An office over that database file."""
    database = Database(f"sqlite:///{books}")
    yield Office(database=database, log=LogCapture())
    database.close()


def fill_with_keys(connection: Connection) -> None:
    fill(connection)
    account = Account(
        id="other",
        name="Other Ltd",
        currency="EUR",
        zone="America/New_York",
        plan_name="standard",
        credit_limit_units=50_0000,
    )
    add_account(connection, account, CLERK)
    subscriber = Subscriber(id="odile", account_id="other", name="Odile", home_country="US")
    add_subscriber(connection, subscriber, CLERK)
    add_number(connection, subscriber_id="odile", number=OTHER_PHONE, author=CLERK, verified=True)
    add_api_key(connection, id="key1", account_id="acme", name="shop", secret=SECRET, author=CLERK)
    add_api_key(connection, id="key2", account_id="other", name="shop", secret=OTHER_SECRET, author=CLERK)


def errors_of(response: TestResponse) -> dict[str, str]:
    """The fields at fault with their remedies; checks the form of the answer on the way."""
    assert response.mimetype == "application/problem+json"
    document = response.get_json()
    assert document["status"] == response.status_code
    assert document["type"].startswith("urn:dialback:problem:")
    assert document["detail"].endswith(".")
    for error in document["errors"]:
        assert error["field"]
        assert error["problem"]
        assert error["remedy"]
    return {error["field"]: error["remedy"] for error in document["errors"]}
