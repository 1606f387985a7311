"""A bare Asterisk that only connects calls: the switch under test, for tests of the world itself.

Reads: an Installation, a folder, the carriers to send calls to.
Gives: a running Asterisk whose dialplan a test writes.
Knows nothing of: Dialback.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pbx.installation import Installation
from pbx.process import Asterisk
from world.configuration import MODULES
from world.ports import free_rtp_range

HOST = "127.0.0.1"


class PlainSwitch:
    """Takes calls from every carrier at one port; `dialplan` is the context they come into."""

    def __init__(
        self,
        installation: Installation,
        folder: Path,
        *,
        port: int,
        carriers: Mapping[str, tuple[str, int]],
        dialplan: str,
        dtmf: str = "rfc4733",
    ) -> None:
        self.asterisk = Asterisk(installation, folder)
        self.address = (HOST, port)
        self._installation = installation
        self._carriers = carriers
        self._dialplan = dialplan
        self._dtmf = dtmf

    def start(self) -> None:
        layout = self.asterisk.layout
        layout.prepare(self._installation)
        rtp_start, rtp_end = free_rtp_range(HOST, self.address[1])
        modules = (
            " ".join(MODULES).replace("res_cdrel_custom.so cel_custom.so", "res_clioriginate.so").split()
        )
        files = {
            "asterisk.conf": layout.directories(self._installation),
            "modules.conf": "[modules]\nautoload = no\n" + "".join(f"load = {name}\n" for name in modules),
            "logger.conf": "[logfiles]\nmessages.log => notice,warning,error,verbose(4)\n",
            "rtp.conf": f"[general]\nrtpstart = {rtp_start}\nrtpend = {rtp_end}\n",
            "udptl.conf": f"[general]\nudptlstart = {rtp_start}\nudptlend = {rtp_end}\n",
            "extensions.conf": self._dialplan,
            "pjsip.conf": self._pjsip(),
        }
        for name, text in files.items():
            (layout.etc / name).write_text(text)
        self.asterisk.start()
        self.asterisk.wait_until_ready()

    def stop(self) -> None:
        self.asterisk.stop()

    def _pjsip(self) -> str:
        text = f"[udp]\ntype = transport\nprotocol = udp\nbind = {HOST}:{self.address[1]}\n"
        for name, (host, port) in self._carriers.items():
            text += f"""
[{name}]
type = aor
contact = sip:{host}:{port}
[{name}]
type = endpoint
aors = {name}
context = from-carrier
disallow = all
allow = alaw,ulaw
dtmf_mode = {self._dtmf}
media_address = {HOST}
direct_media = no
t38_udptl = yes
trust_id_inbound = yes
send_pai = yes
trust_id_outbound = yes
[{name}]
type = identify
endpoint = {name}
match = {host}
"""
        return text
