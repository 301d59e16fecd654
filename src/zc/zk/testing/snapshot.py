"""A server's nodes and sessions in a file, for the time after a restart.

The file is replaced in one step, and has a checksum: it is whole or it is refused. A server that
was killed goes on with what it had when the file was last written.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import logging
import os
import stat
import struct
import tempfile
import time
from pathlib import Path
from typing import Final

from zc.zk.errors import Error
from zc.zk.testing.engine import Engine, Entry, Znode
from zc.zk.testing.engine.acl import OPEN, Entries
from zc.zk.testing.wire import jute
from zc.zk.testing.wire.jute import INT, LONG, Malformed, Reader

logger = logging.getLogger("zc.zk.testing")

SAVE_SECONDS: Final = 5.0

MAGIC: Final = b"zc.zk.testing snapshot, version 1\n"

# A node's numbers: czxid mzxid pzxid ctime mtime, version aversion creations, owner.
_NUMBERS: Final = struct.Struct(">qqqqqiiiq")

# Changes are numbered within epochs. Each start of a server is a new one, as an election is, for
# clients may have seen changes that are forgotten, and would be refused as coming from the future.
EPOCH: Final = 1 << 32


class SnapshotError(Error):
    """A snapshot file that cannot be used; it says which and why."""


class Snapshots:
    """A file that is kept up to date. SnapshotError if it cannot be used."""

    def __init__(self, engine: Engine, path: Path) -> None:
        # Where a symbolic link leads: a save replaces that file, and not the link.
        path = Path(os.path.realpath(path))
        self._engine = engine
        self._path = path
        self._timer: asyncio.TimerHandle | None = None
        self._saved: int | None = None
        self._claim = Claim(path)
        try:
            if self._claim.look():
                load(engine, path)
        except OSError as fault:
            raise SnapshotError(f"{path}: cannot be read: {fault.strerror}") from fault

    def begin(self) -> None:
        """Save, and go on saving changes every few seconds, in the event loop.

        Raises SnapshotError where a file cannot be written, or another server uses it: now, and not
        when there is more to lose.
        """
        try:
            self._claim.take()
        except OSError as fault:
            raise self._unwritable(fault) from fault
        try:
            self._save_changes()
        except SnapshotError:
            self._claim.release()
            raise
        self._go_on_after(SAVE_SECONDS)

    def finish(self) -> None:
        """Save the rest. Raises SnapshotError."""
        if self._timer is not None:
            self._timer.cancel()
        if self._claim.is_held:
            try:
                self._save_changes()
            finally:
                self._claim.release()

    def _go_on_after(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._keep_saving)

    def _keep_saving(self) -> None:
        began = time.monotonic()
        try:
            self._save_changes()
        except SnapshotError as fault:
            logger.error("%s", fault)
        # A large one takes its time, in which no request is answered: not too much of it.
        self._go_on_after(max(SAVE_SECONDS, 20 * (time.monotonic() - began)))

    def _save_changes(self) -> None:
        # Every change has a zxid.
        if self._engine.zxid == self._saved and self._path.exists():
            return
        try:
            save(self._engine, self._path, self._claim)
        except OSError as fault:
            raise self._unwritable(fault) from fault
        self._saved = self._engine.zxid

    def _unwritable(self, fault: OSError) -> SnapshotError:
        return SnapshotError(f"{self._path}: cannot be written: {fault.strerror}")


class Claim:
    """A running server's claim to a file: a lock on the file of that name.

    The file is replaced each time that it is saved, and the lock moves to the new one before that
    gets the name. So the file that has the name is locked at any time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._seen: int | None = None  # the inode of the file with this engine's nodes

    @property
    def is_held(self) -> bool:
        return self._descriptor is not None

    def look(self) -> bool:
        """Return whether there is anything to load. SnapshotError while in use."""
        try:
            descriptor = self._open()
        except FileNotFoundError:
            return False
        try:
            self._lock(descriptor, fcntl.LOCK_SH)
            status = os.fstat(descriptor)
            self._seen = status.st_ino
            # A server that is killed at its first start leaves an empty one.
            return status.st_size > 0
        finally:
            os.close(descriptor)

    def take(self) -> None:
        """Claim the file, which is made if need be. Raises SnapshotError, OSError."""
        descriptor = self._open(os.O_CREAT)
        try:
            self._lock(descriptor, fcntl.LOCK_EX)
            status, named = os.fstat(descriptor), os.stat(self._path)
            is_ours = status.st_ino == self._seen or (self._seen is None and not status.st_size)
            if not is_ours or named.st_ino != status.st_ino:
                raise SnapshotError(f"{self._path}: another server has used it meanwhile")
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor, self._seen = descriptor, status.st_ino

    def move_to(self, descriptor: int) -> None:
        """Move the claim to the locked file of a descriptor, which has the name."""
        new = os.dup(descriptor)  # which shares the lock
        self.release()
        self._descriptor, self._seen = new, os.fstat(new).st_ino

    def release(self) -> None:
        """Give the claim up. Without effect if there is none."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            # Explicitly, as a forked child may have a copy of the descriptor.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def _open(self, flags: int = 0) -> int:
        # A save would replace a device by a file, and to open a FIFO waits for its other end.
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISREG(os.stat(self._path).st_mode):
                raise SnapshotError(f"{self._path}: not a regular file")
        return os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | flags, 0o600)

    def _lock(self, descriptor: int, kind: int) -> None:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SnapshotError(f"{self._path}: another server uses it") from None


def save(engine: Engine, path: Path, claim: Claim | None = None) -> None:
    """Write or replace a file, and move the claim to it. Raises OSError."""
    payload = _encoded(engine)
    file, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(file, "wb") as output:
            output.write(MAGIC + hashlib.sha256(payload).digest() + payload)
            output.flush()
            os.fsync(output.fileno())
            if claim is not None:
                fcntl.flock(output.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.replace(name, path)
            if claim is not None:
                claim.move_to(output.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def load(engine: Engine, path: Path) -> None:
    """Load a file into a new engine. Raises SnapshotError, OSError."""
    content = path.read_bytes()
    if not content.startswith(MAGIC):
        raise SnapshotError(f"{path}: not a snapshot of this version")
    digest_end = len(MAGIC) + hashlib.sha256().digest_size
    digest, payload = content[len(MAGIC) : digest_end], content[digest_end:]
    if hashlib.sha256(payload).digest() != digest:
        raise SnapshotError(f"{path}: damaged, its checksum is wrong")
    try:
        _decode(engine, Reader(payload))
    except (Malformed, LookupError) as fault:
        raise SnapshotError(f"{path}: damaged: {fault}") from fault


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _encoded(engine: Engine) -> bytes:
    sessions = [LONG.pack(session.id) + INT.pack(session.timeout) for session in engine.sessions]
    places: dict[Entries, int] = {}
    nodes = [
        _node(path, node, places.setdefault(node.acl, len(places)))
        for path, node in engine.tree.nodes.items()
        if path
    ]
    parts = [
        LONG.pack(engine.zxid),
        jute.buffer(engine.sessions.secret),
        jute.vector(sessions),
        jute.vector([_acl(acl) for acl in places]),
        jute.vector(nodes),
    ]
    return b"".join(parts)


def _acl(acl: Entries) -> bytes:
    return jute.vector(
        [INT.pack(perms) + jute.string(scheme) + jute.string(id) for perms, scheme, id in acl]
    )


def _node(path: str, node: Znode, acl: int) -> bytes:
    numbers = _NUMBERS.pack(
        node.czxid,
        node.mzxid,
        node.pzxid,
        node.ctime,
        node.mtime,
        node.version,
        node.aversion,
        node.creations,
        node.owner,
    )
    return jute.string(path) + jute.buffer(node.data) + INT.pack(acl) + numbers


def _decode(engine: Engine, reader: Reader) -> None:
    zxid = reader.int64()
    engine.sessions.secret = reader.buffer() or b""
    sessions = reader.vector(lambda: (reader.int64(), reader.int32())) or []
    acls = reader.vector(lambda: _read_acl(reader)) or []
    nodes = dict(reader.vector(lambda: _read_node(reader, acls)) or [])
    engine.tree.replant(nodes)
    for id, timeout in sessions:
        engine.sessions.restore(id, timeout)
    engine.zxid = max(engine.zxid, (zxid // EPOCH + 1) * EPOCH)


def _read_acl(reader: Reader) -> Entries:
    def entry() -> Entry:
        return Entry(reader.int32(), reader.string(), reader.string())

    acl = tuple(reader.vector(entry) or ())
    return OPEN if acl == OPEN else acl


def _read_node(reader: Reader, acls: list[Entries]) -> tuple[str, Znode]:
    path, data, acl = reader.string() or "", reader.buffer(), acls[reader.int32()]
    numbers = reader.record(_NUMBERS)
    node = Znode(data, acl, numbers[-1], 0, 0)
    node.czxid, node.mzxid, node.pzxid, node.ctime, node.mtime = numbers[:5]
    node.version, node.aversion, node.creations = numbers[5:8]
    return path, node
