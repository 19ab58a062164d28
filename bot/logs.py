"""What is written down while the program runs? Ids and constants; never names, texts or tokens."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, TextIO, cast

import structlog

FORBIDDEN_KEYS = frozenset(
    {
        "text",
        "name",
        "display_name",
        "email",
        "phone",
        "token",
        "body",
        "message",
        "properties",
        "traits",
        "secret",
    }
)
"""Keywords that would carry personal data or secrets; their values are dropped, loudly."""

QUIET_LOGGERS = (
    "slack_bolt",
    "slack_sdk",
    "linebot",
    "openai",
    "httpx2",
    "httpx",
    "apscheduler",
    "procrastinate",
    "psycopg",
)
"""Libraries whose lower levels speak of request bodies (Bolt logs whole ones on a bad signature)."""


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop the values of forbidden keywords."""
    for key in FORBIDDEN_KEYS & event.keys():
        event[key] = "[withheld]"
    return event


def trace(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say where an exception came from and of what type, without its words: they may quote a message."""
    raised = event.pop("exc_info", None)
    error = sys.exc_info()[1] if raised is True else raised
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)[-8:]
        event["error"] = type(error).__name__
        event["at"] = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return event


class _ConstantsOnly(logging.Filter):
    """Lets a library say that something went wrong, not what was in it.

    On the handler, because a logger's own filters do not see what its children (`slack_sdk.web.client`) say.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] not in QUIET_LOGGERS:
            return True
        record.msg, record.args = f"{record.name}: {record.levelname.lower()}", ()
        record.exc_info = None
        record.exc_text = None
        return record.levelno >= logging.WARNING


class StandardError:
    """Whatever standard error is when something is written, not what it was at start."""

    def write(self, words: str) -> int:
        return sys.stderr.write(words)

    def flush(self) -> None:
        sys.stderr.flush()


def configure(level: str = "INFO", *, stream: TextIO | None = None, is_human: bool = False) -> None:
    """Set up logging for the process: JSON lines, or colours when people watch.

    Args:
        level: "DEBUG", "INFO", "WARNING" or "ERROR".
        stream: where to; standard error by default.
        is_human: render for a terminal.
    """
    target = stream or cast("TextIO", StandardError())
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    renderer: Any = structlog.dev.ConsoleRenderer() if is_human else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            trace,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(number, logging.WARNING), stream=target, format="%(message)s", force=True)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_ConstantsOnly())
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
