#ifndef ZOOKEEPER_TLS_REGULAR_H
#define ZOOKEEPER_TLS_REGULAR_H

#include <stdio.h>

/* regular.c: a regular file, opened for reading. NULL, with errno and `why`, for all else. */
FILE *tls_open_regular(const char *file, const char **why);

#endif
