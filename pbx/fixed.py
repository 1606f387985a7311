"""Files that hang on no setting.

Reads: nothing.
Gives: tones, and the small files without which Asterisk complains; what a drop-in's reader must know.
Knows nothing of: settings.
"""

from __future__ import annotations

from pbx.text import document, section

DROP_IN_README = """Files for an Asterisk (22.10.1 or newer) of your own. They hold secrets: keep mode 0600.

Nothing here replaces a file of yours without thought:
* extensions.conf, pjsip.conf, manager.conf: add with `#include` at the end of your own; drop our
  [general] or [global] section where you have one. Keep `endpoint_identifier_order` starting with ip.
* cel.conf, cel_custom.conf: merge. Events must include those named here, never DTMF, and
  `dateformat=%s.%6q`. The switch must be able to read the file cel-custom/dialback.csv.
* features.conf: only `featuredigittimeout=1000` matters, and no key of your own that clashes.
* rtp.conf, udptl.conf, indications.conf, cdr.conf: ours as an example.
* modules.conf: `dialback pbx show-config modules.conf` names what must be loaded.
* asterisk.conf: `live_dangerously=no`, a `systemname` of its own.
Dialback's prompts go to <astdatadir>/sounds/en/dialback/.
Asterisk waits 2 s (fixed) for the switch to accept an AGI connection.
"""

INDICATIONS = """; Written by `dialback pbx`.
[general]
country=uk

[uk]
description=United Kingdom
ringcadence=400,200,400,2000
dial=350+440
busy=400/375,0/375
congestion=400/400,0/350,400/225,0/525
ring=400+450/400,0/200,400+450/400,0/2000
callwaiting=400/100,0/4000
info=950/330,0/15,1400/330,0/15,1800/330,0/1000

[us]
description=United States
ringcadence=2000,4000
dial=350+440
busy=480+620/500,0/500
congestion=480+620/250,0/250
ring=440+480/2000,0/4000
callwaiting=440/300,0/10000
info=!950/330,!1400/330,!1800/330,0
"""

CDR_OFF = document(section("general", {"enable": False}))
"""CDRs count from the A leg's answer: they would only mislead."""

DEFAULTS = {
    # Asterisk complains when these are missing; their defaults are what we want.
    "acl.conf": document(),
    "ccss.conf": document(section("general", {})),
    "http.conf": document(section("general", {"enabled": False})),
    "stasis.conf": document(section("taskpool", {"minimum_size": 4})),
    # Level 2 is a line for each malformed packet: strangers must not be able to fill the log.
    "pjproject.conf": document(
        section(
            "log_mappings",
            {
                "type": "log_mappings",
                "asterisk_error": "0,1",
                "asterisk_warning": "",
                "asterisk_debug": "2,3,4,5,6",
            },
        )
    ),
    "sorcery.conf": document(),
    "codecs.conf": document(),
    "dsp.conf": document(section("default", {})),
    "cli_permissions.conf": document(),
    "pjsip_notify.conf": document(),
    "dnsmgr.conf": document(section("general", {"enable": False})),
}
