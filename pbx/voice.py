"""Dialback's own voice: prompts synthesised from text, laid where Asterisk finds them.

Reads: etc/prompts/<language>.toml (prompt id = sentence), flite of the Installation.
Gives: `<sounds>/<language>/dialback/<id>.wav`, 8 kHz, made once per text.
Knows nothing of: when a prompt is said.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tomllib
import wave
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from pbx.errors import ConfigurationRefused, ToolMissing
from pbx.installation import Installation
from pbx.layout import Layout

VOICE = "slt"
VOICE_LANGUAGE = "en"
VOICE_HERTZ, LINE_HERTZ = 16_000, 8_000
PROMPT_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
TEXT_CHARACTERS_MAX = 1000
SYNTHESIS_SECONDS_MAX = 60
WORKERS = 2
FILTER_TAPS = 63
PASS_HERTZ = 3600
MANIFEST = ".synthesised.json"
"""In each language folder: prompt id → hash of the text its file was made of."""


def prompt_folder(layout: Layout, language: str) -> Path:
    """Return where Asterisk finds `dialback/<id>` in that language."""
    return layout.sounds / language / "dialback"


def read_texts(path: Path) -> dict[str, str]:
    """Return prompt id → sentence; raises ConfigurationRefused naming the line that is wrong."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationRefused(f"{path}: {error}", "Write lines such as goodbye = 'Goodbye.'") from None
    for prompt, text in table.items():
        if not PROMPT_ID.fullmatch(prompt):
            raise ConfigurationRefused(
                f"{path}: prompt id {prompt!r} is not made of a-z, 0-9 and -", "Rename it"
            )
        if not isinstance(text, str) or not text.strip() or len(text) > TEXT_CHARACTERS_MAX:
            raise ConfigurationRefused(
                f"{path}: prompt {prompt!r} is no sentence of 1 to {TEXT_CHARACTERS_MAX} characters",
                "Write it in quotes",
            )
    return table


def speak_missing(
    texts: Mapping[str, str], *, language: str, layout: Layout, installation: Installation, cache: Path
) -> tuple[str, ...]:
    """Lay out the prompts that are missing or whose text has changed; return their ids.

    What was synthesised once is kept in `cache`, by the hash of its text, for every later folder.
    A file that we did not make (an operator's own recording) is left as it is.
    Languages that the voice does not speak get no synthesis at all.
    """
    if language != VOICE_LANGUAGE:
        return ()
    folder = prompt_folder(layout, language)
    folder.mkdir(parents=True, exist_ok=True)
    made = _manifest(folder)
    wanted = {prompt: text_hash(text) for prompt, text in texts.items()}
    stale = tuple(
        prompt
        for prompt, digest in wanted.items()
        if made.get(prompt) != digest and (prompt in made or not _recorded(folder, prompt))
    )
    spoken = cache / "voice"
    spoken.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(WORKERS) as pool:
        work = [
            pool.submit(_speak, texts[prompt], spoken / f"{wanted[prompt]}.wav", installation)
            for prompt in stale
            if not (spoken / f"{wanted[prompt]}.wav").exists()
        ]
        for job in work:
            job.result()
    for prompt in stale:
        shutil.copyfile(spoken / f"{wanted[prompt]}.wav", folder / f"{prompt}.wav")
    ours = {prompt: wanted[prompt] for prompt in wanted if prompt in stale or prompt in made}
    (folder / MANIFEST).write_text(json.dumps(ours, indent=0, sort_keys=True))
    return stale


def missing(texts: Mapping[str, str], *, language: str, layout: Layout) -> tuple[str, ...]:
    """Return the ids of prompts for which Asterisk would find no file."""
    folder = prompt_folder(layout, language)
    return tuple(prompt for prompt in texts if not _recorded(folder, prompt))


def text_hash(text: str) -> str:
    """Return what tells whether a prompt was made of this text, by this voice."""
    return hashlib.sha256(f"{VOICE} {LINE_HERTZ}\n{text}".encode()).hexdigest()


def _recorded(folder: Path, prompt: str) -> bool:
    return any(folder.glob(f"{prompt}.*"))


def _manifest(folder: Path) -> dict[str, str]:
    try:
        table = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in table.items() if _recorded(folder, str(key))}


def _speak(text: str, target: Path, installation: Installation) -> None:
    # Names of our own: another process may be speaking the same text just now.
    raw = target.with_suffix(f".{os.getpid()}.raw")
    fresh = target.with_suffix(f".{os.getpid()}.new")
    try:
        done = subprocess.run(
            [*installation.run("flite"), "-voice", VOICE, "-t", " ".join(text.split()), "-o", str(raw)],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SYNTHESIS_SECONDS_MAX,
        )
        if done.returncode != 0 or not raw.exists():
            raise ToolMissing(f"flite made no sound of {target.stem!r}", done.stderr.strip()[:200])
        _to_line_rate(raw, fresh)
        fresh.rename(target)
    finally:
        raw.unlink(missing_ok=True)
        fresh.unlink(missing_ok=True)


def _to_line_rate(source: Path, target: Path) -> None:
    """Halve the rate here, once, instead of in Asterisk at every playing: a telephone line carries 8 kHz."""
    with wave.open(str(source), "rb") as reader:
        if (reader.getframerate(), reader.getnchannels(), reader.getsampwidth()) != (VOICE_HERTZ, 1, 2):
            raise ToolMissing("flite wrote no 16 kHz mono sound", "Install flite 2.2")
        samples = np.frombuffer(reader.readframes(reader.getnframes()), dtype="<i2")
    offsets = np.arange(FILTER_TAPS) - FILTER_TAPS // 2
    low_pass = np.sinc(2 * PASS_HERTZ / VOICE_HERTZ * offsets) * np.hamming(FILTER_TAPS)
    low_pass /= low_pass.sum()  # else the voice would be louder or softer than it was spoken
    filtered = np.convolve(samples.astype(np.float64), low_pass, mode="same")[:: VOICE_HERTZ // LINE_HERTZ]
    with wave.open(str(target), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(LINE_HERTZ)
        writer.writeframes(np.clip(np.rint(filtered), -32768, 32767).astype("<i2").tobytes())
