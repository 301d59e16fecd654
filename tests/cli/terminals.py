"""Commands on terminals, with keys to press."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Callable
from typing import Any

from tests.deadlines import scaled, wait_until


class Terminal:
    """A process on a terminal of its own: its screen, and keys to press."""

    def __init__(
        self,
        start: Callable[..., subprocess.Popen[bytes]],
        name: str,
        *arguments: object,
        **options: Any,
    ) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
        self.shown = ""
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._is_over = False
        self.process = start(
            name, *arguments, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            **options,
        )  # fmt: skip
        os.close(slave)

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in self.read(), lambda: f"{text!r} in {self.shown!r}", 30)

    def read(self) -> str:
        os.set_blocking(self.master, False)
        try:
            self.shown += self._decode(os.read(self.master, 65536))
        except BlockingIOError:
            pass  # nothing yet
        except OSError:
            self._is_over = True  # nobody writes any more, and all has been read
        return self.shown

    def type(self, text: str) -> None:
        os.set_blocking(self.master, True)
        os.write(self.master, text.encode())

    def end(self) -> int:
        """Return its status, when it has ended by itself, and all is shown."""
        status = self.process.wait(scaled(30))
        # The output comes in parts, also when all of it is written.
        wait_until(lambda: self.read() is not None and self._is_over, "all is read", 30)
        os.close(self.master)
        return status
