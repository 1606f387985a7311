"""Bring our Asterisk up from settings, and down again.

Reads: the settings, etc/prompts.
Gives: a running, ready Asterisk with its configuration and prompts in place.
Knows nothing of: the command line.
"""

from __future__ import annotations

from pathlib import Path

from pbx import configuration, voice
from pbx.errors import AlreadyRunning
from pbx.installation import Installation, default_cache, find_or_fetch
from pbx.process import Asterisk
from pbx.settings import Settings

PROMPTS = Path(__file__).resolve().parents[1] / "etc" / "prompts"


def prompt_texts(folder: Path = PROMPTS) -> dict[str, dict[str, str]]:
    """Return language → prompt id → sentence, for each language with a file."""
    return {path.stem: voice.read_texts(path) for path in sorted(folder.glob("*.toml"))}


def asterisk_of(settings: Settings, installation: Installation | None = None) -> Asterisk:
    """Return the Asterisk of these settings, running or not."""
    return Asterisk(installation or find_or_fetch(settings.pbx.cache), settings.pbx.folder)


def set_up(settings: Settings, installation: Installation | None = None) -> Asterisk:
    """Write configuration and prompts; return the Asterisk, not started."""
    asterisk = asterisk_of(settings, installation)
    if asterisk.pid is not None:
        raise AlreadyRunning(
            f"an Asterisk runs in {settings.pbx.folder} already (pid {asterisk.pid})", "dialback pbx down"
        )
    texts = configuration.files(settings, asterisk.installation)
    asterisk.layout.prepare(asterisk.installation)
    configuration.write(texts, asterisk.layout.etc)
    for language, sentences in prompt_texts().items():
        voice.speak_missing(
            sentences,
            language=language,
            layout=asterisk.layout,
            installation=asterisk.installation,
            cache=settings.pbx.cache or default_cache(),
        )
    return asterisk


def bring_up(settings: Settings, installation: Installation | None = None) -> Asterisk:
    """Return a running Asterisk that is ready for calls."""
    asterisk = set_up(settings, installation)
    asterisk.start()
    try:
        asterisk.wait_until_ready()
    except BaseException:  # Ctrl-C too: what nobody holds would run on
        asterisk.stop()
        raise
    return asterisk
