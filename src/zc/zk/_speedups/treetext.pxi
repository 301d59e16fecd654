# Nodes of a server into tree text, hundreds at a time.

cdef enum:
    # Characters that are written before it is their turn, and are kept until then.
    MAX_AHEAD = 16000000

cdef enum:
    # In the place of a length.
    NOT_WRITTEN = -1
    NOT_ASCII = -2


cdef struct Piece:
    # The text of a node.
    Py_ssize_t start, length


@cython.final
@cython.no_gc
cdef class TreeText:
    """The text of nodes, which come depth first.

    Nodes have the attributes of a Znode. The top is written under `top_name`, or not at all if that is
    blank, and nodes of the path `reserved`, and below, are not plain. Plain nodes are written by the
    rules of `zc.zk.tree.render`; of any other one `other(node)` returns the text. `decode` is that
    of `render_data`.
    """

    cdef str top_name, reserved
    cdef object decode, other
    cdef list parts  # what is before the text
    cdef TextRoom room
    cdef str lead  # what the deepest line so far began with
    cdef object node_type  # of the last node
    cdef LookAt look_at  # NULL: its attributes tell

    def __init__(self, str top_name, str reserved, decode, other):
        self.top_name, self.reserved = top_name, reserved
        self.decode, self.other = decode, other
        self.parts = []
        self.room = TextRoom()
        self.lead = "\n" + 64 * " "

    def add(self, nodes):
        """Write the text of nodes, and return how many there were."""
        cdef Py_ssize_t count = 0
        for node in nodes:
            count += 1
            self.add_node(node)
        return count

    def add_written(self, tree, bytes arrivals, TextAhead ahead, Py_ssize_t first, Py_ssize_t end):
        """Write the nodes of a subtree from `first` to `end`, most of which are there ahead.

        `arrivals` are the tree's.
        """
        cdef const int64_t *numbers = <const int64_t *><const char *>arrivals
        cdef const Piece *piece
        cdef Piece run  # neighbours in both orders, which are copied together
        cdef Py_ssize_t place
        run.start = run.length = 0
        for place in range(first, min(end, <Py_ssize_t>(len(arrivals) // sizeof(int64_t)))):
            piece = ahead.piece(numbers[place])
            if piece is not NULL and piece.length >= 0:
                if piece.start != run.start + run.length:
                    self.add_run(ahead, &run)
                    run.start, run.length = piece.start, 0
                run.length += piece.length
                continue
            self.add_run(ahead, &run)
            run.length = 0
            if piece is NULL or piece.length == NOT_WRITTEN:
                self.add_node(tree[place])
            else:
                self.add_text(ahead.others[numbers[place]])
        self.add_run(ahead, &run)

    def take_over(self, bytes arrivals, TextAhead ahead):
        """Begin with all the text that is there ahead, if it is in order.

        Return of how many nodes it is. It is not copied. `arrivals` are as for add_written.
        """
        cdef const int64_t *numbers = <const int64_t *><const char *>arrivals
        cdef Py_ssize_t place, count = ahead.count
        if self.parts or self.room.length or count * <Py_ssize_t>sizeof(int64_t) > len(arrivals):
            return 0
        for place in range(count):
            if numbers[place] != place or ahead.pieces[place].length < 0:
                return 0
        self.room, ahead.text.room = ahead.text.room, self.room
        ahead.count = 0
        return count

    cdef int add_run(self, TextAhead ahead, const Piece *run) except -1:
        if run.length:
            memcpy(self.room.space(run.length), ahead.characters() + run.start, run.length)
        return 0

    cdef int add_node(self, node) except -1:
        if not self.add_plain(node):
            self.add_text(self.other(node))
        return 0

    def whole(self):
        """Return the text of all nodes. Nothing is left here."""
        self.cut()
        cdef list parts = self.parts
        self.parts = []
        return parts[0] if len(parts) == 1 else "".join(parts)

    cdef bint add_plain(self, node) except -1:
        """Write the text of a node, or return that it is not plain."""
        cdef NodeRow row
        if type(node) is not self.node_type:
            self.node_type = type(node)
            self.look_at = look_of(self.node_type)
        if self.look_at is NULL:
            return self.add_by_attributes(node)
        if self.look_at(<PyObject *>node, &row) != 0 or row.owner or row.length < 0:
            return False
        if self.reserved is not None and is_row_at_or_below(&row, self.reserved):
            return False
        if row.depth == 0:
            row.name, row.name_length = characters_of(self.top_name), len(self.top_name)
            if not PyUnicode_IS_ASCII(self.top_name):
                return False
        return self.add_named(row.depth, row.name, row.name_length, row.data, row.length)

    cdef bint add_by_attributes(self, node) except -1:
        cdef Py_ssize_t depth = node.depth
        cdef str name = self.top_name if depth == 0 else node.name
        cdef str data = node.data
        if data is None or not PyUnicode_IS_ASCII(data) or not PyUnicode_IS_ASCII(name):
            return False
        if self.reserved is not None and is_at_or_below(node.path, self.reserved):
            return False
        if node.error is not None or node.ephemeralOwner != 0:
            return False
        return self.add_named(depth, characters_of(name), len(name), characters_of(data), len(data))

    cdef bint add_named(
        self, Py_ssize_t depth, const char *name, Py_ssize_t size, const char *data, Py_ssize_t length
    ) except -1:
        """Write a node, or nothing of it, if it is not plain. Zeros are behind name and data."""
        cdef TextRoom room = self.room
        cdef Py_ssize_t start = room.length, width = 2 * (depth if self.top_name else depth - 1)
        cdef Py_ssize_t lead_length = width + 3
        cdef const char *lead
        cdef unsigned char *to
        if size == 0 or size != end_of_name(PyUnicode_1BYTE_KIND, name, 0):
            return False
        if lead_length + BLOCK > len(self.lead):
            self.lead = "\n" + 2 * (lead_length + BLOCK) * " "
        lead = characters_of(self.lead)
        to = room.space(width + 1 + size)
        to = copy_word(to, lead + 1, width)
        to = copy_word(to, b"/", 1)
        copy_word(to, name, size)
        if length and not write_data(
            room, <const unsigned char *>data, length, lead, lead_length, self.decode
        ):
            room.length = start
            return False
        room.space(1)[0] = c"\n"
        return True

    cdef int add_text(self, str text) except -1:
        if PyUnicode_IS_ASCII(text):
            memcpy(self.room.space(len(text)), PyUnicode_1BYTE_DATA(text), len(text))
        else:
            self.cut()
            self.parts.append(text)
        return 0

    cdef int cut(self) except -1:
        """End the text, so that another one begins."""
        if self.room.length:
            self.parts.append(self.room.taken())
        return 0


@cython.final
@cython.no_gc
cdef class TextAhead:
    """The text of nodes that come in any order, until it is their turn; see TreeText.add_written.

    It is bounded: nodes that come later, and such as have an error, are written in their turn.
    """

    cdef TreeText text
    cdef Piece *pieces
    cdef Py_ssize_t count, room
    cdef dict others  # text that is not ASCII, by the number of its node

    def __init__(self, TreeText text):
        self.text = text
        self.others = {}

    def __dealloc__(self):
        free(self.pieces)

    def __len__(self):
        """Return of how many nodes, in the order in which they came, the text is there."""
        return self.count

    def take(self, nodes):
        """Write the text of the nodes that come next; say whether there is room for more."""
        for node in nodes:
            if self.text.room.length > MAX_AHEAD:
                return False
            self.write(node)
        return True

    cdef int write(self, node) except -1:
        cdef TreeText text = self.text
        cdef Piece piece
        piece.start = text.room.length
        piece.length = NOT_WRITTEN
        if text.add_plain(node):
            piece.length = text.room.length - piece.start
        elif node.error is None:
            other = <str>text.other(node)
            if PyUnicode_IS_ASCII(other):
                text.add_text(other)
                piece.length = text.room.length - piece.start
            else:
                self.others[self.count] = other
                piece.length = NOT_ASCII
        if self.count == self.room:
            self.make_room()
        self.pieces[self.count] = piece
        self.count += 1
        return 0

    cdef int make_room(self) except -1:
        cdef Py_ssize_t room = max(1024, 2 * self.room)
        pieces = <Piece *>realloc(self.pieces, room * sizeof(Piece))
        if pieces is NULL:
            raise MemoryError
        self.pieces = pieces
        self.room = room
        return 0

    cdef inline const Piece *piece(self, int64_t number) noexcept:
        """Return the piece of a node; NULL if it came too late."""
        return &self.pieces[number] if number < self.count else NULL

    cdef inline const unsigned char *characters(self) noexcept:
        return self.text.room.characters()


cdef bint is_at_or_below(str path, str other) except -1:
    return path == other or path.startswith(other + "/")


cdef inline const char *characters_of(str text) noexcept:
    """Return the characters of text that is ASCII."""
    return <const char *>PyUnicode_1BYTE_DATA(text)
