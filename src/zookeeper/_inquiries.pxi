# More that servers tell: of a session, of all nodes below one, and of the ensemble.

cdef tuple sorted_names_results(call *c):
    return (sorted(names_of(&c.names)) if c.code == ZOK else None,)


cdef tuple number_results(call *c):
    return (c.number if c.code == ZOK else None,)


cdef tuple identities_results(call *c):
    if c.code != ZOK:
        return (None,)
    return ([(entry["scheme"], entry["id"]) for entry in acl_of(&c.acl)],)


def get_ephemerals(h, path="/", *, timeout=None):
    """Return the paths of the session's own ephemeral nodes at or below a path.

    They are sorted. Raises UnimplementedException with servers before 3.6.
    """
    cdef Handle handle = find(h)
    return answer(handle, request_of(OP_GET_EPHEMERALS, path), sorted_names_results, None, timeout)[0]


def aget_ephemerals(h, path="/", completion=None):
    """Do as get_ephemerals does, and call `completion(handle, code, paths)`."""
    cdef Handle handle = find(h)
    cdef Context context = completion_context(None, completion, sorted_names_results)
    return ask_later(handle, request_of(OP_GET_EPHEMERALS, path), context)


def get_all_children_number(h, path, *, timeout=None):
    """Count the nodes below a node, at any depth.

    Raises UnimplementedException with servers before 3.6. The server looks at each node it has.
    """
    cdef Handle handle = find(h)
    return answer(handle, request_of(OP_GET_ALL_CHILDREN_NUMBER, path), number_results, None, timeout)[0]


def aget_all_children_number(h, path, completion=None):
    """Do as get_all_children_number does.

    It calls `completion(handle, code, number)`.
    """
    cdef Handle handle = find(h)
    cdef Context context = completion_context(None, completion, number_results)
    return ask_later(handle, request_of(OP_GET_ALL_CHILDREN_NUMBER, path), context)


cdef Request whoami_request():
    cdef Request request = Request.__new__(Request)
    request.where = b""
    request.op.op = OP_WHO_AM_I
    return request


def whoami(h, *, timeout=None):
    """Return what the server takes the session for, as `(scheme, id)`.

    The id of the scheme `digest` is the user's name. Raises UnimplementedException with servers before 3.7.
    """
    return answer(find(h), whoami_request(), identities_results, None, timeout)[0]


def awhoami(h, completion=None):
    """Do as whoami does, and call `completion(handle, code, identities)`."""
    return ask_later(find(h), whoami_request(), completion_context(None, completion, identities_results))


cdef bytes server_list(text, str what):
    if text is None:
        return None
    cdef bytes value = encoded(text, what, CONFIG_NODE)
    if b"\0" in value:
        raise errors.error(constants.BADARGUMENTS, CONFIG_NODE, f"{what} must not hold a null character")
    return value


cdef Request reconfig_request(joining, leaving, members, version):
    cdef Request request = Request.__new__(Request)
    if (members is None) == (joining is None and leaving is None):
        raise errors.error(
            constants.BADARGUMENTS, CONFIG_NODE, "either members, or servers that join or leave, are needed"
        )
    if isinstance(version, bool) or not isinstance(version, int):
        raise TypeError(f"a version must be an int, not {type(version).__name__}")
    request.path = CONFIG_NODE
    request.where = server_list(joining, "joining")
    request.data = server_list(leaving, "leaving")
    request.members = server_list(members, "members")
    request.op.op = OP_RECONFIG
    request.op.joining = data_pointer(request.where)
    request.op.leaving = data_pointer(request.data)
    request.op.members = data_pointer(request.members)
    request.op.config = version
    return request


def reconfig(h, joining=None, leaving=None, members=None, version=-1, *, timeout=None):
    """Change the ensemble, and return its new configuration and its stat.

    joining: servers as in a configuration, `server.4=host:2888:3888:participant;2181`, by commas.
    leaving: numbers of servers, by commas.
    members: all servers, in the place of these two.
    version: that of the present configuration, as it says in its last line; -1 for any.

    The session needs the permission to write `/zookeeper/config`, and the servers `reconfigEnabled`.
    Raises UnimplementedException with a server that is alone, and with servers before 3.5.
    """
    cdef Handle handle = find(h)
    return answer(handle, reconfig_request(joining, leaving, members, version), data_results, None, timeout)


def areconfig(h, joining=None, leaving=None, members=None, version=-1, completion=None):
    """Do as reconfig does, and call `completion(handle, code, data, stat)`."""
    cdef Handle handle = find(h)
    cdef Context context = completion_context(None, completion, data_results)
    return ask_later(handle, reconfig_request(joining, leaving, members, version), context)
