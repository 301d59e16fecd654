"""A source distribution that depends on its files alone, not on who packed them, when and where."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path


def repack(archive: Path, made_at: int) -> None:
    """Replace a .tar.gz by one with the same files and nothing of the machine that made it."""
    packed = io.BytesIO()
    with (
        tarfile.open(archive) as old,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda member: member.name):
            entry = tarfile.TarInfo(member.name)
            entry.type, entry.size, entry.mtime = member.type, member.size, made_at
            entry.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            entry.linkname = member.linkname
            new.addfile(entry, old.extractfile(member) if member.isfile() else None)
    with archive.open("wb") as file:
        with gzip.GzipFile("", "wb", 9, file, mtime=made_at) as compressed:
            compressed.write(packed.getvalue())
