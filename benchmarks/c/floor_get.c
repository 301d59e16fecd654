/* One get after the other on a raw socket, with prepared bytes, the answers thrown away: the floor of
   a synchronous get. The session is opened and closed, and nothing else of a client is here.

   floor_get HOST:PORT PATH CALLS

   PATH is read CALLS times, after a tenth as many calls that do not count. Printed: the median and
   the mean of a call in microseconds, and the calls a second. */

#include "raw.h"

#include <stdlib.h>
#include <string.h>

enum { GET_DATA = 4, XID_AT = 4 };

int main(int argc, char **argv)
{
    if (argc != 4)
        fail("usage: floor_get HOST:PORT PATH CALLS");
    long calls = count_argument(argv[3], "CALLS"), warm = calls / 10;
    size_t length = strlen(argv[2]), size = 4 + 8 + 4 + length + 1;
    char *frame = calloc(1, size), *at = frame;
    double *seconds = calloc((size_t)calls, sizeof *seconds);
    if (frame == NULL || seconds == NULL)
        fail("out of memory");
    int fd = open_session(argv[1]);

    at = put_int(put_int(put_int(at, (uint32_t)size - 4), 1), GET_DATA);
    memcpy(put_int(at, (uint32_t)length), argv[2], length);
    double begun = 0;
    for (long call = -warm; call < calls; call++) {
        double start = now();
        if (call == 0)
            begun = start;
        put_int(frame + XID_AT, (uint32_t)(call + warm + 1));
        if (ask(fd, frame, size, 1))
            fail("%s cannot be read", argv[2]);
        if (call >= 0)
            seconds[call] = now() - start;
    }
    double elapsed = now() - begun;

    close_session(fd);
    report_calls(seconds, calls, elapsed);
    free(seconds);
    free(frame);
    return 0;
}
