/* A connection, and the configuration that it was made with: what the files of this layer share. */
#ifndef ZOOKEEPER_TLS_CONNECTION_H
#define ZOOKEEPER_TLS_CONNECTION_H

#include "tls.h"

#include <pthread.h>
#include <stdatomic.h>

struct layer_config {
    _Atomic int references;
    tls_settings settings; /* its strings are ours */
    pthread_mutex_t lock;
    /* Guarded by lock. */
    SSL_CTX *context;
    unsigned long long stamp, complained_stamp;
    char *complaint;
    _Atomic long handshakes, resumed;
};

struct layer_connection {
    layer_config *config;
    layer_memory *memory;
    SSL *ssl;
    int fd;
    int is_shaken;
    int is_starved; /* what has been read ahead is less than a record */
    long budget;    /* bytes that may still be read from the socket before the caller has its turn */
    unsigned long long stamp;
    tls_peer peer;
};

#endif
