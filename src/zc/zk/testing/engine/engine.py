"""A ZooKeeper server without a network: what it holds and what it answers.

Nothing here waits, sends or has threads. All depends on the calls, and on the clock that the engine
was given. A caller with several threads needs a lock.

Answers are values; a `Refusal` stands for an answer that is an error. Events reach the clients that
wait for them while the change that causes them is made: before its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from zc.zk.testing.engine import acl as acls
from zc.zk.testing.engine import paths
from zc.zk.testing.engine.client import Client, Rewatch
from zc.zk.testing.engine.limits import DEFAULT_LIMITS, SessionLimits
from zc.zk.testing.engine.operations import Write, Written
from zc.zk.testing.engine.refusal import Refusal
from zc.zk.testing.engine.sessions import Session, Sessions
from zc.zk.testing.engine.transactions import Transaction
from zc.zk.testing.engine.watches import Happening, Mode, Watches
from zc.zk.testing.engine.znodes import StatRecord, Tree, Znode
from zookeeper import constants
from zookeeper.constants import PERM_ADMIN, PERM_READ

# The server takes these off the ends of text.
_BLANKS: Final = "".join(map(chr, range(33)))


class Engine:
    """The state of one server.

    `clock` gives milliseconds since 1970. `secret` makes passwords of sessions; the same secret and
    the same calls at the same times make the same engine. `superuser`, `name:digest`, is stopped by
    no ACL. Servers before 3.5 have no `/zookeeper/config`. `schemes` are those that ACLs may have
    besides, `x509` and `sasl`. Clients without an identity of one of those that are `required` are
    not served.
    """

    def __init__(
        self,
        clock: Callable[[], int],
        secret: bytes,
        *,
        limits: SessionLimits | tuple[int, int] = DEFAULT_LIMITS,
        superuser: str | None = None,
        with_config: bool = True,
        schemes: Collection[str] = (),
        required: Collection[str] = (),
    ) -> None:
        self.clock: Final = clock
        self.schemes: Final = acls.SCHEMES | frozenset(schemes)
        self.required: Final = frozenset(required)
        self.limits: Final = SessionLimits.checked(limits)
        self.tree = Tree(with_config)
        self.sessions = Sessions(clock, secret)
        self.watches = Watches()
        self.zxid = 0
        self._superuser = superuser

    # Sessions

    def open_session(self, client: Client, timeout: int) -> Session:
        """Begin a session with about that timeout, in milliseconds."""
        self.zxid += 1
        client.session = self.sessions.open(self.limits.agreed(timeout))
        return client.session

    def resume_session(
        self, client: Client, id: int, password: bytes, timeout: int
    ) -> Session | None:
        """Go on with a session; None if it is over, or for a wrong password."""
        session = self.sessions.get(id)
        if session is None or not self.sessions.is_password(id, password):
            return None
        session.timeout = self.limits.agreed(timeout)
        self.sessions.touch(session)
        client.session = session
        return session

    def close_session(self, id: int) -> None:
        """End a session and remove its ephemeral nodes."""
        self.zxid += 1
        self.sessions.close(id)
        for path in list(self.tree.ephemerals.get(id, ())):
            self._remove(path)

    def disconnect(self, client: Client) -> Rewatch:
        """Forget a connection and its watches; the session may live on.

        Returns the one-time watches, which a client that connects again sets again.
        """
        data, children = self.watches.remove_all(client)
        return Rewatch(
            data=[path for path in data if path in self.tree.nodes],
            exists=[path for path in data if path not in self.tree.nodes],
            children=children,
        )

    def prove(self, client: Client, scheme: str, credential: bytes) -> None:
        """Take a credential from a client. Refuses one that proves nothing."""
        proved = acls.prove(scheme, credential, client.address, self._superuser)
        if scheme == "x509":
            # The handshake of TLS has proved it, or nothing will.
            proved = [each for each in client.identities if each.scheme == scheme]
        if not proved:
            raise Refusal(constants.AUTHFAILED)
        client.add_identities(proved)

    def admits(self, client: Client) -> bool:
        """Whether a client has proved what is required of all."""
        return not self.required or any(each.scheme in self.required for each in client.identities)

    # Time

    def expire_sessions(self) -> list[Session]:
        """End the sessions whose clients were silent too long, and return them."""
        overdue = self.sessions.overdue()
        for session in overdue:
            self.close_session(session.id)
        return overdue

    def remove_abandoned(self) -> None:
        """Remove containers that were emptied, and nodes past their time to live."""
        for path in self.tree.abandoned(self.clock()):
            self.zxid += 1
            self._remove(path)

    def _remove(self, path: str) -> None:
        node, parent = self.tree.node(path), self.tree.node(paths.parent(path))
        self.tree.delete(path, self.zxid)
        self.watches.tell(Happening(constants.DELETED_EVENT, path, node.acl, parent.acl))

    # Writing

    def write(self, client: Client, operation: Write) -> Written:
        """Do one operation."""
        transaction = self._transaction(client)
        result = transaction.do(operation)
        self._tell(transaction)
        return result

    def write_all(self, client: Client, operations: Iterable[Write]) -> list[Written | Refusal]:
        """Do all of some operations or none.

        If none was done, there is a refusal for each: OK for those before the one that could not be
        done, and RUNTIMEINCONSISTENCY for those after it.
        """
        transaction = self._transaction(client)
        results: list[Written | Refusal] = []
        remaining = iter(operations)
        self.tree.begin()
        for operation in remaining:
            try:
                results.append(transaction.do(operation))
            except Refusal as refusal:
                self.tree.roll_back()
                if refusal.code == constants.MARSHALLINGERROR:
                    raise  # the request as a whole cannot be read
                undone = [Refusal(constants.OK) for _ in results]
                not_tried = [Refusal(constants.RUNTIMEINCONSISTENCY) for _ in remaining]
                return [*undone, refusal, *not_tried]
            except BaseException:
                self.tree.roll_back()
                raise
        self.tree.commit()
        self._tell(transaction)
        return results

    def refuse_write(self, code: int) -> Refusal:
        """Refuse a write that cannot be read; it has a zxid all the same."""
        self.zxid += 1
        return Refusal(code)

    def _transaction(self, client: Client) -> Transaction:
        self.zxid += 1
        session = self._session_of(client)
        return Transaction(
            self.tree, session.id, client.identities, self.schemes, self.zxid, self.clock()
        )

    def _session_of(self, client: Client) -> Session:
        session = client.session
        if session is None or self.sessions.get(session.id) is not session:
            raise Refusal(constants.SESSIONEXPIRED)
        return session

    def _tell(self, transaction: Transaction) -> None:
        for happening in transaction.happened:
            self.watches.tell(happening)

    # Reading

    def exists(self, client: Client, path: str, watch: bool = False) -> StatRecord:
        """Return a node's stat, without a permission; watch a missing node too."""
        if "\0" in path:
            raise Refusal(constants.BADARGUMENTS)
        if watch:
            self.watches.data.add(path, client)
        return self.tree.node(path).stat()

    def get_data(
        self, client: Client, path: str, watch: bool = False
    ) -> tuple[bytes | None, StatRecord]:
        node = self._readable(client, path)
        if watch:
            self.watches.data.add(path, client)
        return node.data, node.stat()

    def get_children(
        self, client: Client, path: str, watch: bool = False
    ) -> tuple[list[str], StatRecord]:
        node = self._readable(client, path)
        if watch:
            self.watches.children.add(path, client)
        return list(node.children), node.stat()

    def count_descendants(self, client: Client, path: str) -> int:
        self._readable(client, path)
        return sum(1 for _ in self.tree.below(path))

    def get_acl(self, client: Client, path: str) -> tuple[acls.Entries, StatRecord]:
        """Return a node's ACL; hashes of passwords are for its administrators."""
        node = self.tree.node(path)
        acls.check(node.acl, PERM_READ | PERM_ADMIN, client.identities)
        try:
            acls.check(node.acl, PERM_ADMIN, client.identities)
        except Refusal:
            return acls.masked(node.acl), node.stat()
        return node.acl, node.stat()

    def ephemerals(self, client: Client, prefix: str) -> list[str]:
        """List the session's own ephemeral nodes by a prefix, which may be blank."""
        own = self.tree.ephemerals.get(self._session_of(client).id, {})
        if prefix.strip(_BLANKS) in ("", paths.ROOT):
            return list(own)
        return [path for path in own if path.startswith(prefix)]

    def _readable(self, client: Client, path: str) -> Znode:
        node = self.tree.node(path)
        acls.check(node.acl, PERM_READ, client.identities)
        return node

    # Watching

    def add_watch(self, client: Client, path: str, mode: Mode) -> None:
        """Watch a path for good, with or without a node."""
        self.watches.data.add(path, client, mode)
        self.watches.children.add(path, client, mode)

    def rewatch(self, client: Client, seen: int, watched: Rewatch) -> None:
        """Set watches again; a change since zxid `seen` gives an event at once."""
        nodes = self.tree.nodes
        for path in watched.data:
            node = nodes.get(path)
            if node is None:
                client.notify(constants.DELETED_EVENT, path)
            elif node.mzxid > seen:
                client.notify(constants.CHANGED_EVENT, path)
            else:
                self.watches.data.add(path, client)
        for path in watched.exists:
            if path in nodes:
                client.notify(constants.CREATED_EVENT, path)
            else:
                self.watches.data.add(path, client)
        for path in watched.children:
            node = nodes.get(path)
            if node is None:
                client.notify(constants.DELETED_EVENT, path)
            elif node.pzxid > seen:
                client.notify(constants.CHILD_EVENT, path)
            else:
                self.watches.children.add(path, client)
        for path in watched.persistent:
            self.add_watch(client, path, Mode.PERSISTENT)
        for path in watched.recursive:
            self.add_watch(client, path, Mode.RECURSIVE)

    def is_watched(self, path: str, kinds: int) -> bool:
        """Tell whether any client watches a path, as servers up to 3.8 do.

        `kinds` is one of the WATCH_ constants.
        """
        return (bool(kinds & constants.WATCH_DATA) and self.watches.data.is_watched(path)) or (
            bool(kinds & constants.WATCH_CHILDREN) and self.watches.children.is_watched(path)
        )

    def remove_watch(self, client: Client, path: str, kinds: int) -> None:
        """Forget a watch. Refuses when there is none."""
        removed = False
        if kinds & constants.WATCH_DATA:
            removed |= self.watches.data.remove(path, client)
        if kinds & constants.WATCH_CHILDREN:
            removed |= self.watches.children.remove(path, client)
        if not removed:
            raise Refusal(constants.NOWATCHER)
