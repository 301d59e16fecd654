/* Which process this is. */
#ifndef ZOOKEEPER_PROCESS_H
#define ZOOKEEPER_PROCESS_H

/* As getpid, nearly always without a system call. */
int core_process(void);

#endif
