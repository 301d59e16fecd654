/* The programs of this folder share a connection that they wait for, a clock, and a way to give
   up. Each program prints one line of JSON, the time it measured itself, and nothing else. */

#ifndef BENCHMARK_CLIENT_H
#define BENCHMARK_CLIENT_H

#include <zookeeper/zookeeper.h>

/* Return the seconds of the monotonic clock. */
double now(void);

/* Print a message like printf and leave with status 1. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Give up, naming what was tried, unless rc is ZOK. */
void check(int rc, const char *what);

/* Connect and wait, at most ten seconds. `resolution_ms` goes to zoo_set_servers_resolution_delay:
   0 is the C client's own way (the host list is looked up again and again), the Python binding uses
   a window of some seconds. */
zhandle_t *connect_to(const char *hosts, int resolution_ms);

/* Print the median and the mean of `count` calls in microseconds, and the calls a second when all of
   them took `elapsed` seconds. Sorts `seconds`, one for each call. */
void report_calls(double *seconds, long count, double elapsed);

/* Return a positive integer of the command line, or give up. */
long count_argument(const char *text, const char *name);

#endif
