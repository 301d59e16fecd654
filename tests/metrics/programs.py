"""Prometheus' programs, of Debian's package or from elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

UNPACKED = Path(__file__).parents[2] / "build" / "prometheus" / "usr" / "bin"


def program(name: str) -> str | None:
    """Return the place of `prometheus` or `promtool`; None if there is none."""
    unpacked = UNPACKED / name
    return str(unpacked) if unpacked.exists() else shutil.which(name)
