"""What holds for every test."""

from typing import Any

import hypothesis
import pytest
from compiled_once import compile_once
from last_one_out import ends_with_us
from real_turns import RealTurns, turn_of

# A busy machine is not a failure: what is too slow is found by the time limit on the whole test.
hypothesis.settings.register_profile("dialback", deadline=None, print_blob=True)
hypothesis.settings.load_profile("dialback")

compile_once()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes comes first."""
    items.sort(key=lambda item: turn_of(item.path.name))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> RealTurns | None:
    """`--dist loadscope` means our own turns."""
    return RealTurns(config, log) if config.getvalue("dist") == "loadscope" else None


@pytest.fixture(scope="session", autouse=True)
def nothing_outlives_the_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Systems that tests start work below their temporary folders; a killed run leaves none of them."""
    ends_with_us(tmp_path_factory.getbasetemp())
