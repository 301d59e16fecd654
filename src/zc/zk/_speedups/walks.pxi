# Walks over many nodes for plans.

def has_marks(Fields node):
    """Return whether a node, or one below it, has marks."""
    cdef list to_do = [node]
    cdef Fields child
    if node.marks is not None:
        return True
    while to_do:
        node = to_do.pop()
        for child in node._children.values() if node._children else ():
            if child.marks is not None:
                return True
            if child._children:
                to_do.append(child)
    return False


def new_nodes(Fields node, str path, make):
    """Return items of a plan for a node and all below it, in order.

    The first is `make(path, data, False)`, those below are nodes whose `data_may_wait`, and for others
    `make(path, data, True)`. `data` is the node itself where its `data_may_wait`.
    """
    cdef list made = [], to_do = [node]
    cdef Fields top = node
    cdef bint may_wait
    while to_do:
        node = to_do.pop()
        may_wait = node.data_may_wait
        if made and may_wait:
            made.append(node)
        else:
            where = path_below(node, top, path) if made else path
            made.append(make(where, node if may_wait else data_of(node), len(made) > 0))
        if not node._children:
            continue
        if len(node._children) == 1:  # as in a chain, where to sort would take longest of all
            to_do.extend(node._children.values())
        else:
            for name in sorted(node._children, reverse=True):
                to_do.append(node._children[name])
    return made


def explicit(items):
    """Return the items of a plan that are no nodes. Python's `isinstance` takes long to say no."""
    return [item for item in items if not isinstance(item, (OutlinedNode, Fields))]


def path_below(item, top, str path):
    """Return the path of a node below `top`, or of an outline, which is at the path `path`."""
    cdef list names = []
    cdef Fields node
    if isinstance(item, OutlinedNode):
        return (<OutlinedNode>item).outline.path((<OutlinedNode>item).number, path)
    node = item
    while node is not None and node is not top:
        names.append(node.name)
        node = node.parent
    names.append("" if path == "/" else path)
    names.reverse()
    return "/".join(names)
