"""What SQLite's single writer gives for nothing must hold on PostgreSQL too."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import LogCapture
from throwaway_postgresql import Server, server_binaries
from weboffice import Office, fill_with_keys

from store.database import Database
from store.upgrade import upgrade

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if server_binaries() is None:
        pytest.skip("no PostgreSQL server binaries (initdb, postgres) on this machine")
    with Server() as running:
        yield running


@pytest.fixture
def office(server: Server) -> Iterator[Office]:
    url = server.new_database()
    upgrade(url)
    database = Database(url)
    database.call("fill", fill_with_keys)
    yield Office(database=database, log=LogCapture())
    database.close()


def test_F160_the_same_key_ten_times_at_once_is_one_callback_on_postgresql(office: Office) -> None:
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(office.ask, Idempotency_Key="order 7") for _ in range(10)]
    answers = [each.result() for each in asked]
    assert [answer.status_code for answer in answers] == [202] * 10
    assert len({answer.data for answer in answers}) == 1
    assert len(office.callbacks()) == 1


def test_ten_requests_at_once_without_a_key_are_one_callback_and_nine_conflicts(office: Office) -> None:
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(office.ask) for _ in range(10)]
    assert sorted(each.result().status_code for each in asked) == [202] + [409] * 9


def test_F088_a_cancelled_request_is_cancelled_on_postgresql(office: Office) -> None:
    office.on_pause.append(office.conduct)
    callback_id = office.ask().get_json()["id"]
    assert office.cancel(callback_id).get_json()["state"] == "cancelled"
    assert office.show(callback_id).get_json()["reason"] == "cancelled"


def test_an_id_with_a_nul_is_unknown_and_no_fault(office: Office) -> None:
    assert office.show("%00").status_code == 404
