"""The modules that Asterisk loads for us: what is not listed is not there to be attacked.

Reads: nothing.
Gives: modules.conf.
Knows nothing of: settings.
"""

from __future__ import annotations

from pbx.text import HEADER

REASONS: dict[str, tuple[str, ...]] = {
    "Storage of configuration objects": ("res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb"),
    "The clock of playback": ("res_timing_timerfd",),
    "SIP": (
        "res_pjproject",
        "res_pjsip",
        "res_pjsip_pubsub",  # chan_pjsip does not load without it; subscriptions are refused per trunk
        "res_pjsip_session",
        "res_pjsip_acl",
        "res_pjsip_endpoint_identifier_ip",
        "res_pjsip_authenticator_digest",
        "res_pjsip_outbound_authenticator_digest",
        "res_pjsip_caller_id",
        "res_pjsip_diversion",
        "res_pjsip_rfc3326",
        "res_pjsip_nat",
        "res_pjsip_dtmf_info",
        "res_pjsip_logger",
        "chan_pjsip",
    ),
    "Media": ("res_rtp_asterisk", "res_pjsip_sdp_rtp", "res_pjsip_t38"),
    "Codecs and sound files": (
        "codec_alaw",
        "codec_ulaw",
        "codec_a_mu",
        "codec_gsm",
        "codec_g722",
        "codec_resample",
        "format_gsm",
        "format_pcm",
        "format_sln",
        "format_wav",
    ),
    "Two channels in talk; the in-call key": ("bridge_simple", "bridge_builtin_features"),
    "Dialplan": (
        "pbx_config",
        "app_dial",
        "app_stack",
        "app_playback",
        "app_read",
        "app_celgenuserevent",
        "func_callerid",
        "func_channel",
        "func_logic",
        "func_strings",
        "func_timeout",
        "func_uri",
    ),
    "The switch's line; res_agi does not load without res_speech": ("res_speech", "res_agi"),
    "Evidence": ("res_cdrel_custom", "cel_custom", "res_security_log"),
}


def modules_conf() -> str:
    """Return the load list; `require`, so that an Asterisk that lacks one does not start."""
    lines = [HEADER, "[modules]", "autoload=no"]
    for reason, names in REASONS.items():
        lines += [f"; {reason}", *(f"require={name}.so" for name in names)]
    return "\n".join(lines) + "\n"


def module_names() -> tuple[str, ...]:
    """Return every module of the list."""
    return tuple(name for names in REASONS.values() for name in names)
