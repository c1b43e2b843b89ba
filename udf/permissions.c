/* SPDX-License-Identifier: MIT */
/* Permissions and file types of the disc as a Unix mode, and back. */
#include <sys/stat.h>

#include "udf/codec.h"

/* ECMA-167 4/14.9.5: five bits each for other, group and owner, from bit 0 on. */
#define PERM_EXECUTE 0x01u
#define PERM_WRITE   0x02u
#define PERM_READ    0x04u
#define PERM_CHATTR  0x08u
#define PERM_DELETE  0x10u
#define PERM_BITS    5u

uint32_t udf_permissions_from_mode(uint32_t mode)
{
    uint32_t permissions = 0;
    for (unsigned class = 0; class < 3; class ++) {
        uint32_t rwx = mode >> (3 * class);
        uint32_t bits = (rwx & S_IXOTH ? PERM_EXECUTE : 0) | (rwx & S_IROTH ? PERM_READ : 0) |
                        (rwx & S_IWOTH ? PERM_WRITE | PERM_CHATTR | PERM_DELETE : 0);
        permissions |= bits << (PERM_BITS * class);
    }
    return permissions;
}

static uint32_t type_mode(uint8_t file_type)
{
    switch (file_type) {
    case UDF_FILE_DIRECTORY:
    case UDF_FILE_STREAM_DIRECTORY:
        return S_IFDIR;
    case UDF_FILE_BLOCK_DEVICE:
        return S_IFBLK;
    case UDF_FILE_CHAR_DEVICE:
        return S_IFCHR;
    case UDF_FILE_FIFO:
        return S_IFIFO;
    case UDF_FILE_SOCKET:
        return S_IFSOCK;
    case UDF_FILE_SYMLINK:
        return S_IFLNK;
    default:
        return S_IFREG;
    }
}

uint32_t udf_permissions_to_mode(uint32_t permissions, uint8_t file_type, uint16_t icb_flags)
{
    uint32_t mode = type_mode(file_type);
    for (unsigned class = 0; class < 3; class ++) {
        uint32_t bits = permissions >> (PERM_BITS * class);
        uint32_t rwx = (bits & PERM_EXECUTE ? S_IXOTH : 0) | (bits & PERM_READ ? S_IROTH : 0) |
                       (bits & PERM_WRITE ? S_IWOTH : 0);
        mode |= rwx << (3 * class);
    }
    mode |= icb_flags & UDF_ICB_SETUID ? S_ISUID : 0;
    mode |= icb_flags & UDF_ICB_SETGID ? S_ISGID : 0;
    mode |= icb_flags & UDF_ICB_STICKY ? S_ISVTX : 0;
    return mode;
}
