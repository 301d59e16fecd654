/* Tells a program another time (LD_PRELOAD): the C client counts its requests from it. */

#include <stdlib.h>
#include <time.h>

time_t time(time_t *result) {
    time_t now = (time_t)atoll(getenv("CLOCK_SECONDS"));
    if (result) *result = now;
    return now;
}
