"""The work of a client of a fault run, in several threads.

The work goes on until the client is told to rest. Everything is done with nodes that other clients
use too, except for its own tree. An exception that a program has to expect on a bad day is counted;
any other is an error.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.faults import place
from tests.faults.beliefs import Live, Registration
from tests.faults.library import Library, LiveObject, Registered
from tests.faults.timing import Stopwatch

logger = logging.getLogger("tests.faults")

# The pause between two steps of a thread, in seconds.
SHORTEST_PAUSE = 0.01
LONGEST_PAUSE = 0.06

# Slow callbacks take so long (seconds); all callbacks of a client wait for them.
SLOW_CALLBACK = 0.1

# A registration may take so many session timeouts: it asks the servers several times.
REGISTRATION_LIMIT = 2.0
# Work on trees waits for a connection to come back, and begins again.
TREE_LIMIT = 6.0

OPEN_ACL = [{"perms": 31, "scheme": "world", "id": "anyone"}]


class Told:
    """The last value that a live object's callback was told.

    It does not know the object.
    """

    def __init__(self, then: Callable[[], object]) -> None:
        self.value: Any = None
        self._then = then

    def __call__(self, value: Any) -> None:
        self.value = value
        self._then()


class Followed:
    """A live object, with a callback that does `then`, or without one."""

    def __init__(
        self, library: Library, kind: str, path: str, then: Callable[[], object] | None
    ) -> None:
        self._kind, self._path = kind, path
        self._told = None if then is None else Told(then)
        self._live: LiveObject = library.follow(kind, path, self._told)

    def belief(self) -> Live:
        return Live(
            kind=self._kind,
            path=self._path,
            value=self._live.value(),
            told=None if self._told is None else self._told.value,
            silent=self._told is None,
        )


class Activities:
    """The threads of a client, and what it wants and follows because of them."""

    def __init__(self, library: Library, number: int, seed: str, stopwatch: Stopwatch) -> None:
        self.library = library
        self.number = number
        self.stopwatch = stopwatch
        self.counts: Counter[str] = Counter()
        self.errors: list[str] = []
        self.unknown: list[str] = []
        self._registered: dict[tuple[str, str], Registered] = {}
        self._plain: dict[str, dict[str, Any]] = {}
        self._followed: dict[tuple[str, str], Followed] = {}
        self._plain_count = 0
        # A request of the process that this one replaces may still be on its way.
        self._garden_name = f"{seed.replace(' ', '-')}"
        self._tree: str | None = None
        self._newest = 0
        self._gate = threading.Condition()
        self._is_resting = True
        self._busy = 0
        self._ended = False
        steps = {
            "registrar": [self._register] * 3 + [self._unregister, self._update] * 2
            + [self._contest, self._withdraw],
            "writer": [self._write] * 4 + [self._come, self._go] * 3
            + [self._vanish, self._appear],
            "watcher": [self._look_anew],
        }  # fmt: skip
        if library.revives_nodes:
            steps["registrar"] += [self._create_plain, self._delete_plain]
            steps["writer"] += [self._operate]
        if library.has_links:
            steps["writer"] += [self._bend_links]
        if library.has_trees:
            steps["gardener"] = [self._import, self._export, self._walk, self._delete_tree]
        self._threads = [
            threading.Thread(target=self._run, args=(name, choices, seed), name=name, daemon=True)
            for name, choices in steps.items()
        ]
        for thread in self._threads:
            thread.start()

    # Control

    def prepare(self) -> None:
        """Register and follow the nodes that are there from the beginning."""
        chance = random.Random(self.number)
        for service in place.SERVICES:
            for name in place.addresses(self.number)[:3]:
                self._attempt(partial(self._register_at, service, name))
        for key in self._followable():
            self._attempt(partial(self._follow, chance, key))

    def go(self) -> None:
        """Let the threads work."""
        with self._gate:
            self._is_resting = False
            self._gate.notify_all()

    def rest(self, seconds: float) -> bool:
        """Stop working; return False if a thread stays in a call beyond that time."""
        with self._gate:
            self._is_resting = True
            return self._gate.wait_for(lambda: self._busy == 0, seconds)

    def end(self) -> None:
        """End the threads, and let go of everything."""
        with self._gate:
            self._ended = True
            self._gate.notify_all()
        for thread in self._threads:
            thread.join()
        self._registered.clear()
        self._followed.clear()

    def _run(self, name: str, choices: list[Callable[[random.Random], None]], seed: str) -> None:
        chance = random.Random(f"{seed} {name}")
        while True:
            with self._gate:
                self._gate.wait_for(lambda: self._ended or not self._is_resting)
                if self._ended:
                    return
                self._busy += 1
            try:
                self._attempt(partial(chance.choice(choices), chance))
            finally:
                with self._gate:
                    self._busy -= 1
                    self._gate.notify_all()
            time.sleep(chance.uniform(SHORTEST_PAUSE, LONGEST_PAUSE))

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except self.library.trouble:
            self.counts["interrupted"] += 1
        except self.library.conflicts:
            self.counts["conflicts"] += 1
        except Exception:
            self.errors.append(traceback.format_exc())

    # Beliefs

    def registrations(self) -> list[Registration]:
        wanted = [
            Registration(
                path=registered.path,
                properties=registered.properties,
                acl=registered.acl,
                registered=registered.is_registered(),
            )
            for registered in list(self._registered.values())
        ]
        plain = [
            Registration(path=path, properties=properties, acl=OPEN_ACL, registered=True)
            for path, properties in list(self._plain.items())
        ]
        return wanted + plain

    def live(self) -> list[Live]:
        return [followed.belief() for followed in list(self._followed.values())]

    # The registrar

    def _register(self, chance: random.Random) -> None:
        service = chance.choice(place.SERVICES)
        self._register_at(service, chance.choice(place.addresses(self.number)))

    def _contest(self, chance: random.Random) -> None:
        self._register_at(place.SERVICES[0], chance.choice(place.CONTESTED))

    def _register_at(self, service: str, name: str) -> None:
        if (service, name) in self._registered:
            return
        try:
            with self.stopwatch.call(f"register {name}", REGISTRATION_LIMIT):
                registered = self.library.register(service, name, {"by": self.number, "n": 0})
        except self.library.trouble:
            self.unknown.append(f"{service}/{name}")
            raise
        self._registered[service, name] = registered
        self.counts["registrations"] += 1

    def _unregister(self, chance: random.Random) -> None:
        # Some stay for good: registrations of a long life have to be tried as well.
        own = place.addresses(self.number)[2:]
        self._unregister_one([key for key in self._registered if key[1] in own], chance)

    def _withdraw(self, chance: random.Random) -> None:
        contested = [key for key in self._registered if key[1] in place.CONTESTED]
        self._unregister_one(contested, chance)

    def _unregister_one(self, keys: list[tuple[str, str]], chance: random.Random) -> None:
        if not keys:
            return
        registered = self._registered.pop(chance.choice(keys))
        try:
            with self.stopwatch.call(f"unregister {registered.path}", REGISTRATION_LIMIT):
                registered.unregister()
        except self.library.trouble:
            self.unknown.append(registered.path)
            raise
        self.counts["unregistrations"] += 1

    def _update(self, chance: random.Random) -> None:
        if self._registered:
            registered = chance.choice(list(self._registered.values()))
            with self.stopwatch.call(f"update {registered.path}", REGISTRATION_LIMIT):
                registered.update(chance.randrange(1000))
            self.counts["updates of registrations"] += 1

    def _create_plain(self, chance: random.Random) -> None:
        if len(self._plain) > 5:
            return
        self._plain_count += 1
        path = f"{place.SERVICES[1]}/{place.PLAIN}-{self.number}-{id(self):x}-{self._plain_count}"
        properties = {"n": chance.randrange(1000)}
        try:
            with self.stopwatch.call(f"create {path}"):
                self.library.create(path, json.dumps(properties), ephemeral=True)
        except self.library.trouble:
            self.unknown.append(path)
            raise
        self._plain[path] = properties
        self.counts["ephemeral nodes"] += 1

    def _delete_plain(self, chance: random.Random) -> None:
        if not self._plain:
            return
        path = chance.choice(list(self._plain))
        del self._plain[path]
        try:
            with self.stopwatch.call(f"delete {path}"):
                self.library.delete(path)
        except self.library.trouble:
            self.unknown.append(path)
            raise

    # The writer

    def _write(self, chance: random.Random) -> None:
        path = chance.choice(place.CONFIGS)
        with self.stopwatch.call(f"update {path}", REGISTRATION_LIMIT):
            self.library.update(path, chance.randrange(1000))
        self.counts["writes"] += 1

    def _come(self, chance: random.Random) -> None:
        path = f"{chance.choice(place.GROUPS)}/member-{chance.randrange(12)}"
        with self.stopwatch.call(f"create {path}"):
            self.library.create(path, "")
        self.counts["writes"] += 1

    def _go(self, chance: random.Random) -> None:
        path = f"{chance.choice(place.GROUPS)}/member-{chance.randrange(12)}"
        with self.stopwatch.call(f"delete {path}"):
            self.library.delete(path)
        self.counts["writes"] += 1

    def _vanish(self, chance: random.Random) -> None:
        with self.stopwatch.call(f"delete {place.FLEETING}"):
            self.library.delete(place.FLEETING)
        self.counts["writes"] += 1

    def _appear(self, chance: random.Random) -> None:
        with self.stopwatch.call(f"create {place.FLEETING}"):
            self.library.create(place.FLEETING, json.dumps({"n": chance.randrange(1000)}))
        self.counts["writes"] += 1

    def _bend_links(self, chance: random.Random) -> None:
        service = chance.choice((*place.SERVICES, place.NOWHERE))
        data = place.application(service, chance.choice(place.CONFIGS))
        with self.stopwatch.call(f"set {place.APPLICATION}"):
            self.library.set(place.APPLICATION, json.dumps(data))
        self.counts["writes"] += 1

    def _operate(self, chance: random.Random) -> None:
        """Delete a node that another client has registered, as an operator does."""
        service = chance.choice(place.SERVICES)
        with self.stopwatch.call(f"children of {service}"):
            names = self.library.children(service)
        # A client that deletes a registration of its own withdraws it.
        others = [name for name in names if place.belongs_to_another(name, self.number)]
        if others:
            path = f"{service}/{chance.choice(others)}"
            with self.stopwatch.call(f"delete {path}"):
                self.library.delete(path)
            self.counts["registrations deleted by others"] += 1

    # The watcher

    def _followable(self) -> list[tuple[str, str]]:
        children = [*place.SERVICES, *place.GROUPS]
        properties = [*place.CONFIGS, place.FLEETING]
        if self.library.has_links:
            children.append(place.LINKED_SERVICE)
            properties.append(place.APPLICATION)
        kind = "properties" if self.library.has_links else "data"
        trees = place.FOLLOWED_TREES if self.library.has_trees else ()
        providers = place.FOLLOWED_PROVIDERS if self.library.has_providers else ()
        return [
            *(("children", path) for path in children),
            *((kind, path) for path in properties),
            *(("tree", path) for path in trees),
            *(("providers", path) for path in providers),
        ]

    def _look_anew(self, chance: random.Random) -> None:
        """Drop a live object and make another one for the same node.

        The new one may come a moment later.
        """
        key = chance.choice(self._followable())
        if key in self._followed and chance.random() < 0.5:
            del self._followed[key]
        if chance.random() < 0.7:
            self._followed.pop(key, None)
            self._follow(chance, key)
        time.sleep(chance.uniform(0, 0.1))

    def _follow(self, chance: random.Random, key: tuple[str, str]) -> None:
        callbacks = [None, self._callback]
        if self.library.callbacks_may_block:
            callbacks += [self._slow_callback, self._asking_callback]
        kind, path = key
        with self.stopwatch.call(f"follow {kind} of {path}", REGISTRATION_LIMIT):
            followed = Followed(self.library, kind, path, chance.choice(callbacks))
        self._followed[key] = followed
        self.counts["live objects"] += 1

    def _callback(self) -> None:
        self.counts["callbacks"] += 1

    def _slow_callback(self) -> None:
        self._callback()
        time.sleep(SLOW_CALLBACK)

    def _asking_callback(self) -> None:
        self._callback()
        try:
            with self.stopwatch.call("get, in a callback"):
                self.library.get(place.CONFIGS[0])
        except self.library.trouble:
            self.counts["interrupted"] += 1

    # The gardener

    @property
    def _garden(self) -> str:
        return f"{place.TREES}/{self._garden_name}"

    def _import(self, chance: random.Random) -> None:
        bed = "".join(
            f"  /plant-{number}\n    height = {chance.randrange(100)}\n"
            for number in sorted(chance.sample(range(10, 99), chance.randrange(40)))
        )
        self._tree = None
        text = f"/{self._garden_name}\n{bed}"
        with self.stopwatch.call("import", TREE_LIMIT):
            self.library.import_(place.TREES, text)
        self._newest = self.library.newest(self._garden)
        self._tree = text
        logger.debug("imported, last change %#x: %r", self._newest, text)
        self.counts["imports"] += 1

    def _note_other_tree(self, found: str) -> None:
        """Note a tree that is not as it was imported, though nobody else touches it.

        Changes have growing numbers. If the newest one of the tree is older than one that was seen
        before, then the servers have forgotten a write that they had acknowledged, as those of
        3.8.0 may when a leader is killed (ZOOKEEPER-4646). No client can make up for that.
        """
        tree, self._tree = self._tree, None
        logger.debug("not as imported: %r", found)
        self.library.sync(self._garden)
        newest = self.library.newest(self._garden)
        if newest < self._newest:
            self.counts["acknowledged writes that servers forgot"] += 1
            return
        self.errors.append(
            f"imported:\n{tree}\n{found}\nThe last change is {newest:#x}, and was {self._newest:#x}"
            f" after the import; now exported:\n{self.library.export(self._garden)}"
        )

    def _export(self, chance: random.Random) -> None:
        with self.stopwatch.call("export", TREE_LIMIT):
            text = self.library.export(self._garden)
        if self._tree is not None and text != self._tree:
            self._note_other_tree(f"exported:\n{text}")
        self.counts["exports"] += 1

    def _walk(self, chance: random.Random) -> None:
        with self.stopwatch.call("walk", TREE_LIMIT):
            paths = self.library.walk(self._garden)
        if self._tree is not None and len(paths) != 1 + self._tree.count("/plant"):
            self._note_other_tree(f"walked:\n{paths}")
        self.counts["walks"] += 1

    def _delete_tree(self, chance: random.Random) -> None:
        self._tree = None
        with self.stopwatch.call("delete_recursive", TREE_LIMIT):
            self.library.delete_tree(self._garden)
        logger.debug("deleted")
        self.counts["recursive deletions"] += 1


class KeptErrors(logging.Handler):
    """Keeps the errors of the log: a library that goes on after one has a loss."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        self._errors.append(self.format(record))
