/* Creates of many nodes under one parent, in flight at once: the limit for a bulk write.

   create_pipelined HOSTS PARENT COUNT SIZE BATCH WINDOW

   Create COUNT children of PARENT with SIZE bytes of data each, by zoo_acreate when BATCH is 1 and
   otherwise by transactions of BATCH creates, with at most WINDOW requests in flight.
   Printed: nodes, seconds. */

#include "client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER;
static long in_flight;

struct transaction {
    zoo_op_t *operations;
    zoo_op_result_t *results;
    char **paths;
    long size;
};

static void count_answer(int rc)
{
    check(rc, "create");
    pthread_mutex_lock(&mutex);
    in_flight--;
    pthread_cond_signal(&answered);
    pthread_mutex_unlock(&mutex);
}

static void receive_path(int rc, const char *path, const void *context)
{
    (void)path, (void)context;
    count_answer(rc);
}

static void free_transaction(struct transaction *transaction)
{
    for (long i = 0; i < transaction->size; i++)
        free(transaction->paths[i]);
    free(transaction->paths);
    free(transaction->operations);
    free(transaction->results);
    free(transaction);
}

static void receive_results(int rc, const void *context)
{
    free_transaction((struct transaction *)context);
    count_answer(rc);
}

static void wait_until_at_most(long limit)
{
    pthread_mutex_lock(&mutex);
    while (in_flight > limit)
        pthread_cond_wait(&answered, &mutex);
    pthread_mutex_unlock(&mutex);
}

static void sending(void)
{
    pthread_mutex_lock(&mutex);
    in_flight++;
    pthread_mutex_unlock(&mutex);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

static char *child_path(const char *parent, long number)
{
    size_t size = strlen(parent) + 24;
    char *path = allocate(size, 1);
    snprintf(path, size, "%s/node-%08ld", parent, number);
    return path;
}

static void create_each(zhandle_t *zh, const char *parent, long number, const char *data, int length)
{
    char *path = child_path(parent, number);
    sending();
    check(zoo_acreate(zh, path, data, length, &ZOO_OPEN_ACL_UNSAFE, 0, receive_path, NULL), path);
    free(path);
}

static void create_together(zhandle_t *zh, const char *parent, long first, long size,
                            const char *data, int length)
{
    struct transaction *transaction = allocate(1, sizeof *transaction);
    transaction->operations = allocate((size_t)size, sizeof *transaction->operations);
    transaction->results = allocate((size_t)size, sizeof *transaction->results);
    transaction->paths = allocate((size_t)size, sizeof *transaction->paths);
    transaction->size = size;
    for (long i = 0; i < size; i++) {
        transaction->paths[i] = child_path(parent, first + i);
        zoo_create_op_init(&transaction->operations[i], transaction->paths[i], data, length,
                           &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
    }
    sending();
    check(zoo_amulti(zh, (int)size, transaction->operations, transaction->results, receive_results,
                     transaction), "multi");
}

int main(int argc, char **argv)
{
    if (argc != 7)
        fail("usage: create_pipelined HOSTS PARENT COUNT SIZE BATCH WINDOW");
    const char *parent = argv[2];
    long count = count_argument(argv[3], "COUNT");
    long length = count_argument(argv[4], "SIZE");
    long batch = count_argument(argv[5], "BATCH");
    long window = count_argument(argv[6], "WINDOW");
    zhandle_t *zh = connect_to(argv[1], 5000);
    char *data = allocate((size_t)length, 1);
    memset(data, 'x', (size_t)length);

    double start = now();
    for (long first = 0; first < count; first += batch) {
        wait_until_at_most(window - 1);
        long size = count - first < batch ? count - first : batch;
        if (batch == 1)
            create_each(zh, parent, first, data, (int)length);
        else
            create_together(zh, parent, first, size, data, (int)length);
    }
    wait_until_at_most(0);
    printf("{\"nodes\": %ld, \"seconds\": %.6f}\n", count, now() - start);
    zookeeper_close(zh);
    free(data);
    return 0;
}
