"""The server's log: Python's logging with fields; as one JSON object a line for `maas-engine serve`."""

from __future__ import annotations

import json
import logging
import time
from typing import Any


def told(log: logging.Logger, level: int, event: str, **fields: Any) -> None:
    """Log an event with its fields; those that are None are left out."""
    given = {name: value for name, value in fields.items() if value is not None}
    words = " ".join(f"{name}={value}" for name, value in given.items())
    log.log(level, "%s", f"{event} {words}".rstrip(), extra={"event": event, "fields": given})


class JsonLines(logging.Formatter):
    """Each record as ``{"time": …, "level": …, "event": …, …}`` on one line."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": getattr(record, "event", record.name),
            **getattr(record, "fields", {"message": record.getMessage()}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def log_as_json() -> None:
    """Send this process's records to standard error as JSON lines, warnings among them."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.captureWarnings(True)
    root = logging.getLogger()
    root.addHandler(handler)
    logging.getLogger("maas_engine").setLevel(logging.INFO)
