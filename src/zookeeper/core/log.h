/* The C client's log lines, and ours among them. */
#ifndef ZOOKEEPER_LOG_H
#define ZOOKEEPER_LOG_H

#include "client.h"

typedef struct log_line {
    struct log_line *next;
    char text[];
} log_line;

/* The C client's log callback; copies the text. */
void log_push(const char *text);
__attribute__((format(printf, 3, 4))) void log_say(ZooLogLevel level, const char *where, const char *format, ...);
/* All lines, each to be freed by the caller, or NULL; and how many were dropped as there were too many. */
log_line *log_take(long *dropped);
void log_after_fork(void);

#endif
