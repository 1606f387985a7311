"""Calls as tests begin them: a traveller who keys a number, many at once, and a stage of one's own.

A stage of one's own is for what a running one cannot change, such as ring times; it is started once a file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from town import Town, Traveller

from demo.stage import Stage
from pbx.installation import Installation
from store.upgrade import upgrade
from world.scripts import Answers, Keys, Step, TalksUntilHungUp

QUICK = {"guard_seconds": 1, "quick_retry_seconds": 2}
Item = TypeVar("Item")


@contextmanager
def town_of_its_own(
    installation: Installation,
    folder: Path,
    *,
    carriers: Iterable[str] = ("alpha", "beta"),
    switch: Mapping[str, Any] | None = None,
) -> Iterator[Town]:
    """A running system with those carriers and those keys of [switch]."""
    stage = Stage(installation, folder, carriers=carriers, overrides={"switch": {**QUICK, **(switch or {})}})
    upgrade(stage.settings.database.url)
    town = Town(stage)
    town.open_for_business()
    with stage:
        yield town
    town.close()


def keyed(number: str) -> str:
    """The keys that a traveller presses for that number."""
    return f"{number.replace('+', '00')}#"


def dials(town: Town, traveller: Traveller, number: str, *then: Step, key_after: float = 1) -> None:
    """The traveller rings the trigger, answers the callback and keys that number; `then` is the rest."""
    steps = then or (TalksUntilHungUp(),)
    town.world.phone(traveller.number, Answers(after=0.5), Keys(keyed(number), after=key_after), *steps)
    town.ring(traveller)


def at_once(items: Iterable[Item], act: Callable[[Item], object]) -> None:
    """Do it for all of them at the same time; what one raises is raised here."""
    raised: list[BaseException] = []

    def run(item: Item) -> None:
        try:
            act(item)
        except BaseException as error:  # noqa: BLE001 - raised again below, in the test's own thread
            raised.append(error)

    threads = [threading.Thread(target=run, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]
