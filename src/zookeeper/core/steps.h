/* The steps of a SASL mechanism: the I/O thread asks for them, and a thread of Python's does them. */
#ifndef ZOOKEEPER_STEPS_H
#define ZOOKEEPER_STEPS_H

#include "../tls/layer.h"
#include "locks.h"

#include <netdb.h>
#include <stddef.h>

/* Bytes of a token, ours or a server's: servers take no request over 1 MB. */
#define MAX_TOKEN ((1 << 20) - 1024)

typedef enum {
    STEP_NONE,     /* there is no result yet */
    STEP_TOKEN,    /* to be sent */
    STEP_COMPLETE, /* the mechanism is satisfied */
    STEP_FAILED,   /* it is not, and says why */
} step_result;

typedef struct {
    long exchange; /* one a connection; the numbers grow */
    int is_first;  /* the exchange begins: there is a host, and no challenge */
    char host[NI_MAXHOST];
    char *challenge; /* to be freed by the thread that takes it; NULL: the server has sent none */
    size_t size;
} step_question;

/* Shared by a handle and the thread, each with a reference. */
typedef struct {
    core_mutex lock;
    pthread_cond_t asked;
    /* All guarded by lock. */
    int references;
    int stopped;
    int busy;    /* the thread is at a step */
    int wake_fd; /* of the I/O thread's pipe; -1: it cannot be woken */
    long exchange;
    int has_question;
    step_question question;
    step_result result;
    char *token; /* ours, or NULL; why it failed, if it did, with a final null */
    size_t size;
    char why[LAYER_WHY]; /* the last failure, "" since there was none */
} sasl_steps;

/* With one reference, the caller's. */
sasl_steps *steps_new(void);
void steps_retain(sasl_steps *s);
void steps_release(sasl_steps *s);

/* Of the I/O thread; none of them waits. Begin an exchange: all that was asked before is forgotten. */
void steps_begin(sasl_steps *s, const char *host);
/* Ask for the next step; `challenge` is copied, and NULL where the server has sent none. */
void steps_ask(sasl_steps *s, const char *challenge, size_t size);
/* The result of what was asked last, once, with a token that the caller frees; or STEP_NONE. */
step_result steps_result(sasl_steps *s, char **token, size_t *size);
/* The exchange is over: a result that is still to come is dropped. */
void steps_abandon(sasl_steps *s);
/* Say why SASL failed, LAYER_WHY bytes, or "" that it did not. 0: the handle is being closed, and nothing
 * is said. */
int steps_note(sasl_steps *s, const char *why);

/* Why SASL failed, LAYER_WHY bytes; "" if it did not. Any thread may ask. */
void steps_why(sasl_steps *s, char *why);
/* Write a byte to `fd` when there is a result. */
void steps_wake_by(sasl_steps *s, int fd);
/* The handle is being closed: nothing wakes the I/O thread any more, and the other one ends. */
void steps_stop(sasl_steps *s);
/* Whether the thread is at a step, which nothing can end. */
int steps_are_busy(sasl_steps *s);

/* Of the thread that does the steps. Waits for a question. 0: stopped. */
int steps_take(sasl_steps *s, step_question *question);
/* `bytes` are copied: a token, or the reason of a failure. */
void steps_answer(sasl_steps *s, long exchange, step_result result, const char *bytes, size_t size);

#endif
