# A long text's outline, read in parts by as many threads.
#
# No request is sent before the last line is known to have no fault, so the servers wait meanwhile, and
# with them the processors. A part begins with a node's line. The nodes above it are known when the
# part before it has been read: then its outermost nodes are given their parents, as one reading of
# the whole text would have done it.
#
# Whatever a part cannot tell, be it that the text is to be parsed, that memory is short, or that a
# number has to be looked at by Python, is told by reading the text at once.

cdef extern from *:
    """
    #include <pthread.h>
    #include <sched.h>
    #include <semaphore.h>
    #include <signal.h>

    typedef struct {
        pthread_t thread;
        void (*run)(void *);
        void *argument;
        sem_t sent; /* nothing is asked of the thread any more but its end */
    } reader;

    /* A virtual processor that sleeps does not look idle to Linux, which leaves a new thread where it was made, behind
       the one that made it: for milliseconds. So it is sent to any other processor. */
    static void send_away(pthread_t thread) {
        cpu_set_t others;
        if (sched_getaffinity(0, sizeof others, &others)) return;
        CPU_CLR(sched_getcpu(), &others);
        if (CPU_COUNT(&others)) pthread_setaffinity_np(thread, sizeof others, &others);
    }

    /* A thread that is over has no number, which to Linux means the caller: that would be sent away itself, for ever.
       So none is over before it has been sent. */
    static void *reader_runs(void *argument) {
        reader *r = argument;
        r->run(r->argument);
        while (sem_wait(&r->sent)) continue;
        return NULL;
    }

    /* Signals are for the program's own threads, where its handlers expect them. */
    static int reader_start(reader *r, void (*run)(void *), void *argument) {
        sigset_t all, former;
        r->run = run;
        r->argument = argument;
        if (sem_init(&r->sent, 0, 0)) return 0;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &former);
        int problem = pthread_create(&r->thread, NULL, reader_runs, r);
        pthread_sigmask(SIG_SETMASK, &former, NULL);
        if (problem == 0) {
            send_away(r->thread);
            sem_post(&r->sent);
        } else {
            sem_destroy(&r->sent);
        }
        return problem == 0;
    }

    static void reader_join(reader *r) {
        pthread_join(r->thread, NULL);
        sem_destroy(&r->sent);
    }

    /* Those that this thread may run on; 1 if that is not known. */
    static int count_processors(void) {
        cpu_set_t all;
        return sched_getaffinity(0, sizeof all, &all) ? 1 : CPU_COUNT(&all);
    }
    """
    ctypedef struct reader:
        pass
    bint reader_start(reader *r, void (*run)(void *) noexcept nogil, void *argument) nogil
    void reader_join(reader *r) nogil
    int count_processors()


cdef enum:
    # There is little to gain by more: 9 MB take two threads 3 ms.
    MAX_PARTS = 4
    # A thread has begun, and ended, within the time that a quarter of this takes.
    MIN_PART = 1 << 18


cdef struct Part:
    PyObject *reading
    reader thread
    bint has_thread, is_read


cdef Outline outline_by_parts(str text, int count):
    """Return an outline that is read in so many parts; None if it has to be read at once."""
    cdef Part parts[MAX_PARTS]
    cdef list readings = readings_of(text, count)
    cdef Reading whole
    cdef int i
    count = len(readings)
    if count < 2:
        return None
    for i in range(count):
        parts[i].reading = <PyObject *>readings[i]
    with nogil:
        read_parts(parts, count)
    whole = readings[0]
    for i in range(count):
        if not parts[i].is_read or i and not take_over(whole, readings[i]):
            return None
    whole.outline.parts = count
    return whole.outline


cdef int usual_parts(str text) noexcept:
    """Return in how many parts the text is read best."""
    return <int>min(MAX_PARTS, len(text) // MIN_PART, count_processors())


cdef list readings_of(str text, int count):
    """Return the readings of about so many parts, of about the same length."""
    cdef Py_ssize_t length = len(text), start = 0, end
    cdef list readings = []
    cdef int i
    for i in range(1, count + 1):
        end = node_line(text, length // count * i) if i < count else length
        if end > start:
            readings.append(reading_of(text, start, end))
            start = end
    return readings


cdef Py_ssize_t node_line(str text, Py_ssize_t at):
    """Return where the first line of a node begins, behind that position."""
    cdef const char *characters = <const char *>PyUnicode_1BYTE_DATA(text)
    cdef Py_ssize_t length = len(text), start
    cdef const char *feed
    while at < length:
        feed = <const char *>memchr(characters + at, c"\n", length - at)
        if feed is NULL:
            break
        start = at = feed + 1 - characters
        while characters[at] == c" ":
            at += 1
        if characters[at] == c"/":
            return start
    return length


cdef void read_parts(Part *parts, int count) noexcept nogil:
    """Read all, the first one in this thread, as those that get none of their own."""
    cdef int i
    for i in range(1, count):
        parts[i].has_thread = reader_start(&parts[i].thread, read_part, &parts[i])
    read_part(&parts[0])
    for i in range(1, count):
        if parts[i].has_thread:
            reader_join(&parts[i].thread)
        else:
            read_part(&parts[i])


cdef void read_part(void *argument) noexcept nogil:
    cdef Part *part = <Part *>argument
    part.is_read = take_without_lock(True) and (<Reading>part.reading).read_all()
    take_without_lock(False)


cdef bint take_over(Reading whole, Reading part):
    """Put the part that comes next behind the whole; False if it does not fit, or without memory."""
    cdef Outline outline = whole.outline
    cdef Outlined *node
    cdef Py_ssize_t before = outline.count, number, indent
    cdef int depth
    if not outline.append(part.outline):
        return False
    for number in range(before, outline.count):
        node = &outline.nodes[number]
        if node.parent != ABOVE:
            continue
        indent = indentation(whole.text, node.name - 1)
        if indent != whole.levels[whole.depth].indent and not whole.find(indent):
            return False
        if not whole.is_next(node.name, node.name + node.name_length):
            return False
        node.parent = whole.levels[whole.depth].node
        whole.levels[whole.depth].last = number
    for depth in range(1, part.depth + 1):
        if not whole.push(part.levels[depth].indent, part.levels[depth].node + before):
            return False
        if part.levels[depth].last != NO_NODE:
            whole.levels[whole.depth].last = part.levels[depth].last + before
    whole.newest = part.newest if part.newest == NO_NODE else part.newest + before
    return True


cdef Py_ssize_t indentation(const char *text, Py_ssize_t at) noexcept:
    """Return how many spaces are before that position."""
    cdef Py_ssize_t start = at
    while start and text[start - 1] == c" ":
        start -= 1
    return at - start
