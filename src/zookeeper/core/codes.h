/* Error codes, sorted (pure). */
#ifndef ZOOKEEPER_CODES_H
#define ZOOKEEPER_CODES_H

/* A read of many nodes cannot go on. */
int code_is_fatal(int code);
/* It says something of the connection or session, and of no node: the codes of zookeeper.SessionError. */
int code_is_of_the_session(int code);
/* A client uses it of itself alone. That is another question: servers also tell of sessions. */
int code_is_of_a_client(int code);

#endif
