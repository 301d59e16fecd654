# Which Python functions wait for which znode's events, for one handle.
#
# The C client is given one watch function for everything; this registry knows the watchers that an event is for.
# Watches are one-time: an event takes out what it is delivered to.
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
# Whatever may run Python (comparing watchers, letting go of them) works on tuples, which do not change,
# and begins again when they are others by the time its result is written down: compare and swap. An
# operation compares with each other watcher once, so that comparisons which set watches themselves do
# not have it begin again for ever. Paths are exact strs, whose comparison is C.

@cython.final
@cython.internal
cdef class Comparison:
    """A watcher, and what it has been found to be equal to."""

    cdef object watcher
    cdef dict known  # by id: the other one, which keeps its id from being another's, and the result

    cdef bint is_same(self, other) except -1:
        """Compare with a watcher. May run Python, once for each other watcher."""
        if other is self.watcher:
            return True
        if self.known is None:
            self.known = {}
        found = self.known.get(id(other))
        if found is None:
            found = self.known[id(other)] = (other, bool(other == self.watcher))
        return found[1]

    cdef Py_ssize_t place(self, tuple watchers) except -2:
        """Find its place, or -1."""
        cdef Py_ssize_t place
        if watchers is not None:
            for place in range(len(watchers)):
                if self.is_same(watchers[place]):
                    return place
        return -1


cdef Comparison comparison(watcher):
    cdef Comparison result = Comparison.__new__(Comparison)
    result.watcher = watcher
    return result


cdef tuple without(tuple watchers, Py_ssize_t place):
    return None if len(watchers) == 1 else watchers[:place] + watchers[place + 1:]


cdef int put(dict by_path, str path, tuple watchers) except -1:
    """Set the watchers of a path; None is for none.

    This runs no Python, as long as the caller holds on to what was there.
    """
    if watchers is not None:
        by_path[path] = watchers
    elif path in by_path:
        del by_path[path]
    return 0


@cython.final
@cython.internal
cdef class Removal:
    """The changes that forget a watcher, if nothing has changed by then."""

    cdef bint found
    cdef int last      # the kinds of which no other watcher is left
    cdef str path
    cdef list changes  # (watchers by path, those before, those after)

    cdef bint is_done(self) except -1:
        """Do it, if it is still right. Runs no Python."""
        cdef tuple change
        for change in self.changes:
            if (<dict>change[0]).get(self.path) is not change[1]:
                return False
        for change in self.changes:
            if change[1] is not change[2]:
                put(<dict>change[0], self.path, <tuple>change[2])
        return True


@cython.final
cdef class WatcherRegistry:
    """The watchers of one handle, by kind of watch and path."""

    cdef dict data_waiting, data_expected, children_waiting, children_expected

    def __cinit__(self):
        self.data_waiting = {}
        self.data_expected = {}
        self.children_waiting = {}
        self.children_expected = {}

    cdef dict waiting(self, int kind):
        return self.data_waiting if kind == constants.WATCH_DATA else self.children_waiting

    cdef dict expected(self, int kind):
        return self.data_expected if kind == constants.WATCH_DATA else self.children_expected

    cpdef expect(self, int kind, paths, watcher):
        """Note that a request for a watch is about to be sent."""
        cdef dict expected = self.expected(kind)
        cdef tuple alone = (watcher,)
        cdef tuple others, more
        cdef str path
        for path in paths:
            while True:
                others = expected.get(path)
                more = alone if others is None else others + alone
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
        cdef tuple alone = (watcher,)
        cdef Comparison ours = comparison(watcher)
        cdef tuple expects, fewer, waits, more
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
                    more = alone if waits is None else waits + alone
                if expected.get(path) is expects and waiting.get(path) is waits:
                    put(waiting, path, more)
                    put(expected, path, fewer)
                    break

    cpdef list take(self, int event_type, str path):
        """Take out the watchers that an event is for, each once."""
        cdef list found = []
        cdef tuple watchers
        if event_type in (constants.CREATED_EVENT, constants.CHANGED_EVENT, constants.DELETED_EVENT):
            watchers = self.data_waiting.pop(path, None)
            if watchers is not None:
                found += watchers
        if event_type in (constants.CHILD_EVENT, constants.DELETED_EVENT):
            watchers = self.children_waiting.pop(path, None)
            if watchers is not None:
                found += [watcher for watcher in watchers if watcher not in found]
        return found

    cpdef list all(self):
        """List all watchers that wait, each once: they are told of session events."""
        cdef dict found = {}
        for watchers in PyDict_Values(self.data_waiting) + PyDict_Values(self.children_waiting):
            found.update(dict.fromkeys(watchers))
        return list(found)

    cdef Removal removal(self, int kinds, str path, Comparison ours):
        """Find how to forget a watcher, so that no other one's watch goes with it."""
        cdef Removal result = Removal.__new__(Removal)
        cdef tuple before, after
        cdef bint is_in, others
        cdef list changes
        cdef int kind
        result.path = path
        result.changes = []
        for kind in (constants.WATCH_DATA, constants.WATCH_CHILDREN):
            if not kind & kinds:
                continue
            is_in = others = False
            changes = []
            for by_path in (self.waiting(kind), self.expected(kind)):
                before = (<dict>by_path).get(path)
                after = tuple([other for other in before if not ours.is_same(other)]) if before is not None else None
                is_in |= before is not None and len(after) < len(before)
                others |= before is not None and len(after) > 0
                changes.append((by_path, before, after or None))
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
        cdef tuple before, after
        cdef Py_ssize_t place
        for kind in (constants.WATCH_DATA, constants.WATCH_CHILDREN):
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
