# A mapping that has one entry, as a rule, of which there are very many.

cdef extern from "Python.h":
    int PyGC_Disable()
    int PyGC_Enable()


cdef object _MANY = object()


@cython.final
cdef class FewEntries:
    """A mapping in the order of its entries, small while it has one at most.

    It has a dictionary from the second entry on, and is a quarter of one before. Keys are other
    than None, and compare without code in Python. Then each of its operations is one step, as a
    dictionary's is: to set an entry starts no search for garbage, whose finalisers could come back
    to it. Iteration is over the state at its beginning.
    """

    cdef object key  # of the only entry; None if there is none; or _MANY
    cdef object value  # its value; or the dictionary

    def __len__(self):
        if self.key is _MANY:
            return len(<dict>self.value)
        return self.key is not None

    def __contains__(self, key):
        if self.key is _MANY:
            return key in <dict>self.value
        return _is_key(self.key, key)

    def __getitem__(self, key):
        cdef object value = self.value
        if self.key is _MANY:
            return (<dict>value)[key]
        if _is_key(self.key, key):
            return value
        raise KeyError(key)

    def get(self, key):
        """Return the value of an entry, or None if there is none."""
        cdef object value = self.value
        if self.key is _MANY:
            return (<dict>value).get(key)
        return value if _is_key(self.key, key) else None

    def __setitem__(self, key, value):
        cdef object former_key = self.key, former = self.value  # they go when all is done
        cdef dict entries
        if key is None:
            raise TypeError("None is no key")
        if former_key is _MANY:
            (<dict>former)[key] = value
        elif former_key is None:
            self.key, self.value = key, value
        elif _is_key(former_key, key):
            self.value = value
        else:
            entries = _dictionary(former_key, former)
            entries[key] = value
            self.key, self.value = _MANY, entries

    def __delitem__(self, key):
        cdef object only = self.key, former = self.value  # they go when all is done
        if only is _MANY:
            del (<dict>former)[key]
        elif _is_key(only, key):
            self.key = self.value = None
        else:
            raise KeyError(key)

    def __iter__(self):
        return iter(self.keys())

    def keys(self):
        """Return a list of the keys."""
        cdef object key = self.key
        if key is _MANY:
            return list(<dict>self.value)
        return [] if key is None else [key]

    def values(self):
        """Return a list of the values."""
        cdef object key = self.key, value = self.value
        if key is _MANY:
            return list((<dict>value).values())
        return [] if key is None else [value]

    def items(self):
        """Return a list of the keys with their values."""
        cdef object key = self.key, value = self.value
        if key is _MANY:
            return list((<dict>value).items())
        return [] if key is None else [(key, value)]


cdef inline bint _is_key(object known, object key) except -1:
    return known is not None and PyObject_RichCompareBool(known, key, Py_EQ)


cdef dict _dictionary(object key, object value):
    """Return a dictionary of one entry, without a search for garbage on the way."""
    cdef bint was_enabled = PyGC_Disable()
    try:
        return {key: value}
    finally:
        if was_enabled:
            PyGC_Enable()
