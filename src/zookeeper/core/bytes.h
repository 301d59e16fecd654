/* Numbers as they travel: the most significant byte first. */
#ifndef ZOOKEEPER_BYTES_H
#define ZOOKEEPER_BYTES_H

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

static inline int32_t int_at(const char *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return (int32_t)ntohl(value);
}

static inline void set_int(char *bytes, int32_t value) {
    uint32_t ordered = htonl((uint32_t)value);
    memcpy(bytes, &ordered, sizeof ordered);
}

static inline int64_t long_at(const char *bytes) {
    return (int64_t)(((uint64_t)(uint32_t)int_at(bytes) << 32) | (uint32_t)int_at(bytes + 4));
}

#endif
