"""The log of a process, on standard output: text, or with LOG_FORMAT=json one JSON object per line."""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """One JSON object per line, with the field names of handler/log4j2.xml."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return json.dumps(
            {
                "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
                "level": record.levelname,
                "logger": record.name,
                "thread": f"{record.process} {record.threadName}",
                "message": record.getMessage(),
                "exception": self.formatException(record.exc_info) if record.exc_info else "",
            }
        )


def configure_log() -> None:
    """Logs everything from level INFO on."""
    lines = logging.StreamHandler(sys.stdout)
    text = logging.Formatter("%(asctime)s %(levelname)-5s %(name)s %(message)s")
    lines.setFormatter(JsonFormatter() if os.environ.get("LOG_FORMAT") == "json" else text)
    logging.basicConfig(level=logging.INFO, handlers=[lines], force=True)
