/* The C client's getaddrinfo: what is known, at once. */
#ifndef ZOOKEEPER_RESOLVE_H
#define ZOOKEEPER_RESOLVE_H

/* Whether this thread opens a handle, which does not take no address for an answer. */
void resolve_opening(int yes);

#endif
