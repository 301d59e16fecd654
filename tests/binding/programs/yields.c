/* Counts how often threads offer their processor, and has it gone for so long each time (LD_PRELOAD). */

#include <time.h>

int yields_milliseconds;
_Atomic long yields_count;

int sched_yield(void) {
    struct timespec pause = {0, yields_milliseconds * 1000000L};
    yields_count++;
    if (yields_milliseconds) nanosleep(&pause, NULL);
    return 0;
}
