/* Large requests on a raw socket, with prepared bytes, many under way, the answers thrown away: the
   floor of reads and writes of many nodes. The session is opened and closed, and nothing else of a
   client is here.

   floor_bulk HOST:PORT FILE

   FILE has the requests, each behind the number of answers (four bytes) that are to have come before it
   is sent. Printed: the seconds from the first request to the last answer, of them those of a processor
   here, and the bytes of all answers. */

#include "raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static size_t read_file(const char *name, char **bytes)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END))
        fail("%s cannot be read", name);
    size_t size = (size_t)ftell(file);
    *bytes = malloc(size + 1);
    rewind(file);
    if (*bytes == NULL || fread(*bytes, 1, size, file) != size)
        fail("%s cannot be read", name);
    fclose(file);
    return size;
}

static double processor_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Send the requests that may be sent after so many answers; return where the next one is. */
static const char *send_due(int fd, const char *at, const char *end, uint32_t answers, uint32_t *sent)
{
    while (at < end && get_int(at) <= answers) {
        size_t size = 4 + get_int(at + 4);
        send_all(fd, at + 4, size);
        at += 4 + size;
        ++*sent;
    }
    return at;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage: floor_bulk HOST:PORT FILE");
    static char received[1 << 18];
    char *requests;
    size_t size = read_file(argv[2], &requests);
    const char *next = requests, *end = requests + size;
    int fd = open_session(argv[1]);

    char header[ERROR_AT + 4];
    size_t known = 0, wanted = sizeof header; /* of the answer that comes */
    uint32_t sent = 0, answers = 0;
    long long bytes = 0;
    double start = now(), processor = processor_seconds();
    next = send_due(fd, next, end, 0, &sent);
    while (answers < sent) {
        size_t count = receive_some(fd, received, sizeof received);
        bytes += (long long)count;
        for (const char *at = received; count;) {
            size_t part = wanted - known < count ? wanted - known : count;
            if (known < sizeof header) {
                if (part > sizeof header - known)
                    part = sizeof header - known;
                memcpy(header + known, at, part);
                if (known + part == sizeof header && get_int(header + ERROR_AT))
                    fail("answer %u is error %d", answers, (int32_t)get_int(header + ERROR_AT));
                if (known + part == sizeof header)
                    wanted = 4 + get_int(header);
            }
            known += part;
            at += part;
            count -= part;
            if (known == wanted) {
                known = 0;
                wanted = sizeof header;
                next = send_due(fd, next, end, ++answers, &sent);
            }
        }
    }
    double elapsed = now() - start;
    printf("{\"seconds\": %.6f, \"processor\": %.6f, \"answers\": %u, \"bytes\": %lld}\n", elapsed,
           processor_seconds() - processor, answers, bytes);
    if (next != end)
        fail("a request waits for answers that never come");
    close_session(fd);
    free(requests);
    return 0;
}
