"""The certificate and key of one client, in a file that is rotated, and spoilt for a while."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

from tests.certificates import Issued
from tests.secured import Keys


class ClientKeys:
    """A file with certificate and key, of the authority that the servers trust.

    A new content takes the place of the former one in a single step, as a good rotation does.
    """

    def __init__(self, keys: Keys, name: str) -> None:
        self._keys = keys
        self._names = (f"{name}-{number}" for number in itertools.count())
        self._name = name.replace(" ", "-")
        self.file = keys.folder / f"{self._name}.pem"
        self.rotate()

    def settings(self) -> dict[str, Any]:
        """Return the files' names, as the client process is told them."""
        return {"ca": str(self._keys.authority), "certificate": str(self.file)}

    def rotate(self) -> None:
        """Have another certificate, with a key of its own."""
        issued = self._keys.issue(next(self._names).replace(" ", "-"))
        self._good = issued.both.read_bytes()
        _remove(issued)
        self.heal()

    def spoil(self) -> None:
        """Leave half of the file."""
        self._write(self._good[: len(self._good) // 2])

    def heal(self) -> None:
        """Have the last whole content again."""
        self._write(self._good)

    def _write(self, content: bytes) -> None:
        beside = Path(f"{self.file}.new")
        beside.touch(mode=0o600)
        beside.write_bytes(content)
        os.replace(beside, self.file)


def _remove(issued: Issued) -> None:
    for file in issued:
        file.unlink()
