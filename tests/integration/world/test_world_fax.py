"""A page goes from one fax machine to another through a switch."""

from __future__ import annotations

from pathlib import Path

import pytest

from world.fax import size_of, write_page
from world.network import World
from world.scripts import Answers, ReceivesFax, SendsFax

pytestmark = [pytest.mark.real_asterisk, pytest.mark.timeout(180)]

N1, D1 = "+442079460101", "+61255500123"


@pytest.mark.parametrize("t38", [False, True], ids=["as sound", "T.38"])
def test_a_fax_page_arrives_whole(world: World, tmp_path: Path, t38: bool) -> None:
    page = write_page(tmp_path / "page.tiff")
    world.phone(D1, Answers(after=0.5), ReceivesFax(t38=t38))
    world.dials(D1, SendsFax(page=page, t38=t38), caller=N1)
    received = world.wait_for_call(D1, seconds=90).fax
    sent = world.wait_for_call(N1, incoming=False).fax
    assert sent is not None
    assert received is not None
    assert (sent.status, received.status) == ("SUCCESS", "SUCCESS")
    assert (sent.pages, received.pages) == (1, 1)
    assert received.mode == ("T38" if t38 else "audio")
    assert received.file is not None
    assert size_of(received.file)[0] == 1728
