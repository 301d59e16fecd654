# Conversion between Python's values and the C client's.

cdef str text_of(const char *value, Py_ssize_t length):
    return PyUnicode_DecodeUTF8(value, length, "surrogateescape")


cdef object data_of(const char *value, int length):
    """Convert node data; null data, which is not empty data, gives None."""
    return None if length < 0 else text_of(value, length)


cdef dict stat_of(const Stat *stat):
    return {
        "czxid": stat.czxid,
        "mzxid": stat.mzxid,
        "ctime": stat.ctime,
        "mtime": stat.mtime,
        "version": stat.version,
        "cversion": stat.cversion,
        "aversion": stat.aversion,
        "ephemeralOwner": stat.ephemeralOwner,
        "dataLength": stat.dataLength,
        "numChildren": stat.numChildren,
        "pzxid": stat.pzxid,
    }


cdef bytes packed_stat_of(const Stat *stat):
    """Return the stat as `struct Stat` lies in memory."""
    return (<const char *>stat)[:sizeof(Stat)]


cdef list names_of(const String_vector *names):
    cdef int32_t i
    return [text_of(names.data[i], strlen(names.data[i])) for i in range(names.count)]


cdef list acl_of(const ACL_vector *acl):
    return entries_of(acl.data, acl.count)


cdef list entries_of(const ACL *entries, Py_ssize_t count):
    cdef Py_ssize_t i
    return [
        {
            "perms": entries[i].perms,
            "scheme": text_of(entries[i].id.scheme, strlen(entries[i].id.scheme)),
            "id": text_of(entries[i].id.id, strlen(entries[i].id.id)),
        }
        for i in range(count)
    ]


cdef str exact(text):
    """Return a plain str: comparing one of a subclass might run Python."""
    if not isinstance(text, str):
        raise TypeError(f"a path must be str, not {type(text).__name__}")
    return <str>text if PyUnicode_CheckExact(text) else PyUnicode_FromObject(text)


cdef inline bint is_ascii_text(object value):
    """Tell whether text is UTF-8 as it lies in memory, and need not be copied."""
    return PyUnicode_CheckExact(value) and PyUnicode_IS_ASCII(value)


cdef bytes encoded(object value, str what, object path):
    """Encode text as UTF-8, leave bytes as they are.

    Text that the binding has returned becomes the same bytes again.
    """
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise TypeError(f"{what} must be str or bytes, not {type(value).__name__}")
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as problem:
        raise errors.error(
            constants.BADARGUMENTS, path, f"{what} cannot be written as UTF-8: {problem.reason}"
        ) from None


cdef bytes encoded_path(object path, bint sequential=False):
    if not isinstance(path, str):
        raise TypeError(f"a path must be str, not {type(path).__name__}")
    cdef bytes value = encoded(path, "a path", path)
    cdef uint32_t character
    cdef const char *fault = path_fault(value, PyBytes_GET_SIZE(value), sequential, &character)
    if fault is not NULL:
        detail = fault.decode("ascii") + (f" U+{character:04X}" if character else "")
        raise errors.error(constants.BADARGUMENTS, path, detail)
    return value


cdef bytes encoded_data(object data, object path):
    return None if data is None else encoded(data, "data", path)


cdef const char *data_pointer(bytes data) noexcept:
    return NULL if data is None else PyBytes_AS_STRING(data)


cdef Py_ssize_t data_size(bytes data) noexcept:
    return 0 if data is None else PyBytes_GET_SIZE(data)


cdef int data_length(bytes data) noexcept:
    """Return the length as the C client wants it; check_size has to follow."""
    return -1 if data is None else <int>PyBytes_GET_SIZE(data)


# A frame's length is a C int in the protocol.
cdef long MAX_REQUEST = 2 ** 31 - 1


cdef long request_limit(max_request) except -1:
    """Check the servers' jute.maxbuffer, so that all lengths fit in a C int."""
    if isinstance(max_request, bool) or not isinstance(max_request, int):
        raise TypeError(f"max_request must be an int, not {type(max_request).__name__}")
    if not 0 < max_request <= MAX_REQUEST:
        raise errors.error(
            constants.BADARGUMENTS, None, f"max_request must be a number of bytes below 2 ** 31: {max_request}"
        )
    return max_request


cdef int integer(object value, str what) except? -32000:
    """Convert an int to a C int; a float or a bool is a mistake."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} must be an int, not {type(value).__name__}")
    if not -2 ** 31 <= value < 2 ** 31:
        raise OverflowError(f"{what} does not fit in 32 bits: {value}")
    return value


cdef int checked_callable(object value, str what) except -1:
    if value is not None and not callable(value):
        raise TypeError(f"{what} must be callable or None: {value!r}")
    return 0


# Of one access control list: more do not fit in any request.
cdef Py_ssize_t MAX_ENTRIES = MAX_REQUEST // 12


@cython.final
@cython.internal
cdef class AclVector:
    """An access control list as the C client wants it."""

    cdef ACL_vector vector
    cdef list strings  # owns what the entries point to
    cdef object made_of

    def __cinit__(self, acl, path):
        cdef int32_t i
        cdef list entries
        if not isinstance(acl, (list, tuple)):
            raise invalid_acl(path, f"it is a list of dicts, not {type(acl).__name__}")
        entries = list(acl)  # whose length stays as it is, whatever looking at it does
        if not entries:
            raise invalid_acl(path, "it is empty")
        if len(entries) > MAX_ENTRIES:
            raise invalid_acl(path, f"it has {len(entries)} entries")
        self.made_of = [entry.copy() if isinstance(entry, dict) else entry for entry in entries]
        if isinstance(acl, tuple):
            self.made_of = tuple(self.made_of)
        self.strings = []
        self.vector.data = <ACL *>calloc(len(entries), sizeof(ACL))
        if self.vector.data is NULL:
            raise MemoryError
        self.vector.count = <int32_t>len(entries)
        for i, entry in enumerate(entries):
            self.vector.data[i].perms = acl_perms(entry, i, path)
            self.vector.data[i].id.scheme = self.field(entry, "scheme", i, path)
            self.vector.data[i].id.id = self.field(entry, "id", i, path)

    cdef char *field(self, entry, str name, int32_t i, path) except NULL:
        value = entry.get(name)
        if not isinstance(value, (str, bytes)):
            raise invalid_acl(path, f"entry {i}: {name} must be text, not {type(value).__name__}")
        cdef bytes text = encoded(value, name, path)
        if b"\0" in text:
            raise invalid_acl(path, f"entry {i}: {name} must not hold a null character")
        self.strings.append(text)
        return PyBytes_AS_STRING(text)

    cdef bint is_of(self, acl) except -1:
        """Tell whether it is still what `acl` says: a list may have changed."""
        return self.made_of == acl

    def __dealloc__(self):
        free(self.vector.data)


cdef object invalid_acl(path, str why):
    return errors.error(constants.INVALIDACL, path, why)


# No message shows an id: that of a digest tells of the password.
cdef int32_t acl_perms(entry, int32_t i, path) except? -1:
    if not isinstance(entry, dict):
        raise invalid_acl(path, f"entry {i}: it is a dict with perms, scheme and id, not {type(entry).__name__}")
    if not entry.keys() >= {"perms", "scheme", "id"}:
        raise invalid_acl(path, f"entry {i}: it needs perms, scheme and id, and has {', '.join(map(repr, entry))}")
    perms = entry["perms"]
    if isinstance(perms, bool) or not isinstance(perms, int) or not 0 <= perms <= constants.PERM_ALL:
        raise invalid_acl(path, f"entry {i}: perms must be a sum of PERM_ constants, not {perms!r}")
    return perms


cdef clientid_t client_id_of(client_id) except *:
    cdef clientid_t result
    memset(&result, 0, sizeof(result))
    try:
        number, password = client_id
        result.client_id = number
    except (TypeError, ValueError, OverflowError):
        raise TypeError(
            f"client_id must be a pair of a session id and a password, not {type(client_id).__name__}"
        ) from None
    cdef bytes secret = encoded(password, "a session's password", None)
    if len(secret) > <Py_ssize_t>sizeof(result.passwd):
        raise TypeError(f"a session's password has at most {sizeof(result.passwd)} bytes")
    memcpy(result.passwd, PyBytes_AS_STRING(secret), len(secret))
    return result


cdef object error_of(int code, path):
    return errors.error(code, path)


cdef object unsent(int code, path, lacking=None):
    """Make the exception for a request that was refused before it was sent."""
    return errors.error(
        code, path, lacking if code == constants.UNIMPLEMENTED else None, may_have_happened=False
    )
