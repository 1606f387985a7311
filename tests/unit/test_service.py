"""A switch that is up: what it does once, in a process of its own because service.py takes the reactor."""

import subprocess
import sys

UP = """
import gc, service
told = []
running = service._Running(None, reactor=None, drain_seconds=1, ready=told.append)
before = gc.get_freeze_count()
running._started(None)
print(len(told), before, gc.get_freeze_count() > 50_000)
"""


def test_the_garbage_collector_is_spared_what_stays_once_the_switch_is_up() -> None:
    found = subprocess.run([sys.executable, "-c", UP], capture_output=True, text=True, check=True)
    assert found.stdout.split()[-3:] == ["1", "0", "True"]
