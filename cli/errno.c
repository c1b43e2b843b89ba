/* SPDX-License-Identifier: MIT */
/* Error numbers in the words of someone who has a disc in the hand. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const struct {
    int error;
    const char *text;
} texts[] = {
    {ENOMEDIUM, "no disc in the drive"},
    {EMEDIUMTYPE, "the wrong kind of disc for this"},
    {ENODEV, "the drive went away"},
    {ENXIO, "no drive answers there"},
    {ETIMEDOUT, "the drive does not answer any more"},
    {EIO, "the disc or drive could not be read or written"},
    {EROFS, "the disc cannot be written"},
    {ENOSPC, "the disc is full"},
    {EBUSY, "another program is using it"},
    {EUCLEAN, "what is on the disc is damaged"},
    {EILSEQ, "the text is not valid UTF-8"},
    {ENOENT, "there is no such file, folder or drive"},
    {EACCES, "permission denied"},
    {EPERM, "not permitted"},
    {EINTR, "interrupted"},
    {ENOMEM, "out of memory"},
    {EOPNOTSUPP, "not supported"},
};

const char *cli_errno_text(int error)
{
    error = abs(error);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].error == error)
            return texts[i].text;
    return strerror(error);
}
