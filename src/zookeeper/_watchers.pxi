# Which Python functions wait for which znode's events, for one handle.
#
# The C client is given one watch function for everything; this registry knows the watchers that an event is for.
# Most watches are one-time: an event takes out what it is delivered to. Those that stay (add_watch) go on
# waiting. A recursive one is for the nodes below as well, whose events come under their own paths; it is
# not told of children, as their events say the same. A server has one watch for a path, so a recursive
# one leaves out what one that is only persistent at the same path has to be told of its children; it is
# told when a child comes or goes.
#
# A watch has two stages. From when its request is sent until its answer has been handled it is
# *expected*; then it *waits*. Waiting begins on the handle's event thread, in the order in which the
# server set watches and sent events, so that an event that is older than a watch cannot use it up.
# Expecting matters to removals: the server keeps one watch for all of us at a path, and it must not be
# removed while the request of another watcher is still on its way. Therefore nothing comes between expecting a
# watch and sending its request, nor between the decision that the server's watch is not needed and
# sending its removal.
#
# There is no lock. A finaliser or a signal handler may set or remove a watch while its thread is in the
# middle of this, and would wait for its own thread. Python's lock does instead: what belongs together is
# done without running any Python, and without making an object that could start the garbage collector.
# Whatever may run Python (comparing watchers, letting go of them) works on what does not change, one watcher
# or a tuple, and begins again when it is another by the time its result is written down: compare and swap. An
# operation compares with each other watcher once, so that comparisons which set watches themselves do
# not have it begin again for ever. Paths are exact strs, whose comparison is C.

cdef enum:
    # Kinds of watch, a bit each: WATCH_CHILDREN and WATCH_DATA are two of them.
    ONE_TIME = 3
    PERSISTENT_KIND = 4
    RECURSIVE_KIND = 8
    STANDING = 12

cdef tuple EACH_KIND = (constants.WATCH_CHILDREN, constants.WATCH_DATA, PERSISTENT_KIND, RECURSIVE_KIND)


def kinds_of(kind):
    """Return the bits of the kinds that a WATCH_ constant stands for."""
    if kind == constants.WATCH_ANY:
        return ONE_TIME | STANDING
    return RECURSIVE_KIND if kind == constants.WATCH_PERSISTENT_RECURSIVE else kind


cdef int add_others(list found, watchers) except -1:
    if is_alone(watchers):
        if watchers not in found:
            found.append(watchers)
    elif watchers is not None:
        found += [watcher for watcher in watchers if watcher not in found]
    return 0


cdef str parent_of(str path):
    return path[:path.rindex("/")] or "/"


@cython.final
cdef class WatcherRegistry:
    """The watchers of one handle, by kind of watch and path."""

    cdef dict data_waiting, data_expected, children_waiting, children_expected
    cdef dict persistent_waiting, persistent_expected, recursive_waiting, recursive_expected
    # The modes of watches that stay and that the server may have, by path. One is kept when its last
    # watcher has gone, for as long as one-time watchers there rely on it.
    cdef readonly dict at_server

    def __cinit__(self):
        self.data_waiting = {}
        self.data_expected = {}
        self.children_waiting = {}
        self.children_expected = {}
        self.persistent_waiting = {}
        self.persistent_expected = {}
        self.recursive_waiting = {}
        self.recursive_expected = {}
        self.at_server = {}

    cdef dict waiting(self, int kind):
        if kind == constants.WATCH_DATA:
            return self.data_waiting
        if kind == constants.WATCH_CHILDREN:
            return self.children_waiting
        return self.persistent_waiting if kind == PERSISTENT_KIND else self.recursive_waiting

    cdef dict expected(self, int kind):
        if kind == constants.WATCH_DATA:
            return self.data_expected
        if kind == constants.WATCH_CHILDREN:
            return self.children_expected
        return self.persistent_expected if kind == PERSISTENT_KIND else self.recursive_expected

    cpdef expect(self, int kind, paths, watcher):
        """Note that a request for a watch is about to be sent."""
        cdef dict expected = self.expected(kind)
        cdef object others, more
        cdef str path
        for path in paths:
            while True:
                others = expected.get(path)
                more = with_another(others, watcher)
                if expected.get(path) is others:
                    expected[path] = more
                    break

    cpdef settle(self, int kind, paths, watcher, bint is_set):
        """Have the watcher wait if the watch was set and not removed since.

    The answer to its request is there.

        A watcher that waits at a path already is not added twice.
        """
        cdef dict expected = self.expected(kind)
        cdef dict waiting = self.waiting(kind)
        cdef Comparison ours = comparison(watcher)
        cdef object expects, fewer, waits, more
        cdef Py_ssize_t place
        cdef str path
        for path in paths:
            while True:
                expects, waits = expected.get(path), waiting.get(path)
                place = ours.place(expects)
                if place < 0:
                    break
                fewer, more = without(expects, place), waits
                if is_set and ours.place(waits) < 0:
                    more = with_another(waits, watcher)
                if expected.get(path) is expects and waiting.get(path) is waits:
                    put(waiting, path, more)
                    put(expected, path, fewer)
                    break

    cpdef list take(self, int event_type, str path, bint outside=False):
        """List the watchers that an event is for, each once.

        One-time ones are taken out.

        outside: the node is not below the root of all paths.
        """
        cdef list found = []
        if event_type == constants.NOTWATCHING_EVENT:
            add_others(found, self.persistent_waiting.pop(path, None))
            add_others(found, self.recursive_waiting.pop(path, None))
            return found
        if event_type in (constants.CREATED_EVENT, constants.CHANGED_EVENT, constants.DELETED_EVENT):
            add_others(found, self.data_waiting.pop(path, None))
        if event_type in (constants.CHILD_EVENT, constants.DELETED_EVENT):
            add_others(found, self.children_waiting.pop(path, None))
        if self.persistent_waiting:
            add_others(found, self.persistent_waiting.get(path))
        if self.recursive_waiting and event_type != constants.CHILD_EVENT and not outside:
            add_others(found, self.recursive_waiting.get(path))
            while path != "/":
                path = parent_of(path)
                add_others(found, self.recursive_waiting.get(path))
        return found

    cpdef tuple of_parent(self, int event_type, str path):
        """List the watchers to be told of the parent's children, and its path."""
        cdef str parent
        if (
            self.persistent_waiting
            and self.recursive_waiting
            and event_type in (constants.CREATED_EVENT, constants.DELETED_EVENT)
            and path != "/"
        ):
            parent = parent_of(path)
            if parent in self.recursive_waiting:
                return as_tuple(self.persistent_waiting.get(parent)), parent
        return (), None

    cpdef int mode(self, str path):
        """Return the mode of the watch that is to stay at a path, or -1."""
        if path in self.recursive_waiting or path in self.recursive_expected:
            return constants.PERSISTENT_RECURSIVE
        if path in self.persistent_waiting or path in self.persistent_expected:
            return constants.PERSISTENT
        return -1

    cpdef int present(self, str path):
        """Return the kinds of watch that anybody waits for at a path, or is about to."""
        cdef int kinds = 0
        for kind in EACH_KIND:
            if path in self.waiting(kind) or path in self.expected(kind):
                kinds |= kind
        return kinds

    cpdef int removable(self, str path, int kinds):
        """Return those of some kinds of watch that there may be at a path."""
        return kinds & (self.present(path) if path in self.at_server else ONE_TIME)

    cpdef int left_out(self, str path):
        """Return the one-time kinds that must not be asked for.

        One that stays does for them.
        """
        if path not in self.at_server:
            return 0
        return constants.WATCH_DATA if self.at_server[path] == constants.PERSISTENT_RECURSIVE else ONE_TIME

    cpdef list all(self):
        """List all watchers that wait, each once: they are told of session events."""
        cdef dict found = {}
        for kind in EACH_KIND:
            for watchers in PyDict_Values(self.waiting(kind)):
                found.update(dict.fromkeys(as_tuple(watchers)))
        return list(found)

    cdef Removal removal(self, int kinds, str path, Comparison ours):
        """Find how to forget a watcher, so that no other one's watch goes with it."""
        cdef Removal result = Removal.__new__(Removal)
        cdef object before
        cdef tuple now, after
        cdef bint is_in, others
        cdef list changes
        cdef int kind
        result.path = path
        result.changes = []
        for kind in EACH_KIND:
            if not kind & kinds:
                continue
            is_in = others = False
            changes = []
            for by_path in (self.waiting(kind), self.expected(kind)):
                before = (<dict>by_path).get(path)
                now = as_tuple(before)
                after = tuple([other for other in now if not ours.is_same(other)])
                is_in |= len(after) < len(now)
                others |= len(after) > 0
                changes.append((by_path, before, in_short(after)))
            if is_in and not others:
                # Waiting watchers are in until the server's watch is gone: `forget`.
                result.last |= kind
                changes = [(by_path, before, before) for by_path, before, _ in changes]
            elif not is_in:
                changes = [(by_path, before, before) for by_path, before, _ in changes]
            result.found |= is_in
            result.changes += changes
        return result

    def remove(self, int kinds, str path, watcher):
        """Forget a watcher.

        Returns the kinds of which none is left at the path, so that the server's watch can go
        too: their watchers are still in, until `forget`. None if the watcher was in none of them.
        """
        cdef Comparison ours = comparison(watcher)
        cdef Removal removal
        while True:
            removal = self.removal(kinds, path, ours)
            if removal.is_done():
                return removal.last if removal.found else None

    cpdef forget(self, int kinds, str path, watcher):
        """Forget one watcher that waited, or all (None): the server's watch is gone.

        A watcher that is still expected asked for a watch after this one was removed.
        """
        cdef Comparison ours = comparison(watcher)
        cdef dict waiting
        cdef object before, after
        cdef Py_ssize_t place
        for kind in EACH_KIND:
            if not kind & kinds:
                continue
            waiting = self.waiting(kind)
            while True:
                before = waiting.get(path)
                place = 0 if watcher is None else ours.place(before)
                if before is None or place < 0:
                    break
                after = None if watcher is None else without(before, place)
                if waiting.get(path) is before:
                    put(waiting, path, after)
                    break
