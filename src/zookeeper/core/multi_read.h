/* Many reads in one request. */
#ifndef ZOOKEEPER_MULTI_READ_H
#define ZOOKEEPER_MULTI_READ_H

#include "reader.h"

/* Begin a read that is a part of a larger structure, which `dispose` frees. The caller sets `next_reads`,
 * and has one reference, to be released. */
void reader_init(reader *r, zk_handle *handle, int (*complete)(bulk *), void (*dispose)(bulk *));

#endif
