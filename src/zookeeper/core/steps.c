/* The steps of a SASL mechanism, between two threads.
 *
 * A step may take as long as it likes, such as one that asks a key server that is down. The I/O thread
 * waits for none: it asks, polls on, and is woken by its pipe when there is a result. When the connection
 * is over, so is the exchange, and its number: a result that comes later is dropped. There is one thread
 * a handle, so a step that does not end keeps those of later connections waiting, and no others. It has
 * a reference of its own: the handle may be closed and freed meanwhile.
 */
#include "memory.h"
#include "steps.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

sasl_steps *steps_new(void) {
    sasl_steps *s = core_zeroed(1, sizeof *s);
    core_mutex_init(&s->lock, LOCK_SASL);
    pthread_cond_init(&s->asked, NULL);
    s->references = 1;
    s->wake_fd = -1;
    return s;
}

void steps_retain(sasl_steps *s) {
    core_lock(&s->lock);
    s->references++;
    core_unlock(&s->lock);
}

/* With the lock held. A token may be as good as a password. */
static void forget_token(sasl_steps *s) {
    core_assert_held(&s->lock);
    if (s->token) core_wipe(s->token, s->size);
    free(s->token);
    s->token = NULL;
    s->size = 0;
    s->result = STEP_NONE;
}

/* With the lock held. */
static void forget_question(sasl_steps *s) {
    core_assert_held(&s->lock);
    free(s->question.challenge);
    s->question.challenge = NULL;
    s->has_question = 0;
}

void steps_release(sasl_steps *s) {
    core_lock(&s->lock);
    int is_last = --s->references == 0;
    if (is_last) {
        forget_question(s);
        forget_token(s);
    }
    core_unlock(&s->lock);
    if (!is_last) return;
    core_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->asked);
    free(s);
}

static char *copy_of(const char *bytes, size_t size) {
    char *copy = core_alloc(size + 1);
    if (size) memcpy(copy, bytes, size);
    copy[size] = 0;
    return copy;
}

void steps_begin(sasl_steps *s, const char *host) {
    core_lock(&s->lock);
    forget_question(s);
    forget_token(s);
    s->question = (step_question){.exchange = ++s->exchange, .is_first = 1};
    strncpy(s->question.host, host, sizeof s->question.host - 1);
    s->has_question = 1;
    pthread_cond_signal(&s->asked);
    core_unlock(&s->lock);
}

void steps_ask(sasl_steps *s, const char *challenge, size_t size) {
    core_lock(&s->lock);
    forget_question(s);
    forget_token(s);
    s->question = (step_question){.exchange = s->exchange, .size = size};
    if (challenge) s->question.challenge = copy_of(challenge, size);
    s->has_question = 1;
    pthread_cond_signal(&s->asked);
    core_unlock(&s->lock);
}

step_result steps_result(sasl_steps *s, char **token, size_t *size) {
    core_lock(&s->lock);
    step_result result = s->result;
    *token = s->token;
    *size = s->size;
    s->token = NULL;
    s->result = STEP_NONE;
    core_unlock(&s->lock);
    return result;
}

void steps_abandon(sasl_steps *s) {
    core_lock(&s->lock);
    s->exchange++;
    forget_question(s);
    forget_token(s);
    core_unlock(&s->lock);
}

int steps_note(sasl_steps *s, const char *why) {
    core_lock(&s->lock);
    int stopped = s->stopped;
    if (!stopped) strncpy(s->why, why, LAYER_WHY - 1);
    core_unlock(&s->lock);
    return !stopped;
}

void steps_why(sasl_steps *s, char *why) {
    core_lock(&s->lock);
    memcpy(why, s->why, LAYER_WHY);
    core_unlock(&s->lock);
}

void steps_wake_by(sasl_steps *s, int fd) {
    core_lock(&s->lock);
    s->wake_fd = fd;
    core_unlock(&s->lock);
}

void steps_stop(sasl_steps *s) {
    core_lock(&s->lock);
    s->stopped = 1;
    s->wake_fd = -1;
    pthread_cond_signal(&s->asked);
    core_unlock(&s->lock);
}

int steps_are_busy(sasl_steps *s) {
    core_lock(&s->lock);
    int busy = s->busy;
    core_unlock(&s->lock);
    return busy;
}

int steps_take(sasl_steps *s, step_question *question) {
    core_lock(&s->lock);
    s->busy = 0;
    while (!s->has_question && !s->stopped) core_cond_wait(&s->asked, &s->lock, NULL);
    int taken = !s->stopped;
    if (taken) {
        *question = s->question;
        s->question.challenge = NULL;
        s->has_question = 0;
        s->busy = 1;
    }
    core_unlock(&s->lock);
    return taken;
}

static void wake(int fd) {
    ssize_t count = write(fd, "", 1);
    (void)count; /* a pipe that is full wakes as well */
}

void steps_answer(sasl_steps *s, long exchange, step_result result, const char *bytes, size_t size) {
    char *copy = copy_of(bytes, size);
    core_lock(&s->lock);
    int is_wanted = exchange == s->exchange && !s->stopped;
    if (is_wanted) {
        forget_token(s);
        s->result = result;
        s->token = copy;
        s->size = size;
        if (s->wake_fd >= 0) wake(s->wake_fd);
    }
    core_unlock(&s->lock);
    if (is_wanted) return;
    core_wipe(copy, size);
    free(copy);
}
