"""How the switch's log is written: on standard error, one event a line.

Reads: [log] of switch.toml.
Gives: structlog, set up.
Knows nothing of: what is logged.
"""

import logging
import sys

import structlog

from settings import LogSettings


def write_log(settings: LogSettings) -> None:
    """Write events of that level and above, as text or as JSON."""
    is_json = settings.format == "json"
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer()
            if is_json
            else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
