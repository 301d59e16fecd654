"""A client process of a fault run, started by the run.

The command is `python -m tests.faults.client SETTINGS`.

SETTINGS is JSON. The process reads a command from each line, and answers with a line of JSON:

    go              work
    rest SECONDS    stop working; the answer is whether it did within that time
    report          what it believes
    session         number and password of its session
    stacks          what its threads are doing, for when one of them hangs
    close           let go of everything; the answer is what is left behind, or null
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import traceback
from typing import Any

from tests import leaks
from tests.faults import broken
from tests.faults.activities import Activities, KeptErrors
from tests.faults.beliefs import Belief
from tests.faults.library import Library
from tests.faults.timing import Stopwatch


class Client:
    """A client that obeys commands."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._before = leaks.resources()
        library = _library(settings)
        stopwatch = Stopwatch(settings["session_milliseconds"] / 1000 + settings["slack_seconds"])
        self._activities = Activities(library, settings["number"], settings["seed"], stopwatch)
        self._library = library
        self._stopwatch = stopwatch
        errors = self._activities.errors
        for name in settings["loggers"]:
            logging.getLogger(name).addHandler(KeptErrors(errors))
        threading.excepthook = lambda failure: errors.append(
            "".join(traceback.format_exception(failure.exc_value))
        )

    def answer(self, command: str, *arguments: str) -> Any:
        """Do what is commanded; return the answer."""
        activities = self._activities
        if command == "prepare":
            return activities.prepare()
        if command == "go":
            return activities.go()
        if command == "rest":
            return activities.rest(float(arguments[0]))
        if command == "session":
            return self._library.session()
        if command == "report":
            return self._belief()
        if command == "stacks":
            return _stacks()
        assert command == "close", command
        activities.end()
        self._library.close()
        try:
            leaks.check(self._before)
        except AssertionError as left:
            return str(left)
        return None

    def _belief(self) -> Belief:
        return Belief(
            session=self._library.session()[0],
            registrations=self._activities.registrations(),
            unknown=self._activities.unknown,
            live=self._activities.live(),
            slow_calls=self._stopwatch.slow_calls(),
            errors=self._activities.errors,
            threads=len(os.listdir("/proc/self/task")),
            descriptors=len(os.listdir("/proc/self/fd")),
            counts=dict(self._activities.counts),
        )


def _library(settings: dict[str, Any]) -> Library:
    names = ("hosts", "session_milliseconds", "tls", "login")
    hosts, milliseconds, tls, login = (settings[name] for name in names)
    if settings["library"] == "kazoo":
        from tests.faults import with_kazoo

        return with_kazoo.Library(hosts, milliseconds, tls, login)
    broken.break_as_told()
    if settings["library"] == "zc.zk.aio":
        from tests.faults import with_aio

        return with_aio.Library(hosts, milliseconds, tls, login)
    from tests.faults import with_zc_zk

    return with_zc_zk.Library(hosts, milliseconds, tls, login)


def _stacks() -> str:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"{names.get(number)}:\n{''.join(traceback.format_stack(frame)[-4:])}"
        for number, frame in sys._current_frames().items()
    )


def main() -> None:
    logging.basicConfig(
        filename=os.environ.get("ZK_FAULTS_LOG", os.devnull),
        level=logging.DEBUG,
        format="%(asctime)s %(process)d %(threadName)s %(name)s %(levelname)s %(message)s",
    )
    client = Client(json.loads(sys.argv[1]))
    for line in sys.stdin:
        print(json.dumps(client.answer(*line.split())), flush=True)


if __name__ == "__main__":
    main()
