# SASL: the thread that does the steps of a handle's mechanism (core/steps.c asks for them).

@cython.final
@cython.internal
cdef class Steps:
    """The mechanism of a handle.

    It knows nothing of the handle, which may be closed and freed while a step goes on.
    """

    cdef sasl_steps *c
    cdef int process
    cdef object exchanges
    cdef object thread

    def __cinit__(self):
        self.c = NULL

    def __dealloc__(self):
        # Not in a forked child: the lock may have been held at the fork.
        if self.c is not NULL and self.process == core_process():
            steps_release(self.c)

    def run(self):
        """Run the thread: do each step that is asked for, until the handle closes."""
        cdef step_question question
        cdef bint goes_on
        if self.c is NULL:
            raise TypeError("a handle has it")
        while True:
            with nogil:
                goes_on = steps_take(self.c, &question)
            if not goes_on:
                return
            challenge = None
            if question.challenge is not NULL:
                challenge = question.challenge[:question.size]
                free(question.challenge)
            self.answer(&question, challenge)

    cdef answer(self, step_question *question, bytes challenge):
        cdef bytes token
        try:
            if question.is_first:
                token = self.exchanges.begin(text_of(question.host, strlen(question.host)))
            else:
                token = self.exchanges.go_on(challenge)
        except BaseException as fault:
            self.fail(question.exchange, fault)
            return
        if token is None:
            steps_answer(self.c, question.exchange, STEP_COMPLETE, NULL, 0)
        else:
            steps_answer(self.c, question.exchange, STEP_TOKEN, PyBytes_AS_STRING(token), len(token))

    cdef fail(self, long exchange, fault):
        if not isinstance(fault, errors.SASLError):
            log_raised("a SASL mechanism raised", ())
        try:
            reason = self.exchanges.words(fault).encode("utf-8", "replace")
        except BaseException:
            reason = b"the mechanism raised an exception that cannot be shown"
        steps_answer(self.c, exchange, STEP_FAILED, PyBytes_AS_STRING(reason), len(reason))

    cdef join(self, double seconds):
        """Wait for the end of the thread, unless a step goes on: nothing ends it."""
        if self.thread is not threading.current_thread() and not steps_are_busy(self.c):
            self.thread.join(seconds)


cdef Steps steps_for(zk_handle *handle, mechanism):
    """Have the handle's connections go through the steps of a mechanism."""
    from zookeeper.saslsteps import Exchanges

    cdef bytes name = mechanism.name.encode("utf-8", "replace")
    cdef Steps steps = Steps.__new__(Steps)
    steps.process = core_process()
    steps.exchanges = Exchanges(mechanism)
    sasl_use(handle, name)
    steps.c = sasl_steps_of(handle)
    steps_retain(steps.c)
    return steps
