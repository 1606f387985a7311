"""Requests over HTTP to the whole running system: telephones ring, or surely do not."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from town import CLERK, D1, Town, Traveller, opened

from calls.callback import State
from demo.stage import ROOT, Stage
from pbx.installation import find_or_fetch
from store.apikeys import add_api_key
from world.scripts import Answers, HangsUp, Keys, Talks, TalksUntilHungUp, Waits

pytestmark = pytest.mark.real_asterisk
PATH = "/api/v1/callbacks"
PUBLIC_URL = "https://calls.example.com"


@pytest.fixture(scope="module")
def shared_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    stage = Stage(
        find_or_fetch(), tmp_path_factory.mktemp("stage"), overrides={"web": {"public_url": PUBLIC_URL}}
    )
    town = opened(stage)
    with stage:
        yield town
    town.close()


@pytest.fixture
def town(shared_town: Town) -> Iterator[Town]:
    yield shared_town
    shared_town.wait_until_quiet()
    shared_town.world.reset()


def ask(town: Town, traveller: Traveller, method: str, path: str = PATH, **fields: Any) -> tuple[int, Any]:
    """The status and the members of the answer to a request with the traveller's own key."""
    web = town.stage.settings.web
    line = http.client.HTTPConnection(web.host, web.port, timeout=10)
    headers = {"X-API-Key": _secret(traveller), "Content-Type": "application/json"}
    line.request(method, path, body=json.dumps(fields) if fields else None, headers=headers)
    answer = line.getresponse()
    members = json.loads(answer.read())
    line.close()
    return answer.status, members


def customer(town: Town) -> Traveller:
    """A traveller whose account has a key."""
    made = town.traveller()
    key = {"id": f"key-{made.account_id}", "account_id": made.account_id, "name": "test"}
    town.database.call("key", add_api_key, **key, secret=_secret(made), author=CLERK)
    return made


def dialback(town: Town, *words: str) -> str:
    """What the command prints to a program, for this system."""
    command = [sys.executable, "-m", "cli", *words]
    environment = {**os.environ, "DIALBACK_CONFIG": str(town.stage.config)}
    return subprocess.run(
        command, cwd=ROOT, env=environment, check=True, text=True, capture_output=True, timeout=60
    ).stdout


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_F003_F004_F005_F006_F016_a_request_rings_and_its_legs_are_shown_live(town: Town) -> None:
    sam = customer(town)
    town.world.phone(sam.number, Answers(after=2), Keys("1", after=1), TalksUntilHungUp())
    town.world.phone(D1, Answers(after=1), Talks(seconds=3), HangsUp())
    began = time.monotonic()
    status, accepted = ask(town, sam, "POST", number=sam.number, destination=D1, reference="ABC")
    assert time.monotonic() - began < 1
    assert status == 202
    seen: list[tuple[str, str]] = []

    def ended() -> Any:
        _, shown = ask(town, sam, "GET", accepted["status_url"])
        for leg in shown["legs"]:
            if (leg["role"], leg["state"]) not in seen:
                seen.append((leg["role"], leg["state"]))
        return shown if shown["ended_at"] else None

    shown = town.wait_until(ended, 60, "the end")
    assert {("A", "ringing"), ("A", "answered"), ("B", "ringing"), ("B", "answered")} <= set(seen)
    assert (shown["state"], shown["origin"], shown["reference"]) == ("completed", "web", "ABC")
    assert [leg["billed_seconds"] is not None for leg in shown["legs"]] == [True, True]
    assert shown["cost"]["amount"] == f"{-town.balance_of(sam):.4f}"
    assert {record.cdr.callback_id for record in town.records_of(sam)} == {accepted["id"]}
    assert [record.reference for record in town.records_of(sam)] == ["ABC", "ABC"]
    assert not any(word in json.dumps(shown) for word in ("alpha", "beta"))


def test_F088_cancelled_before_dialling_nobody_is_rung(town: Town) -> None:
    sam = customer(town)
    town.world.phone(sam.number, Answers(after=0.5), HangsUp())
    _, accepted = ask(town, sam, "POST", number=sam.number, at=in_seconds(3))
    status, cancelled = ask(town, sam, "DELETE", accepted["status_url"])
    assert (status, cancelled["state"]) == (200, "cancelled")
    time.sleep(4)
    assert town.world.calls(sam.number, incoming=True) == []


def test_F088_after_the_originate_it_is_refused_and_the_call_goes_on(town: Town) -> None:
    sam = customer(town)
    town.world.phone(sam.number, Answers(after=2), Waits(2), HangsUp())
    _, accepted = ask(town, sam, "POST", number=sam.number)
    town.wait_for_state(sam, State.DIALING_A)
    status, refused = ask(town, sam, "DELETE", accepted["status_url"])
    assert status == 409
    assert refused["errors"][0]["field"] == "id"
    assert town.wait_for_end(sam).state is not State.CANCELLED


def test_F012_twenty_accepted_requests_survive_a_kill_and_each_is_dialled_once(town: Town) -> None:
    customers = [customer(town) for _ in range(20)]
    for each in customers:
        town.world.phone(each.number, Answers(after=0.3), Waits(0.5), HangsUp())
    at = in_seconds(8)
    for each in customers:
        status, _ = ask(town, each, "POST", number=each.number, at=at)
        assert status == 202
    town.stage.kill_switch()
    town.stage.start_switch()
    for each in customers:
        town.wait_for_end(each, seconds=60)
    assert [len(town.world.calls(each.number, incoming=True)) for each in customers] == [1] * 20


def _secret(traveller: Traveller) -> str:
    return f"dbk_{traveller.account_id}-0123456789abcdefghij"


def test_F071_the_link_that_a_command_printed_is_confirmed_by_its_button_at_the_running_switch(
    town: Town,
) -> None:
    sam = town.traveller()
    dialback(town, "account", "change", sam.account_id, "--email", "ap@acme.example", "--reason", "theirs")
    link = dialback(town, "account", "confirm-email", sam.account_id).strip()
    assert link.startswith(f"{PUBLIC_URL}/confirm/")
    web = town.stage.settings.web
    line = http.client.HTTPConnection(web.host, web.port, timeout=10)
    seen = []
    for method in ("GET", "POST", "GET"):
        line.request(method, link.removeprefix(PUBLIC_URL))
        answer = line.getresponse()
        page = answer.read().decode()
        shown = json.loads(dialback(town, "account", "show", sam.account_id, "--output", "json"))
        seen.append((answer.status, "<button" in page, shown["email_confirmed"]))
        assert "ap@acme.example" in page
    line.close()
    assert seen == [(200, True, False), (200, False, True), (200, False, True)]
