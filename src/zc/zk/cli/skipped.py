"""Nodes that a command leaves out, as it was told to."""

from __future__ import annotations

from zc.zk.cli.output import tell

# Nodes that are told by their names.
MAX_TOLD = 10


class Skipped:
    """The paths of nodes that were left out, told to the user as they come.

    `place` is told with them: where they are, if that is one of several.
    """

    def __init__(self, name: str, place: str = "") -> None:
        self.paths: list[str] = []
        self._name = name
        self._from = f" of {place}" if place else ""

    def __call__(self, path: str, fault: Exception) -> None:
        self.paths.append(path)
        if len(self.paths) <= MAX_TOLD:
            tell(self._name, f"left out{self._from}, with all below it: {fault}")

    def conclude(self) -> bool:
        """Tell how many more there are. Whether there are any."""
        if (more := len(self.paths) - MAX_TOLD) > 0:
            tell(self._name, f"left out{self._from}, with all below them: {more} more")
        return bool(self.paths)
