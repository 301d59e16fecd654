/* The C client's log lines, kept until a Python thread fetches them.
 *
 * The C client's log callback says neither whose line it is nor has it a context, so there is one
 * list for the process. It is capped: a program that never lets its Python threads run must not
 * grow without bound because the network is down.
 */
#include "locks.h"
#include "log.h"
#include "memory.h"
#include "queue.h"

#include <zookeeper_log.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINES 10000

static core_mutex lines_lock = CORE_MUTEX(LOCK_LOG);
static log_line *first_line, *last_line;
static long lines, lost;

void log_push(const char *text) {
    size_t size = strlen(text) + 1;
    log_line *line = core_alloc(sizeof *line + size);
    line->next = NULL;
    memcpy(line->text, text, size);
    core_lock(&lines_lock);
    int was_empty = lines == 0;
    int full = lines >= MAX_LINES;
    if (full) {
        lost++;
    } else {
        if (last_line)
            last_line->next = line;
        else
            first_line = line;
        last_line = line;
        lines++;
    }
    core_unlock(&lines_lock);
    if (full) free(line);
    if (was_empty) queue_poke();
}

void log_say(ZooLogLevel level, const char *where, const char *format, ...) {
    if (level > logLevel) return;
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log_message(log_push, level, 0, where, "%s", text);
}

log_line *log_take(long *dropped) {
    core_lock(&lines_lock);
    log_line *taken = first_line;
    first_line = last_line = NULL;
    *dropped = lost;
    lines = lost = 0;
    core_unlock(&lines_lock);
    return taken;
}

void log_after_fork(void) {
    /* The thread that held the lock, if any, does not exist in the child, and the lines are the
     * parent's to report. Leaking them is the only safe thing to do. */
    core_mutex_init(&lines_lock, LOCK_LOG);
    first_line = last_line = NULL;
    lines = lost = 0;
}
