/* Paths: the rules for them, and the chroot in front of them (pure). */
#ifndef ZOOKEEPER_PATH_H
#define ZOOKEEPER_PATH_H

#include "client.h"

/* The fault of a path, a text for ever, or NULL; and the character that is wrong, or 0. */
const char *path_fault(const char *path, size_t length, int sequential, uint32_t *character);

/* A path as the server knows it, with the chroot ("" if there is none): to be freed by the caller. */
char *path_with_chroot(const char *chroot, const char *path);
/* The same written to a request. Returns a jute code. */
int path_write(const char *chroot, struct oarchive *out, const char *path);
/* A server's path without the chroot: it lies in `path`, or is a text for ever. */
const char *path_without_chroot(const char *chroot, const char *path);

#endif
