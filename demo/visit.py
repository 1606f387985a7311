"""What stays for a visitor: the system runs on, and a softphone of his own may call through it.

Reads: a running Stage.
Gives: a line in the world for the softphone, how to use it in words, his calls live until he ends it.
Knows nothing of: how to end it (Ctrl-C comes as KeyboardInterrupt).
"""

from __future__ import annotations

import secrets
import socket
import time

from demo import company, scene
from demo.live import Live
from demo.refusals import WrongUse
from demo.screen import Screen
from demo.stage import Stage
from world.configuration import Softphone
from world.ports import free_port
from world.scripts import RingsSoftphone

PASSWORD_BYTES = 6
LOOK_SECONDS = 0.5


def softphone(host: str) -> Softphone:
    """A line for a person, with a password for this run; WrongUse if the address is not of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError as error:
            raise WrongUse(f"--host: {host} is no IPv4 address of this machine ({error.strerror})") from None
    return Softphone(
        number=scene.VISITOR, host=host, port=free_port(host), password=secrets.token_hex(PASSWORD_BYTES)
    )


def receive(screen: Screen, stage: Stage, clerk: company.Clerk, line: Softphone) -> None:
    """Let a visitor call until he presses Ctrl-C; shows his calls as they happen."""
    scene.open_house(stage.world)
    stage.world.phone(scene.VISITOR, RingsSoftphone())
    clerk.asks(
        [
            "subscriber",
            "add",
            "visitor",
            "--account",
            company.ACCOUNT,
            "--name",
            "Visitor",
            "--home-country",
            "GB",
        ]
    )
    clerk.asks(["number", "add", "visitor", scene.VISITOR, "--verified", "--reason", "sits at this machine"])
    database = stage.database()
    try:
        _explain(screen, line)  # in here: whoever reads of Ctrl-C may press it at once
        live = Live(stage, screen, database, company.ACCOUNT, scene.NAMES)
        live.skip()
        shown = {callback.id for callback in [live.callback()] if callback is not None}
        while True:
            live.look()
            ended = live.callback()
            if ended is not None and ended.state.is_end and ended.id not in shown:
                shown.add(ended.id)
                live.look(everything=True)
                clerk.runs(["cdr", "list", "--callback", ended.id])
                screen.line()
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        screen.line()
        screen.said("The visit is over: stopping everything.")
    finally:
        database.close()


def _explain(screen: Screen, phone: Softphone) -> None:
    screen.heading("7  Your turn")
    screen.said(
        f"Everything still runs. Set up a softphone (any program that reaches {phone.host}) with this line:"
    )
    screen.table(
        [
            ("setting", "value"),
            ("server", f"{phone.host}"),
            ("port", f"{phone.port} (UDP)"),
            ("user", phone.user),
            ("password", phone.password),
            ("codecs", "PCMA or PCMU (G.711)"),
        ]
    )
    screen.said(
        f"1. Dial {scene.TRIGGER} and hang up after one ring. Some seconds later your softphone rings."
    )
    screen.said(
        "2. Answer, and key 0061255500123# (Sydney: you hear yourself) or 0033199001234# (Paris: a tone)."
    )
    screen.said("3. ## ends that call and lets you key the next number. Hang up whenever you like.")
    screen.said("Your calls are shown below as they happen. Ctrl-C ends everything.")
    screen.line()
