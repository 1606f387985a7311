"""bin/demo as a visitor runs it: what it shows, how it ends, what it leaves behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
KEPT = {"dialback.db", "invoice.pdf", "phones.csv", "switch.log", "switch.toml"}
WHOLE_RUN_SECONDS = 200
"""Only so that nothing waits for ever: it takes some 40 s, and more on a machine that does much else."""
pytestmark = [pytest.mark.real_asterisk, pytest.mark.timeout(240)]


@contextmanager
def demo(
    folder: Path, *options: str, program: tuple[str, ...] = ("-m", "demo")
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        # A shell that runs us in the background lets us ignore Ctrl-C, and what we start would inherit that.
        ["env", "--default-signal=INT", sys.executable, *program, "--folder", str(folder), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(60)


def left_over(folder: Path) -> list[str]:
    """Processes that have to do with the folder, and ports of its switch that somebody holds."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes() + bytes((entry / "cwd").readlink())
            except OSError:
                continue
            if os.fsencode(folder) in words:
                found.append(words.replace(b"\0", b" ").decode(errors="replace"))
    for settings in folder.glob("*/switch.toml"):
        table = tomllib.loads(settings.read_text())
        listeners = [("127.0.0.1", table[name]["port"]) for name in ("agi", "ami", "web")]
        for host, port in listeners:
            with socket.socket() as line:
                if line.connect_ex((host, port)) == 0:
                    found.append(f"{host}:{port}/tcp")
        speakers = [("127.0.0.1", table["pbx"]["sip_port"])]
        speakers += [(trunk["host"], trunk["port"]) for trunk in table["trunks"]]
        for host, port in speakers:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
                try:
                    line.bind((host, port))
                except OSError:
                    found.append(f"{host}:{port}/udp")
    return found


def test_the_demo_shows_a_whole_call_and_the_phones_agree_with_the_bill(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        shown, _ = process.communicate(timeout=WHOLE_RUN_SECONDS)
    assert process.returncode == 0, shown
    assert "\x1b" not in shown
    table = shown.partition("The phones' word against the bill")[2]
    legs = re.findall(r"^ +(Sam|Sydney|Paris) \+\d+ .* agrees$", table, re.MULTILINE)
    assert legs == ["Sam", "Sydney", "Paris"]
    # Both halves of 30/1: the talks cost the minimum, Sam's own leg its seconds.
    sam, *talks = re.findall(r"(\d+) s +(\d\.\d{4})  agrees$", table, re.MULTILINE)
    assert talks == [("30", "0.0620"), ("30", "0.0425")]
    assert int(sam[0]) > 30
    assert "A draft of the calls so far: nothing is due yet." in shown
    assert "DIFFERS" not in shown
    for step in (
        "rings +12025550111",
        "keys 0061255500123#",
        "keys ## ",
        "keys 0033199001234#",
        "[completed]",
    ):
        assert step in shown
    for command in ("deck import", "account add", "callback trace", "cdr list", "invoice show"):
        assert f"$ dialback {command}" in shown
    (folder,) = tmp_path.iterdir()
    assert {path.name for path in folder.iterdir()} == KEPT
    assert (folder / "invoice.pdf").read_bytes().startswith(b"%PDF-")
    assert left_over(tmp_path) == []


def test_ctrl_c_in_the_middle_of_a_call_ends_everything(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        assert process.stdout is not None
        # It is shown as it happens, also through a pipe: else this line would come with the last one.
        assert any("is picked up" in line for line in process.stdout)
        assert left_over(tmp_path) != []
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(60) == 130, rest
    assert "Everything that was started is stopped." in rest
    assert left_over(tmp_path) == []


def test_a_reader_that_goes_away_ends_everything(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        assert process.stdout is not None
        assert any("The company" in line for line in process.stdout)
        process.stdout.close()
        assert process.wait(60) == 1
    assert left_over(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "field"),
    [(["--keep", "--host", "203.0.113.9"], "--host"), (["--folder", str(Path(__file__) / "x")], "--folder")],
)
def test_what_cannot_be_had_is_refused_in_one_line_before_anything_starts(
    options: list[str], field: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--folder", str(tmp_path / "out"), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Error: {field}: ")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_with_keep_it_says_how_to_call_and_runs_on_until_ctrl_c(tmp_path: Path) -> None:
    with demo(tmp_path, "--keep") as process:
        assert process.stdout is not None
        assert any("Ctrl-C ends everything" in line for line in process.stdout)
        assert left_over(tmp_path) != []
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(60) == 0, rest
    assert "The visit is over" in rest
    assert left_over(tmp_path) == []


@pytest.mark.slow
def test_a_bill_that_differs_from_the_phones_ends_with_exit_code_1(tmp_path: Path) -> None:
    another_opinion = "import sys, demo.audit as a; a.FIRST_INCREMENT_S = 60; from demo.__main__ import main"
    with demo(tmp_path, program=("-c", f"{another_opinion}; sys.exit(main())")) as process:
        shown, _ = process.communicate(timeout=WHOLE_RUN_SECONDS)
    assert process.returncode == 1, shown
    assert "It does NOT agree" in shown
    assert re.search(r"Sydney: billed 30 s for 0\.0620, due are 60 s for 0\.1240", shown)
    assert left_over(tmp_path) == []


@pytest.mark.slow
def test_several_demos_run_side_by_side(tmp_path: Path) -> None:
    with demo(tmp_path / "one") as first, demo(tmp_path / "two") as second:
        for process in (first, second):
            shown, _ = process.communicate(timeout=WHOLE_RUN_SECONDS)
            assert process.returncode == 0, shown
    assert left_over(tmp_path) == []
