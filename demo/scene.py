"""Who plays in the demo, and what each telephone does.

Reads: nothing.
Gives: the cast by number; the steps of each phone in the world's words.
Knows nothing of: Dialback.
"""

from __future__ import annotations

from demo.phonelog import presses, presses_first
from world.network import World
from world.scripts import Answers, Does, HangsUp, Talks, TalksUntilHungUp

# Numbers that regulators set aside for films and books: +1 202 555 01xx, +44 20 7946 0xxx, +61 2 5550 xxxx,
# +33 1 99 00 xx xx.
TRIGGER = "+12025550111"
SAM, SYDNEY, PARIS = "+442079460101", "+61255500123", "+33199001234"
VISITOR = "+442079460102"
NAMES = {SAM: "Sam", SYDNEY: "Sydney", PARIS: "Paris", VISITOR: "Guest"}
TALKERS = (SAM, SYDNEY, PARIS)
"""Each of them has one leg that is billed."""
RING_SECONDS = 2.0
FAR_TONE_HZ, NEAR_TONE_HZ = 660, 440
IN_CALL_KEY = "##"
WHOLE_CALL_SECONDS = 90.0
"""Far longer than the script lasts: then something is wrong."""


def rehearse(world: World) -> None:
    """Tell each phone its part.

    The talks stay below the 30 s that are billed at least. Sam stays on after the last one, so that his own
    leg is longer and billed to the second: some 34.4 s from his first key, far from a full second.
    """
    world.phone(
        SAM,
        Answers(after=2),
        *presses_first(f"{_abroad(SYDNEY)}#", after=2.5),
        Talks(seconds=12, tone_hz=NEAR_TONE_HZ),
        *presses(IN_CALL_KEY, after=0, told=f"keys {IN_CALL_KEY} to end this call and make another"),
        *presses(f"{_abroad(PARIS)}#", after=2),
        Talks(seconds=14.2, tone_hz=NEAR_TONE_HZ),
        HangsUp(),
    )
    world.phone(SYDNEY, Answers(after=2), TalksUntilHungUp(tone_hz=FAR_TONE_HZ))
    world.phone(PARIS, Answers(after=1.5), Talks(seconds=4.5, tone_hz=FAR_TONE_HZ), HangsUp())


def open_house(world: World) -> None:
    """Let the far phones answer a person for as long as he likes."""
    world.phone(SYDNEY, Answers(after=2), Does("Echo()"))
    world.phone(PARIS, Answers(after=2), TalksUntilHungUp(tone_hz=NEAR_TONE_HZ))


def _abroad(number: str) -> str:
    """As it is keyed in Europe."""
    return number.replace("+", "00")
