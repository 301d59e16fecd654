# Rendezvous hashing: the server with the highest score for a key. `zc.zk.providers.strategies` has
# the same score in Python.

cdef inline uint64_t _score(uint64_t mixed) noexcept:
    """The end of splitmix64."""
    mixed = (mixed ^ (mixed >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    mixed = (mixed ^ (mixed >> 27)) * <uint64_t>0x94D049BB133111EB
    return mixed ^ (mixed >> 31)


def highest_score(uint64_t key, bytes hashes not None):
    """Return the index, among hashes of 64 bits each, of that with the highest score for `key`.

    Of equals it is the first. Raises ValueError if there are none.
    """
    cdef Py_ssize_t count = len(hashes) // sizeof(uint64_t)
    cdef const char *packed = hashes
    cdef Py_ssize_t index, best = 0
    cdef uint64_t each, score, highest = 0
    if not count:
        raise ValueError("there are no hashes")
    for index in range(count):
        memcpy(&each, packed + index * sizeof(uint64_t), sizeof(uint64_t))
        score = _score(key ^ each)
        if index == 0 or score > highest:
            best, highest = index, score
    return best
