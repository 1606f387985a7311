"""F071: the page behind the link of a letter, as a browser, a mail scanner and a stranger ask for it."""

import base64
import hashlib
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storeworld import CLERK, NOW
from weboffice import HOUSE, Office
from werkzeug.test import TestResponse

from store import confirmations, customers
from store.audit import Author
from store.errors import StoreUnavailable

EMAIL = "ap@acme.example"


def set_account(office: Office, **fields: str) -> None:
    owner = office.database.read("account", customers.account, "acme")
    office.database.call("set", customers.change_account, replace(owner, **fields), CLERK)  # type: ignore[arg-type]


@pytest.fixture
def token(office: Office) -> str:
    set_account(office, billing_email=EMAIL)
    author = Author(at=NOW, name="anna")
    return office.database.call("link", confirmations.make_link, "acme", author).token(HOUSE.secret)


def get(office: Office, token: str) -> TestResponse:
    return office.client.get(f"/confirm/{token}")


def post(office: Office, token: str) -> TestResponse:
    return office.client.post(f"/confirm/{token}")


class Headings(HTMLParser):
    """The text of the one h1, and which elements there are."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.heading = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "h1":
            self.heading += data.strip()


def heading(answer: TestResponse) -> str:
    assert answer.mimetype == "text/html"
    page = Headings(answer.text)
    assert page.tags.count("h1") == page.tags.count("title") == page.tags.count("main") == 1
    return page.heading


def is_confirmed(office: Office) -> bool:
    found = office.database.read("confirmed", confirmations.confirmed_at, "acme", EMAIL)
    return found is not None


def test_F071_at_23_h_59_min_the_page_shows_whose_address_it_is_and_the_button_confirms_it(
    office: Office, token: str
) -> None:
    office.now = NOW + timedelta(hours=23, minutes=59)
    shown = get(office, token)
    assert (shown.status_code, heading(shown)) == (200, "Confirm this address")
    for told in ("Acme Ltd", "account acme", EMAIL, "Dialback Ltd", "2026-03-03 09:00:00 +00:00"):
        assert told in shown.text
    assert Headings(shown.text).tags.count("button") == 1
    assert not is_confirmed(office)
    taken = post(office, token)
    assert (taken.status_code, heading(taken)) == (200, "The address is confirmed")
    assert is_confirmed(office)


def test_F071_at_24_h_01_min_it_is_refused_and_says_how_to_get_another(office: Office, token: str) -> None:
    office.now = NOW + timedelta(hours=24, minutes=1)
    for answer in (get(office, token), post(office, token)):
        assert (answer.status_code, heading(answer)) == (410, "This link is too old")
        assert "It was good for 24 hours, until 2026-03-03 09:00:00 +00:00." in answer.text
        assert "(<bdi>bills@dialback.example</bdi>) for another link" in answer.text
        assert EMAIL not in answer.text
        assert "<button" not in answer.text
    assert not is_confirmed(office)


def test_F071_whoever_only_looks_confirms_nothing(office: Office, token: str) -> None:
    for method in ("get", "head", "options"):
        getattr(office.client, method)(f"/confirm/{token}")
    assert office.client.put(f"/confirm/{token}").status_code == 405
    assert not is_confirmed(office)


def test_F071_a_second_press_says_when_it_was(office: Office, token: str) -> None:
    post(office, token)
    office.now = NOW + timedelta(hours=1)
    for answer in (post(office, token), get(office, token)):
        assert (answer.status_code, heading(answer)) == (200, "The address was confirmed before")
        assert "2026-03-02 09:00:00 +00:00" in answer.text
    office.now = NOW + timedelta(hours=30)
    late = post(office, token)
    assert (late.status_code, heading(late)) == (410, "This link is too old")
    assert "The address is confirmed all the same" in late.text


def test_F071_an_address_that_was_changed_is_not_confirmed_and_the_new_one_not_told(
    office: Office, token: str
) -> None:
    set_account(office, billing_email="new@acme.example")
    for answer in (get(office, token), post(office, token)):
        assert (answer.status_code, heading(answer)) == (410, "This address is not used any more")
        assert "new@acme.example" not in answer.text
    assert not is_confirmed(office)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "x",
        "%00",
        "%ff%fe%c3%28",
        "..%2f..%2fetc%2fpasswd",
        "a/b/c",
        "%0d%0aSet-Cookie:%20a=b",
        "%3Cscript%3Ealert(1)%3C/script%3E",
        "9" * 8_000,
        "1." + "A" * 43,
        "9999999999999999." + "_" * 43,
        "%F0%9F%98%80",
    ],
)
def test_F071_garbage_is_told_that_it_is_not_valid(office: Office, path: str) -> None:
    for answer in (get(office, path), post(office, path)):
        assert (answer.status_code, heading(answer)) == (404, "This link is not valid")
        assert "script" not in answer.text
        assert "Set-Cookie" not in answer.headers


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(min_size=1, max_size=80))
def test_F071_any_bytes_get_a_page_and_no_fault(office: Office, raw: bytes) -> None:
    answer = post(office, "".join(f"%{byte:02x}" for byte in raw))
    assert (answer.status_code, heading(answer)) == (404, "This link is not valid")


def test_F071_names_are_shown_as_text_whatever_is_in_them(office: Office, token: str) -> None:
    set_account(office, name='<script>alert(1)</script> & "Sons"')
    shown = get(office, token).text
    assert "<script" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;Sons&#34;" in shown


def test_F071_the_page_loads_nothing_leads_nowhere_and_is_kept_nowhere(office: Office, token: str) -> None:
    shown = get(office, token)
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    policy = shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    style = re.search("<style>(.*?)</style>", shown.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    page = Headings(shown.text)
    assert not {"script", "img", "link", "a", "iframe"} & set(page.tags)
    assert not {"src", "href", "action"} & {name for name, _ in page.attributes}
    assert ("lang", "en") in page.attributes


def test_F071_the_token_and_the_address_stay_out_of_the_log(office: Office, token: str) -> None:
    get(office, token)
    post(office, token)
    get(office, "garbage-of-a-stranger")
    logged = repr(office.log.entries)
    assert token not in logged
    assert token.partition(".")[2] not in logged
    assert EMAIL not in logged
    assert "garbage-of-a-stranger" not in logged
    assert [(each["account"], each["meaning"]) for each in office.log.entries] == [
        ("acme", "open"),
        ("acme", "confirmed"),
        ("", "unknown"),
    ]


def test_F071_a_store_that_is_away_is_told_to_people_too(
    office: Office, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("disk I/O error")

    monkeypatch.setattr(office.database, "call", away)
    answer = post(office, token)
    assert (answer.status_code, heading(answer)) == (503, "Not available just now")
    assert answer.headers["Retry-After"]
    assert "disk" not in answer.text
