"""A real, small SMTP server on loopback: it takes mail, or answers as it is told to (RFC 5321)."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Mailbox:
    """What was taken; `answers` are given to RCPT in order before the usual 250."""

    port: int = 0
    messages: list[bytes] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    breaks_in_data: int = 0


@contextmanager
def smtp_server() -> Iterator[Mailbox]:
    """Run a server until the block ends."""
    mailbox = Mailbox()

    class Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 test ESMTP")
            while line := self.rfile.readline():
                verb = line.strip().upper()[:4].decode()
                if verb == "DATA":
                    if mailbox.breaks_in_data:
                        mailbox.breaks_in_data -= 1
                        return
                    self.say("354 go on")
                    mailbox.messages.append(self.data())
                    self.say("250 taken")
                elif verb == "RCPT" and mailbox.answers:
                    self.say(mailbox.answers.pop(0))
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 fine")

        def data(self) -> bytes:
            lines = []
            while (line := self.rfile.readline()) not in {b".\r\n", b""}:
                lines.append(line[1:] if line.startswith(b"..") else line)
            return b"".join(lines)

        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        mailbox.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield mailbox
        finally:
            server.shutdown()
            thread.join()
