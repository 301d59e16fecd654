/* Sort the names of standard input, each of which ends with a zero, and print them, each on its own. */
#include "order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    char *text = NULL;
    const char **names = NULL;
    size_t room = 0;
    int count = 0;
    ssize_t length;
    while ((length = getdelim(&text, &room, 0, stdin)) > 0) {
        names = realloc(names, sizeof *names * (size_t)(count + 1));
        if (names == NULL) return 1;
        /* A block of its own: the sanitizer sees what is read beyond a name. */
        names[count++] = strdup(text);
    }
    order_names(names, count);
    for (int i = 0; i < count; i++) {
        fwrite(names[i], 1, strlen(names[i]) + 1, stdout);
        free((char *)names[i]);
    }
    free(names);
    free(text);
    return 0;
}
