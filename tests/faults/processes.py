"""Client processes: started, commanded, paused, killed, gone at the end."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from tests.deadlines import scaled
from tests.faults.beliefs import SlowCall

ANSWER_SECONDS = 20.0
END_SECONDS = 10.0


class NoAnswer(Exception):
    """A client did not answer a command in time, or has ended."""


class ClientProcess:
    """A process that runs `tests.faults.client`. Used by one thread."""

    def __init__(self, name: str, settings: dict[str, Any], environment: dict[str, str]) -> None:
        self.name = name
        # The times of its pauses, in seconds of the monotonic clock: from, to.
        self.pauses: list[tuple[float, float]] = []
        self._paused_at: float | None = None
        self._owed = 0
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.process = subprocess.Popen(
            # The kernel ends it should the run be killed.
            ["setpriv", "--pdeathsig", "KILL", "--",
             sys.executable, "-m", "tests.faults.client", json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            # Ctrl-C is for the run, which then ends its clients itself.
            start_new_session=True,
        )  # fmt: skip
        self.complaints: list[str] = []
        self._readers = [
            threading.Thread(target=self._read_answers, name=f"{name}: answers"),
            threading.Thread(target=self._read_complaints, name=f"{name}: standard error"),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def send(self, *command: object) -> None:
        """Have the client do something, sooner or later.

        Raises NoAnswer if it has ended.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(" ".join(map(str, command)) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise NoAnswer(self._obituary()) from None
        self._owed += 1

    def receive(self, seconds: float = ANSWER_SECONDS) -> Any:
        """Return the answer to the last command. Raises NoAnswer without one."""
        answer = ""
        deadline = time.monotonic() + scaled(seconds)
        while self._owed:
            try:
                answer = self._answers.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise NoAnswer(f"no answer within {scaled(seconds):g} seconds") from None
            if not answer:
                raise NoAnswer(self._obituary())
            self._owed -= 1
        return json.loads(answer)

    def ask(self, *command: object, seconds: float = ANSWER_SECONDS) -> Any:
        """Return the client's answer to a command. Raises NoAnswer."""
        self.send(*command)
        return self.receive(seconds)

    def pause(self) -> None:
        """Stop the process where it stands (SIGSTOP)."""
        if not self.has_ended and self._paused_at is None:
            self.process.send_signal(signal.SIGSTOP)
            self._paused_at = time.monotonic()

    def resume(self) -> None:
        """Let a stopped process go on."""
        if self._paused_at is not None:
            self.process.send_signal(signal.SIGCONT)
            self.pauses.append((self._paused_at, time.monotonic()))
            self._paused_at = None

    def seconds(self, call: SlowCall) -> float:
        """Return how long a call took, or takes, without the process's pauses."""
        ended = call["ended"] or time.monotonic()
        stood = sum(
            max(0.0, min(ended, resumed) - max(call["began"], paused))
            for paused, resumed in self.pauses
        )
        return ended - call["began"] - stood

    def kill(self) -> None:
        """End the process at once, and forget it."""
        self.process.kill()
        self._clean_up()

    def end(self) -> int:
        """Let the process end by itself, and return its status.

        Raises NoAnswer if it does not end.
        """
        self.resume()
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            return self.process.wait(scaled(END_SECONDS))
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise NoAnswer(f"did not end within {scaled(END_SECONDS):g} seconds") from None
        finally:
            self._clean_up()

    def _clean_up(self) -> None:
        self.process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:
                pass  # a command that it never read

    def _read_answers(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._answers.put(line)
        self._answers.put("")

    def _read_complaints(self) -> None:
        assert self.process.stderr is not None
        self.complaints += self.process.stderr

    def _obituary(self) -> str:
        status = self.process.wait()
        return f"ended, status {status}: {''.join(self.complaints)[-2000:]}"
