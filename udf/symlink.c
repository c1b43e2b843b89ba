/* SPDX-License-Identifier: MIT */
/* The target of a symbolic link: path components (ECMA-167 4/14.16) in the
 * contents, read back as a Unix path. */
#include <errno.h>
#include <stdlib.h>

#include "udf/content.h"

/* Components of the longest target that Linux takes. */
#define LINK_BYTES_MAX (64u << 10)

static int link_read_locked(struct udf_inode *inode, char *target, size_t max)
{
    uint32_t len = (uint32_t)inode->fe.info_length;
    if (inode->fe.info_length > LINK_BYTES_MAX)
        return -EUCLEAN;
    uint8_t *components = malloc(len ? len : 1);
    if (!components)
        return -ENOMEM;
    int err = udf_content_read(inode, 0, components, len);
    if (!err)
        err = udf_path_decode(components, len, target, max - 1);
    free(components);
    if (err >= 0)
        target[err] = 0;
    return err;
}

int udf_link_read(struct udf_inode *inode, char *target, size_t max)
{
    if (inode->fe.file_type != UDF_FILE_SYMLINK || !max)
        return -EINVAL;
    pthread_rwlock_rdlock(&inode->lock);
    int len = link_read_locked(inode, target, max);
    pthread_rwlock_unlock(&inode->lock);
    return len;
}
