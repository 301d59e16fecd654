/* Whether the bytes of an answer are what its request asks for (pure). */
#ifndef ZOOKEEPER_ANSWERS_H
#define ZOOKEEPER_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

int answer_fits(int32_t op, const char *body, size_t size);
int event_fits(const char *body, size_t size);

#endif
