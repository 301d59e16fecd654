"""The properties of a node, live, and changes to them.

A property link is followed when a view is taken, which subscribes the object to the nodes on the
way; to read a property is to look up what was found, or why nothing was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk import codec
from zc.zk.errors import BadPropertyLink
from zc.zk.links import PROPERTY_LINK
from zc.zk.session.retry import attempts_at_change
from zc.zk.watching.decoding import properties_of
from zc.zk.watching.dependencies import CachedNode, Kind
from zc.zk.watching.liveobject import LiveObject
from zc.zk.watching.packedstats import shown
from zc.zk.watching.propertiesview import (
    LinkedPropertiesView,
    PropertiesView,
    ends_of,
    find_links,
)
from zc.zk.watching.readers import NodeReader, SessionSource

if TYPE_CHECKING:
    from zookeeper.types import Stat

# How often `update` begins again when somebody else changes the node meanwhile.
UPDATE_ATTEMPTS = 100
MAX_UPDATE_PAUSE_SECONDS = 0.1

# The argument of `set` and `update`: a mapping, or pairs.
Items = Mapping[str, Any] | Iterable[tuple[str, Any]]
# Another argument of `update`: a function from the properties as they are to the changes.
Changes = Callable[[dict[str, Any]], Items]


class Properties(LiveObject[PropertiesView], Mapping[str, Any]):
    """The properties of a node, kept up to date: a mapping.

    `zc.zk.ZooKeeper.properties` makes them; `LiveObject` says what they have in common with
    `Children`. A property that is a property link reads as what it leads to, under its name without
    the ` =>`; under its name with it, as the link itself. Symbolic links appear as they are.

    Changes, by `set`, `update`, `rewrite`, item assignment and `del`, are written to the server,
    and are seen here when the call returns; callbacks then know of them like of anybody else's.
    """

    _kind = Kind.DATA
    _view_of_one = PropertiesView

    @property
    def data(self) -> dict[str, Any]:
        """The properties as they are stored, links not followed."""
        return dict(self._shown.properties)

    @property
    def meta_data(self) -> Stat:
        """The node's stat; empty when it is gone."""
        return shown(self._shown.answer[1])

    def copy(self) -> dict[str, Any]:
        """Return the properties as they are stored, links not followed."""
        return self.data

    def __getitem__(self, name: str) -> Any:
        """Return a property. Raises BadPropertyLink if it links to nowhere."""
        view = self._shown
        if name in view.properties:
            return view.properties[name]
        found = view.links[name]
        if isinstance(found, BadPropertyLink):
            raise BadPropertyLink(found.path, found.name, found.reason) from found.__cause__
        return found.value

    def get(self, key: str, default: Any = None) -> Any:
        """Return a property, or `default` if there is none. Raises as to read it does."""
        # Most callbacks ask so: the one that all mappings have takes three calls, and an exception.
        properties = self._shown.properties
        if key in properties and type(self).__getitem__ is Properties.__getitem__:
            return properties[key]
        return super().get(key, default)

    def __iter__(self) -> Iterator[str]:
        view = self._shown
        for key in view.properties:
            name = key.removesuffix(PROPERTY_LINK)
            if name == key or name not in view.properties:
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    # That of the object: a mapping that is equal to another one need not be so any more later on.
    __hash__ = object.__hash__

    def __contains__(self, name: object) -> bool:
        view = self._shown
        return name in view.properties or name in view.links

    def set(self, data: Items | None = None, **properties: Any) -> None:
        """Let the node have these properties and no others.

        `data` is a mapping or an iterable of pairs; keywords take precedence. Whatever the node
        held is overwritten. Raises ValueError for what JSON cannot hold and for a property link
        that leads nowhere, and NoNodeException when the node is gone.
        """
        wanted = {**dict(data or ()), **properties}
        self._check_links(wanted, wanted)
        self._write(codec.encode(wanted))

    def update(self, data: Items | Changes | None = None, **properties: Any) -> None:
        """Change some properties of the node and leave the others.

        `data` is a mapping, an iterable of pairs, or a function that is called with the properties
        as they are stored and returns one of these; keywords take precedence. Nothing that
        somebody else writes at the same time is lost: if the node has changed since it was read,
        this begins again with what it holds then, and calls the function again. So this counts:

            properties.update(lambda now: {"n": now.get("n", 0) + 1})

        Raises what `set` raises, and BadVersionException when others change the node all the time.
        """

        def change(current: dict[str, Any]) -> dict[str, Any]:
            changes = data(dict(current)) if callable(data) else data
            changes = {**dict(changes or ()), **properties}
            wanted = {**current, **changes}
            self._check_links(changes, wanted)
            return wanted

        self._change(change)

    def rewrite(self, change: Callable[[dict[str, Any]], Items]) -> None:
        """Let the node have what `change` makes of its properties.

        It is called with those that are stored.
        So this takes one away, and leaves another in its place:

            properties.rewrite(lambda now: {"b": now.pop("a"), **now})

        Nothing that somebody else writes at the same time is lost: see `update`. Raises what that
        raises, and what `change` raises.
        """

        def wanted(current: dict[str, Any]) -> dict[str, Any]:
            properties = dict(change(dict(current)))
            new = {name for name in properties if properties[name] != current.get(name)}
            self._check_links({name: properties[name] for name in new}, properties)
            return properties

        self._change(wanted)

    def __delitem__(self, name: str) -> None:
        """Take away the property `name`, or else the property link `name`.

        Raises KeyError when there is neither.
        """

        def change(current: dict[str, Any]) -> dict[str, Any]:
            key = name if name in current else name + PROPERTY_LINK
            if key not in current:
                raise KeyError(name)
            del current[key]
            return current

        self._change(change, anew=name not in self)

    def _change(
        self, change: Callable[[dict[str, Any]], dict[str, Any]], *, anew: bool = False
    ) -> None:
        """Write what `change` makes of the properties; retry after a conflict.

        They are those that were seen last, unless they are to be read `anew`.
        """
        view = self._shown
        if anew or view.deleted:
            current, version = self._read_again()
        else:
            current, version = dict(view.properties), self.meta_data["version"]
        for attempt in attempts_at_change(
            (zookeeper.BadVersionException,),
            limit=UPDATE_ATTEMPTS,
            free=1,
            max_pause=MAX_UPDATE_PAUSE_SECONDS,
        ):
            if attempt.number > 1:
                current, version = self._read_again()
            wanted = change(current)
            with attempt:
                try:
                    self._write(codec.encode(wanted), version)
                except zookeeper.BadVersionException as conflict:
                    told = f"changed {attempt.number} times meanwhile"
                    raise zookeeper.error(zookeeper.BADVERSION, view.real_path, told) from conflict

    def __setitem__(self, name: str, value: Any) -> None:
        """Set one property, like `update`."""
        self.update({name: value})

    def _write(self, data: str, version: int | None = None) -> None:
        given = () if version is None else (version,)
        self._watches.session.call(self._watches.session.binding.set, self.real_path, data, *given)
        try:
            changed = self._take_view(fresh=True)
        except zookeeper.ZooKeeperException:
            return  # what was written is written; the watch will tell
        if changed:
            self._note_change()

    def _read_again(self) -> tuple[dict[str, Any], int]:
        data, stat = self._watches.session.call(self._watches.session.binding.get, self.real_path)
        return self._watches.decode(data, self.real_path), stat["version"]

    def _check_links(self, changes: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        """Raise ValueError if a property link among `changes` would lead nowhere."""
        links = [key for key in changes if str(key).endswith(PROPERTY_LINK)]
        if not links:
            return
        path, asked = self.real_path, {key: changes[key] for key in links}
        reader = _ReaderOfTheFuture(self, wanted)
        found = reader.complete(lambda reader: find_links(reader, path, asked))
        for name, end in found.items():
            if isinstance(end, BadPropertyLink):
                key = name + PROPERTY_LINK
                raise ValueError("Bad property link", key, changes[key], end) from end

    def _see(self, reader: NodeReader) -> PropertiesView:
        real_path, answer = reader.follow(self._kind, self.path)
        properties = reader.properties(answer, real_path)
        links = find_links(reader, real_path, properties)
        if not links:
            return PropertiesView(real_path, properties, answer)
        return LinkedPropertiesView(real_path, properties, answer, links, ends_of(links, reader))

    def _see_alone(self, node: CachedNode, answer: Any) -> PropertiesView | None:
        properties = properties_of(node, answer[0])
        for name in properties:
            if name.endswith(PROPERTY_LINK):
                return None
        view = PropertiesView(node.path, properties, answer)
        node.view, node.decoded = view, None  # which the view has
        return view

    def _see_nothing(self, real_path: str) -> PropertiesView:
        return PropertiesView(real_path, {}, (None, {}), deleted=True)


class _ReaderOfTheFuture(NodeReader):
    """Reads nodes as they will be once a change to `properties` is written."""

    def __init__(self, properties: Properties, wanted: Mapping[str, Any]) -> None:
        watches = properties._watches
        super().__init__(SessionSource(watches.session, watches.decode))
        self._path = properties.real_path
        self._wanted = wanted

    def get_properties(self, path: str) -> Mapping[str, Any]:
        return self._wanted if path == self._path else super().get_properties(path)
