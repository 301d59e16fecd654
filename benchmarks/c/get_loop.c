/* Synchronous zoo_get calls in a loop, in one or more threads: the limit for a synchronous get.

   get_loop HOSTS PATH CALLS THREADS RESOLUTION_MS

   Each of THREADS threads reads PATH CALLS times on one shared handle, after a tenth as many calls
   that do not count. Printed: the median and the mean of a call in microseconds, over all threads,
   and the calls a second of all threads together. */

#include "client.h"

#include <pthread.h>
#include <stdlib.h>

struct reader {
    pthread_t thread;
    zhandle_t *zh;
    const char *path;
    long calls;
    double *seconds; /* one for each call */
    double begun, ended;
};

static pthread_barrier_t warm;

static void get(const struct reader *reader)
{
    char data[65536];
    int length = sizeof data;
    struct Stat stat;
    check(zoo_get(reader->zh, reader->path, 0, data, &length, &stat), reader->path);
}

static void *read_repeatedly(void *argument)
{
    struct reader *reader = argument;
    for (long call = 0; call < reader->calls / 10; call++)
        get(reader);
    pthread_barrier_wait(&warm);
    reader->begun = now();
    for (long call = 0; call < reader->calls; call++) {
        double start = now();
        get(reader);
        reader->seconds[call] = now() - start;
    }
    reader->ended = now();
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 6)
        fail("usage: get_loop HOSTS PATH CALLS THREADS RESOLUTION_MS");
    long calls = count_argument(argv[3], "CALLS");
    long threads = count_argument(argv[4], "THREADS");
    zhandle_t *zh = connect_to(argv[1], atoi(argv[5]));

    struct reader *readers = calloc((size_t)threads, sizeof *readers);
    double *seconds = calloc((size_t)(calls * threads), sizeof *seconds);
    if (readers == NULL || seconds == NULL)
        fail("out of memory");
    pthread_barrier_init(&warm, NULL, (unsigned)threads);
    for (long i = 0; i < threads; i++) {
        readers[i] = (struct reader){0, zh, argv[2], calls, seconds + i * calls, 0, 0};
        if (pthread_create(&readers[i].thread, NULL, read_repeatedly, &readers[i]))
            fail("no thread");
    }
    /* The threads' own clocks: this one may be woken when they are long at work. */
    double begun = 0, ended = 0;
    for (long i = 0; i < threads; i++) {
        pthread_join(readers[i].thread, NULL);
        if (i == 0 || readers[i].begun < begun)
            begun = readers[i].begun;
        if (readers[i].ended > ended)
            ended = readers[i].ended;
    }

    report_calls(seconds, calls * threads, ended - begun);
    zookeeper_close(zh);
    free(seconds);
    free(readers);
    return 0;
}
