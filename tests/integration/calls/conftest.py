"""The whole system, once for all tests of calls; each test brings its own customers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from town import Town, opened

from demo.stage import Stage
from pbx.installation import Installation, find_or_fetch


@pytest.fixture(scope="session")
def installation() -> Installation:
    return find_or_fetch()


@pytest.fixture(scope="session")
def shared_town(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder: Path = tmp_path_factory.mktemp("stage")
    stage = Stage(installation, folder, overrides={"switch": {"guard_seconds": 1, "quick_retry_seconds": 2}})
    town = opened(stage)
    with stage:
        yield town
    town.close()


@pytest.fixture
def town(shared_town: Town) -> Iterator[Town]:
    """The running system; after the test nothing may be left over."""
    yield shared_town
    shared_town.wait_until_quiet()
    shared_town.world.reset()
