/* The number of this process, which each call compares with that of its handle's process.
 *
 * It is in a page that the kernel empties in a child process (MADV_WIPEONFORK, Linux 4.14). So it is right
 * after `fork` in any thread, and also after a raw system call (clone), which runs no handler of
 * pthread_atfork. A child of `vfork` or posix_spawn shares the memory, and sees the parent's number: it may
 * do nothing but exec, as such a child always may. So would one that was cloned with the memory shared,
 * without being a thread: the C library has no word for it either. Where there is no such page, the system
 * is asked each time.
 */
#include "client.h"
#include "process.h"

#include <sys/mman.h>
#include <unistd.h>

static _Atomic int *process_known; /* 0 in it: not yet; NULL: there is no such page */

__attribute__((constructor)) static void prepare_process_page(void) {
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return;
    if (madvise(page, size, MADV_WIPEONFORK) == 0)
        process_known = page;
    else
        munmap(page, size);
}

int core_process(void) {
    if (process_known == NULL) return getpid();
    int process = *process_known;
    if (process == 0) *process_known = process = getpid();
    return process;
}
