/* Beginning and end of a connection (layer.h). */
#ifndef ZOOKEEPER_TLS_HANDSHAKE_H
#define ZOOKEEPER_TLS_HANDSHAKE_H

#include "connection.h"

layer_connection *tls_begin(layer_config *config, layer_memory *memory, int fd, const char *hosts,
                            const char *server, char *why);
int tls_shake(layer_connection *c, short *events, char *why);
void tls_end(layer_connection *c);
/* The event of poll that a function of OpenSSL waits for; 0: it has failed. */
short tls_awaited(const layer_connection *c, int result);

#endif
