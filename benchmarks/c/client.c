#include "client.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CONNECT_SECONDS = 10, SESSION_MS = 30000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int connected;

double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

void check(int rc, const char *what)
{
    if (rc != ZOK)
        fail("%s: %s", what, zerror(rc));
}

static void watch_session(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    (void)zh, (void)path, (void)context;
    if (type != ZOO_SESSION_EVENT)
        return;
    pthread_mutex_lock(&mutex);
    connected = state == ZOO_CONNECTED_STATE;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

zhandle_t *connect_to(const char *hosts, int resolution_ms)
{
    zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
    zhandle_t *zh = zookeeper_init(hosts, watch_session, SESSION_MS, NULL, NULL, 0);
    if (zh == NULL)
        fail("%s: %s", hosts, strerror(errno));
    check(zoo_set_servers_resolution_delay(zh, resolution_ms), "resolution delay");

    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += CONNECT_SECONDS;
    pthread_mutex_lock(&mutex);
    while (!connected)
        if (pthread_cond_timedwait(&changed, &mutex, &deadline) == ETIMEDOUT)
            fail("%s: not connected after %d seconds", hosts, CONNECT_SECONDS);
    pthread_mutex_unlock(&mutex);
    return zh;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

void report_calls(double *seconds, long count, double elapsed)
{
    double sum = 0;
    for (long call = 0; call < count; call++)
        sum += seconds[call];
    qsort(seconds, (size_t)count, sizeof *seconds, compare);
    printf("{\"median_us\": %.3f, \"mean_us\": %.3f, \"calls_per_second\": %.1f}\n",
           seconds[count / 2] * 1e6, sum / (double)count * 1e6, (double)count / elapsed);
}

long count_argument(const char *text, const char *name)
{
    char *end;
    errno = 0;
    long count = strtol(text, &end, 10);
    if (errno || *end || end == text || count < 1)
        fail("%s: a positive integer, not '%s'", name, text);
    return count;
}
