"""The way that a path leads through symbolic links, in anything that can read nodes."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from zc.zk.errors import LinkLoop
from zc.zk.links import LINK, NotRead, check_path, is_direct, is_path, join, parent_of
from zookeeper.constants import NONODE
from zookeeper.errors import NoNodeException, ZooKeeperException, error

if TYPE_CHECKING:
    from typing import Protocol

    class Nodes(Protocol):
        """The nodes in which links are followed; see `zc.zk.resolver.Resolver`."""

        def exists(self, path: str) -> object: ...

        def get_properties(self, path: str) -> Mapping[str, Any]: ...

        def foresee(self, journey: "Journey") -> None: ...


# Links can be endless in practice without a loop: thirty of them, each of which leads twice through
# the one before, take a thousand million steps.
MAX_LINKS = 1000

# The nodes of so many components of a path are read at once.
MAX_AHEAD = 100


class Resolution(NamedTuple):
    """The path that a path leads to, and the nodes that this depends on.

    The result may change when the data of a node in `read` change (a link is there), when a node in
    `missing` is created (a real child hides a link), and when `path` itself disappears. Both tuples
    are in the order of reading, without repetition, and empty if there are no links on the way.
    """

    path: str
    read: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class Journey:
    """The resolution of one path, component by component.

    `to_go` holds the components that are left, the next one last. A link puts its own components on
    top. Until they are used up, that link is being followed, and to meet it again is a loop. Later
    it is none: `/a/link/../link` is a valid path.
    """

    def __init__(self, nodes: "Nodes", path: str) -> None:
        check_path(path)
        self.nodes = nodes
        self.asked = path
        self.here = "/"
        self.to_go = _components(path)
        # Links, and how much is to go after each.
        self.being_followed: dict[str, int] = {}
        self.count = 0
        self.read: dict[str, None] = {}
        self.missing: dict[str, None] = {}

    def go(self) -> Resolution:
        try:
            return self._go()
        except NotRead:
            # All of the way ahead, as far as it can be known, is read at once.
            self.nodes.foresee(self)
            raise

    def _go(self) -> Resolution:
        # Without `.` and `..` it may be a node's own path, for which one look will do.
        if is_direct(self.asked) and self.nodes.exists(self.asked):
            return Resolution(self.asked)
        while self.to_go:
            while self.being_followed and len(self.to_go) <= next(
                reversed(self.being_followed.values())
            ):
                self.being_followed.popitem()
            component = self.to_go[-1]
            if component == "..":
                self.here = parent_of(self.here)
            elif self.nodes.exists(child := join(self.here, component)):
                self.here = child
            else:
                self.missing[child] = None
                self.follow(child, component)
                continue
            self.to_go.pop()
        return Resolution(self.here, tuple(self.read), tuple(self.missing))

    def follow(self, link: str, name: str) -> None:
        try:
            target = self.nodes.get_properties(self.here).get(name + LINK)
        except NoNodeException:
            raise self.no_node() from None
        if not is_path(target):
            raise self.no_node()
        self.read[self.here] = None
        self.count += 1
        if link in self.being_followed or self.count > MAX_LINKS:
            raise LinkLoop((*self.being_followed, link))
        self.to_go.pop()
        self.being_followed[link] = len(self.to_go)
        self.to_go += _components(target)
        if target.startswith("/"):
            self.here = "/"

    def no_node(self) -> ZooKeeperException:
        return error(NONODE, self.asked)

    def ahead(self) -> list[str]:
        """Return the paths that it comes by if there are no more links on the way.

        The first `MAX_AHEAD` of them: links can make a way longer than memory.
        """
        here = self.here
        ahead = [here]
        for component in reversed(self.to_go[-MAX_AHEAD:]):
            here = parent_of(here) if component == ".." else join(here, component)
            ahead.append(here)
        return ahead


def _components(path: str) -> list[str]:
    """Split a path into components, the first one last, without `.` and empty ones."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]
