# Comparing watchers, which may run Python, and changing the registry, which does not.
# The reasons are in _watchers.pxi.
#
# The watchers of a path are None, the only one itself, as there may be very many, or a tuple.

cdef inline bint is_alone(watchers) except -1:
    return watchers is not None and type(watchers) is not tuple


cdef inline tuple as_tuple(watchers):
    return (watchers,) if is_alone(watchers) else watchers or ()


cdef inline object in_short(tuple watchers):
    """Return the watchers of a path as they are kept."""
    if not watchers:
        return None
    return watchers[0] if len(watchers) == 1 and is_alone(watchers[0]) else watchers

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

    cdef Py_ssize_t place(self, watchers) except -2:
        """Find its place, or -1."""
        cdef Py_ssize_t place
        if is_alone(watchers):
            return 0 if self.is_same(watchers) else -1
        if watchers is not None:
            for place in range(len(<tuple>watchers)):
                if self.is_same((<tuple>watchers)[place]):
                    return place
        return -1


cdef Comparison comparison(watcher):
    cdef Comparison result = Comparison.__new__(Comparison)
    result.watcher = watcher
    return result


cdef object without(watchers, Py_ssize_t place):
    if is_alone(watchers):
        return None
    return in_short((<tuple>watchers)[:place] + (<tuple>watchers)[place + 1:])


cdef object with_another(watchers, watcher):
    return in_short((watcher,)) if watchers is None else as_tuple(watchers) + (watcher,)


cdef int put(dict by_path, str path, watchers) except -1:
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
                put(<dict>change[0], self.path, change[2])
        return True
