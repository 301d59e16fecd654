"""Imports the binding and prints, as JSON, what that started."""

from __future__ import annotations

import json
import logging
import os

messages: list[str] = []


class Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        messages.append(record.getMessage())


logging.getLogger().addHandler(Handler())
logging.getLogger().setLevel(logging.DEBUG)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


before = descriptors()
import zookeeper  # noqa: E402

if __name__ == "__main__":
    assert zookeeper.OK == 0
    print(
        json.dumps(
            {
                "threads": len(os.listdir("/proc/self/task")),
                "descriptors": descriptors() - before,
                "logged": messages,
            }
        )
    )
