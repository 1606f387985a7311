"""F071 through Twisted, on a port: the link of a letter as a browser and as a stranger ask for it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from running_web import RunningWeb, request, status
from storeworld import CLERK, NOW
from weboffice import HOUSE

from store import confirmations, customers
from store.audit import Author

EMAIL = "ap@acme.example"


def path_of_link(web: RunningWeb, made_at: datetime) -> str:
    owner = web.database.read("account", customers.account, "acme")
    web.database.call("set", customers.change_account, replace(owner, billing_email=EMAIL), CLERK)
    author = Author(at=made_at, name="anna")
    link = web.database.call("link", confirmations.make_link, "acme", author)
    return f"/confirm/{link.token(HOUSE.secret)}"


def is_confirmed(web: RunningWeb) -> bool:
    return web.database.read("confirmed", confirmations.confirmed_at, "acme", EMAIL) is not None


def press(web: RunningWeb, path: str) -> bytes:
    """What a browser sends for a form without fields, with no key of ours."""
    form = "application/x-www-form-urlencoded"
    return web.say(request("POST", path, X_API_Key="", Content_Type=form))


def look(web: RunningWeb, path: str) -> bytes:
    return web.say(request("GET", path, X_API_Key="", Content_Type=""))


def test_F071_a_link_that_was_made_23_h_59_min_ago_works(web: RunningWeb) -> None:
    path = path_of_link(web, NOW - timedelta(hours=23, minutes=59))
    shown = look(web, path)
    assert status(shown) == 200
    assert b"<button" in shown
    assert EMAIL.encode() in shown
    assert b"referrer-policy: no-referrer" in shown.lower()
    assert b"cache-control: no-store" in shown.lower()
    assert not is_confirmed(web)
    assert status(press(web, path)) == 200
    assert is_confirmed(web)


def test_F071_a_link_that_was_made_24_h_01_min_ago_is_refused(web: RunningWeb) -> None:
    path = path_of_link(web, NOW - timedelta(hours=24, minutes=1))
    for answer in (look(web, path), press(web, path)):
        assert status(answer) == 410
        assert b"This link is too old" in answer
    assert not is_confirmed(web)


def test_F071_pressed_ten_times_at_once_it_is_confirmed_once_and_never_a_fault(web: RunningWeb) -> None:
    path = path_of_link(web, NOW)
    with ThreadPoolExecutor(10) as pool:
        answers = [each.result() for each in [pool.submit(press, web, path) for _ in range(10)]]
    assert {status(answer) for answer in answers} == {200}
    assert sum(b"The address is confirmed" in answer for answer in answers) == 1


@pytest.mark.parametrize(
    "path",
    [
        b"/confirm/\xff\xfe\x00",
        b"/confirm/%",
        b"/confirm//evil.example",
        b"/confirm/1.%0d%0aX-Evil:%20yes",
        b"/confirm/" + b"9" * 15_000,
    ],
    ids=["bytes", "percent", "slashes", "header", "long"],
)
def test_F071_hostile_bytes_are_refused_and_the_server_goes_on(web: RunningWeb, path: bytes) -> None:
    head = b" HTTP/1.1\r\nHost: web.test\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    for method in (b"GET ", b"POST "):
        answer = web.say(method + path + head)
        assert status(answer) in {400, 404}
        assert b"x-evil" not in answer.lower()
        assert b"location:" not in answer.lower()
    assert status(web.ask("GET", "/healthz")) == 200
