# Comparing watchers, which may run Python, and changing the registry, which does not.
# The reasons are in _watchers.pxi.

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
