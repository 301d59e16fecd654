# Nodes that leave their properties in the text.

# Text of so many characters is short as JSON, too, even if all of it is escaped; and if none is.
cdef enum:
    MAX_WAITING = 20000
    MAX_WAITING_AS_IT_IS = 100000

cdef enum:
    # Longer names make paths that no request may hold, which is to be found before anything is sent.
    MAX_NAME_WAITING = 1000


@cython.final
@cython.no_gc
cdef class Source:
    """A text of nodes, a string for each name of a property, a writer of values."""

    cdef str text
    cdef dict names
    cdef object to_json


cdef class Fields:
    """The fields of a node of a parsed tree; see `zc.zk.tree.model.ParseNode`."""

    cdef public object name, parent, raw, layout, marks
    cdef object _children  # None until a caller asks for them: most nodes have none
    cdef object _properties
    # Until a caller asks for the properties: where they stand in the text, one a line, and how
    # many. The type is the one behind the node's name.
    cdef Source source
    cdef str node_type
    cdef Py_ssize_t start, end, count
    # The values of lines with other than plain literals, in order; None if there are none.
    cdef list values

    @property
    def children(self):
        cdef dict none
        if self._children is None:
            none = {}
            if self._children is None:  # still: a finaliser may have come in between
                self._children = none
        return self._children

    @children.setter
    def children(self, children):
        self._children = children

    @property
    def properties(self):
        if self.source is not None:
            self.properties = self.read_properties(self.source, self.values)
        return self._properties

    @properties.setter
    def properties(self, properties):
        self._properties = properties
        self.source = self.values = None

    @property
    def data_may_wait(self):
        """Whether short data can be made of the text at any time, with success.

        The node's name and data are then known to be good.
        """
        return (
            self.source is not None
            and self.values is None
            and self.raw is None
            and self.layout is None
            and self.end - self.start <= MAX_WAITING
            and (self.name is None or len(self.name) <= MAX_NAME_WAITING)
        )

    def plain_data(self):
        """Return the data of the node if the text tells them at once, else None."""
        return self.data_in_text()

    cdef object data_in_text(self):
        # Another thread may ask for the properties while a value is made into JSON.
        cdef Source source = self.source
        cdef Span node_type
        if source is None or self.raw is not None or self.layout is not None:
            return None
        span_of(&node_type, "" if self.node_type is None else self.node_type)
        return json_of_lines(
            source.text, &node_type, self.start, self.end, self.values, source.to_json
        )

    cdef dict read_properties(self, Source source, list values):
        cdef dict properties = {}
        cdef Py_ssize_t literals = 0
        cdef Line line
        if self.node_type is not None:
            properties["type"] = self.node_type
        line.start = self.start
        look_into(&line, source.text)
        while line.start < self.end:
            look(&line)
            if line.value_kind == LITERAL:
                value = values[literals]
                literals += 1
            else:
                value = value_of(source.text, &line)
            PyDict_SetItem(properties, key_of(source, &line), value)
            line.start = line.end + 1
        return properties


cdef str key_of(Source source, Line *line):
    """Return a property's name, equal ones as one string: a tree has few."""
    cdef str key = PyUnicode_Substring(source.text, line.name, line.name_end)
    cdef PyObject *known
    if line.value_kind == SYMBOLIC_LINK:
        key += " ->"
    known = PyDict_GetItem(source.names, key)
    if known is not NULL:
        return <str>known
    PyDict_SetItem(source.names, key, key)
    return key


cdef bint take_item(Item *item, Line *line) except -1:
    """Take the line's property, for JSON; False if it is not plain.

    The caller has put there the value of a LITERAL or NESTED line.
    """
    place(&item.key, line, line.name, line.name_end)
    if is_key(&item.key, b"string_value"):
        return False
    item.is_link = line.value_kind == SYMBOLIC_LINK
    item.is_text = item.is_link or line.value_kind == STRING
    # Names of properties and links are plain, and JSON is written as it is.
    item.is_plain = line.value_kind != STRING or line.is_plain
    if line.value_kind in (TRUE, FALSE, NONE):
        spell(item, JSON_WORDS[<int>line.value_kind - <int>TRUE])
    elif line.value_kind != LITERAL and line.value_kind != NESTED:
        place(&item.value, line, line.value, line.value_end)
    return decimal_of(item) if line.value_kind == DECIMAL else True


cdef str json_of_lines(
    str text, const Span *node_type, Py_ssize_t start, Py_ssize_t end, list values, to_json
):
    """Return the data for plain lines of properties, "" for none; None if that is difficult.

    `values` are those of LITERAL lines, in order. The type, if it is not empty, is one more property.
    """
    cdef Item items[MAX_PROPERTIES]
    cdef Py_ssize_t count = 0, literals = 0
    cdef list texts  # which items refer to
    cdef Line line
    cdef str made
    if start < end and values is None and node_type.end == node_type.start:
        made = json_in_order(text, start, end)
        if made is not None:
            return made
    texts = []
    if node_type.end > node_type.start:
        span_of(&items[0].key, "type")
        items[0].value = node_type[0]
        items[0].is_link = False
        items[0].is_text = True
        items[0].is_plain = is_plain(node_type)
        count = 1
    line.start = start
    look_into(&line, text)
    while line.start < end:
        look(&line)
        if line.value_kind == LITERAL or line.value_kind == NESTED:
            if line.value_kind == NESTED:
                value = json_of(&line)
            else:
                value = to_json(values[literals])
                literals += 1
            if len(value) > MAX_NESTED:
                return None
            texts.append(value)
            span_of(&items[count].value, value)
        if not take_item(&items[count], &line):
            return None
        count += 1
        line.start = line.end + 1
    return compact(items, count) if count else ""


cdef Fields new_fields(node_class):
    """Make a node, as its class does it, without a call of `__init__`."""
    return <Fields>(<PyTypeObject *>node_class).tp_new(node_class, <PyObject *>(), NULL)


def is_same(Fields node, found, Py_ssize_t known=0):
    """Return whether found nodes are `node` of a parsed tree and all below it.

    Those found have the attributes of a Znode, and come depth first, children sorted by name. Data
    in another layout are not the same here, nor are null ones, which unreadable nodes seem to have:
    no is only the beginning of an answer. The text of the tree begins with what an export writes of
    the first `known` nodes. Later lines can be about the last of these and those above it, and about
    ephemeral ones, which an export leaves out.
    """
    cdef list to_come = [node], depths = [0]
    cdef Py_ssize_t depth, count = 0
    for each in found:
        count += 1
        if not to_come:
            return False
        node = to_come.pop()
        depth = depths.pop()
        if each.depth != depth or (depth and each.name != node.name):
            return False
        if count >= known or node._children or each.ephemeralOwner != 0:
            data = each.data
            if data is None or data != data_of(node):
                return False
        if node._children:
            for name in sorted(node._children, reverse=True):
                to_come.append(node._children[name])
                depths.append(depth + 1)
    return not to_come


cdef object data_of(Fields node):
    data = node.data_in_text()
    return (<object>node).data if data is None else data
