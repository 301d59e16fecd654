/* Configurations, which handles share. */
#ifndef ZOOKEEPER_TLS_CONFIGURATION_H
#define ZOOKEEPER_TLS_CONFIGURATION_H

#include "connection.h"

void tls_retain(layer_config *config);
void tls_release(layer_config *config);
/* Why files that have changed are not used, to be freed by the caller, once; or NULL. */
char *tls_take_complaint(layer_config *config);
/* An SSL with the files as they are now, or as they were when they could last be used, and the stamp of
 * those. To be freed by SSL_free; NULL without memory. */
SSL *tls_new_ssl(layer_config *config, unsigned long long *used);

#endif
