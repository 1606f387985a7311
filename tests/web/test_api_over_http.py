"""The API through Twisted, on a port: what HTTP itself must bear."""

import socket
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import pytest
from running_web import RunningWeb, heard, members, request, running_web, status
from weboffice import BODY

from store import callbacks
from store.database import Database

PATH = "/api/v1/callbacks"


def test_F003_F004_a_request_is_answered_at_once_and_shown(web: RunningWeb) -> None:
    began = time.monotonic()
    answer = web.ask("POST", PATH, BODY)
    assert time.monotonic() - began < 1
    assert status(answer) == 202
    shown = web.ask("GET", members(answer)["status_url"])
    assert members(shown)["id"] == members(answer)["id"]
    assert web.notices == [1]


def test_F160_the_same_key_ten_times_over_ten_connections_is_one_callback(web: RunningWeb) -> None:
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(web.ask, "POST", PATH, BODY, Idempotency_Key="7") for _ in range(10)]
    answers = [each.result() for each in asked]
    assert {status(answer) for answer in answers} == {202}
    assert len({members(answer)["id"] for answer in answers}) == 1


def test_F012_accepted_rows_are_there_for_a_process_that_starts_later(web: RunningWeb, books: Path) -> None:
    accepted = members(web.ask("POST", PATH, BODY))["id"]
    later = Database(f"sqlite:///{books}")
    [found] = later.read("unfinished", callbacks.unfinished)
    later.close()
    assert found.id == accepted


def test_it_lives_and_is_ready(web: RunningWeb) -> None:
    assert status(web.ask("GET", "/healthz")) == 200
    assert status(web.ask("GET", "/readyz")) == 200
    web.is_stopping = True
    assert status(web.ask("GET", "/healthz")) == 200
    assert status(web.ask("GET", "/readyz")) == 503
    assert b"retry-after:" in web.ask("POST", PATH, BODY).lower()


def test_a_store_that_is_away_is_told_with_a_time_to_try_again(web: RunningWeb, books: Path) -> None:
    web.database.close()
    books.rename(books.with_suffix(".away"))
    for extra in ("-wal", "-shm"):
        Path(f"{books}{extra}").unlink(missing_ok=True)
    books.mkdir()  # so that no new file is made in its place
    for answer in (web.ask("POST", PATH, BODY), web.ask("GET", f"{PATH}/cb1"), web.ask("GET", "/readyz")):
        assert status(answer) == 503
        assert b"retry-after:" in answer.lower()
        assert b"sqlite" not in answer.lower()


# bodies


def test_T29_a_body_that_is_announced_too_large_is_refused_before_it_comes(web: RunningWeb) -> None:
    head = request("POST", PATH, Content_Length="1000000000", Expect="100-continue")
    answer = web.say(head)
    assert status(answer) == 413
    assert members(answer)["status"] == 413
    assert b"100 Continue" not in answer


@pytest.mark.parametrize("size", [20_000, 300_000])
def test_a_body_that_comes_all_the_same_is_thrown_away_and_the_refusal_arrives(
    web: RunningWeb, size: int
) -> None:
    answer = web.say(request("POST", PATH, b"x" * size))
    assert status(answer) == 413
    assert "remedy" in members(answer)["errors"][0]


def test_a_body_in_chunks_is_counted_as_it_comes(web: RunningWeb) -> None:
    head = request("POST", PATH, Content_Length="", Transfer_Encoding="chunked")
    chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
    assert status(web.say(head, *[chunk] * 5)) == 413
    small = b'1b\r\n{"number": "+442079460101"}\r\n0\r\n\r\n'
    assert status(web.say(head, small)) == 202


def test_a_sender_without_end_is_cut_off(web: RunningWeb) -> None:
    head = request("POST", PATH, Content_Length="1000000000")
    with web.connect() as line:
        line.sendall(head)
        with pytest.raises(ConnectionError):
            _push(line, [b"x" * 65_536] * 800)
    assert status(web.ask("GET", "/healthz")) == 200


# heads


@pytest.mark.parametrize(
    "head",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 100 + b"\r\n",
        b"GET / HTTP/1.1\r\na: " + b"b" * 15_000 + b"\r\nc: " + b"d" * 5_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\na",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nIdempotency-Key: a\x00b\r\n\r\n",
        b"POST / HTTP/1.1\r\nIdempotency-Key: a\rX-Evil: b\r\n\r\n",
    ],
)
def test_a_head_that_is_none_gets_a_400_and_the_line_is_closed(web: RunningWeb, head: bytes) -> None:
    assert web.say(head).startswith(b"HTTP/1.1 400")


def test_a_line_without_end_is_cut_off(web: RunningWeb) -> None:
    assert web.say(b"GET /" + b"x" * 100_000) in (b"", b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_T30_pipelined_requests_are_answered_in_order_and_none_is_smuggled(web: RunningWeb) -> None:
    first = request("GET", "/healthz", Connection="")
    inner = request("DELETE", PATH)
    second = request("POST", PATH, inner, Content_Type="text/plain")
    answer = web.say(first + second)
    assert answer.count(b"HTTP/1.1 ") == 2
    assert status(answer) == 200
    assert b"HTTP/1.1 415" in answer


def test_T30_the_known_ways_to_smuggle_are_closed_in_this_twisted() -> None:
    major, minor = map(int, version("twisted").split(".")[:2])
    assert (major, minor) >= (26, 4)


# slow and many


def test_T29_a_dripping_sender_is_cut_off_however_busy_it_is(web: RunningWeb) -> None:
    began = time.monotonic()
    with web.connect() as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):
            _push(line, [b"a: b"] * 200, pause=0.05)
    assert time.monotonic() - began < 10


def test_T29_silent_connections_are_bounded_and_closed_in_the_end(web: RunningWeb) -> None:
    before = _sockets()
    lines = [web.connect() for _ in range(60)]
    time.sleep(0.3)
    assert web.server.site.connections <= 20
    assert len(_sockets() - before) <= 60 + 20
    for line in lines:
        assert heard(line) == b""
        line.close()
    assert status(web.ask("GET", "/healthz")) == 200
    deadline = time.monotonic() + 10  # a side that closes says so a moment before its socket is gone
    while (left := _sockets() - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left
    assert web.server.site.connections == 0


def test_one_peer_cannot_take_every_connection(books: Path) -> None:
    with running_web(books, connections_max=20, connections_per_peer_max=2, receive_seconds=5) as web:
        kept = [web.connect(), web.connect()]
        time.sleep(0.2)
        assert web.say(request("GET", "/healthz")) == b""
        kept.pop().close()
        time.sleep(0.2)
        assert status(web.ask("GET", "/healthz")) == 200
        kept.pop().close()


def test_health_is_told_while_every_thread_is_busy(books: Path) -> None:
    with running_web(books, threads=1) as web:
        busy = threading.Thread(target=web.ask, args=("POST", PATH, BODY))
        with web.database.engine.connect() as other:
            other.exec_driver_sql("BEGIN IMMEDIATE")  # another process's long transaction
            busy.start()
            time.sleep(0.2)
            assert status(web.ask("GET", "/healthz")) == 200
            other.rollback()
        busy.join()


def test_what_was_asked_is_answered_before_it_stops(books: Path) -> None:
    answers: list[bytes] = []
    with running_web(books) as web, web.database.engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        asking = threading.Thread(target=lambda: answers.append(web.ask("POST", PATH, BODY)))
        asking.start()
        time.sleep(0.3)
        threading.Timer(0.5, other.rollback).start()
        time.sleep(0.1)
    asking.join()
    assert status(answers[0]) == 202


def _push(line: socket.socket, pieces: Iterable[bytes], pause: float = 0.0) -> None:
    for piece in pieces:
        line.sendall(piece)
        time.sleep(pause)


def _sockets() -> set[str]:
    """This process's open sockets, each by its inode; the database's files, which come and go, are none."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:  # closed since it was listed
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found
