"""The library's log records, each of which is one line.

Names and data of nodes get into messages, and programs seldom look what is in the lines that they
write to a file or to a terminal.
"""

from __future__ import annotations

import logging

from zc.zk.errors import printable

logger = logging.getLogger("zc.zk")


def escape(record: logging.LogRecord) -> bool:
    """Escape what cannot be printed in a record's message, as a filter that lets all pass."""
    try:
        message = record.getMessage()
    except Exception:  # the handlers tell of it
        return True
    if not message.isprintable():
        record.msg, record.args = printable(message), None
    return True


logger.addFilter(escape)
