/* The order of names (pure). */
#ifndef ZOOKEEPER_ORDER_H
#define ZOOKEEPER_ORDER_H

/* Sort names as strcmp does. */
void order_names(const char **names, int count);

#endif
