/* SPDX-License-Identifier: MIT */
/* The standard streams, which a caller may have closed. */
#include <fcntl.h>
#include <unistd.h>

#include "cli/cli.h"

void cli_streams_open(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
            _exit(127); /* there is no way to say why, and going on could write messages to the disc */
}
