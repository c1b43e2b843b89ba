/* SPDX-License-Identifier: MIT */
/*
 * Symbolic links: path components (ECMA-167 4/14.16.1) to a Unix path and back. Components have no place for
 * a slash at the end, which means "must be a directory"; it is kept as a last component ".", which means the
 * same.
 */
#include <errno.h>
#include <string.h>

#include "mmc/bytes.h"
#include "udf/codec.h"

enum component_type {
    COMPONENT_ROOT_AGREED = 1, /* of the whole directory hierarchy, when its identifier is empty */
    COMPONENT_ROOT = 2,
    COMPONENT_PARENT = 3,
    COMPONENT_SELF = 4,
    COMPONENT_NAME = 5,
};
#define COMPONENT_BYTES 4u

struct path {
    char *text;
    size_t len, max;
};

static int path_append(struct path *path, const char *text, size_t len)
{
    if (len > path->max - path->len)
        return -ENAMETOOLONG;
    memcpy(path->text + path->len, text, len);
    path->len += len;
    return 0;
}

static int path_append_name(struct path *path, const uint8_t *cs0, size_t len)
{
    int took = udf_cs0_decode(cs0, len, path->text + path->len, path->max - path->len);
    if (took < 0)
        return took;
    if (!took || memchr(path->text + path->len, '/', (size_t)took))
        return -EUCLEAN;
    path->len += (size_t)took;
    return 0;
}

/* Appends one component; last: none follows it. */
static int component_append(struct path *path, uint8_t type, const uint8_t *id, size_t id_len, bool last)
{
    bool root = type == COMPONENT_ROOT || type == COMPONENT_ROOT_AGREED;
    if (root)
        return path->len || id_len ? -EUCLEAN : path_append(path, "/", 1);
    bool below = path->len && path->text[path->len - 1] != '/';
    if (below && path_append(path, "/", 1))
        return -ENAMETOOLONG;
    switch (type) {
    case COMPONENT_PARENT:
        return path_append(path, "..", 2);
    case COMPONENT_SELF:
        return below && last ? 0 : path_append(path, ".", 1);
    case COMPONENT_NAME:
        return path_append_name(path, id, id_len);
    default:
        return -EUCLEAN;
    }
}

int udf_path_decode(const uint8_t *components, size_t len, char *path, size_t max)
{
    struct path out = {.text = path, .max = max};
    while (len) {
        if (len < COMPONENT_BYTES)
            return -EUCLEAN;
        size_t id_len = components[1];
        size_t size = COMPONENT_BYTES + id_len;
        if (size > len)
            return -EUCLEAN;
        int err = component_append(&out, components[0], components + COMPONENT_BYTES, id_len, size == len);
        if (err)
            return err;
        components += size;
        len -= size;
    }
    return (int)out.len;
}

/* Writes one component; returns its size. */
static int component_encode(const char *name, size_t len, uint8_t *bytes, size_t max)
{
    if (max < COMPONENT_BYTES)
        return -ENAMETOOLONG;
    memset(bytes, 0, COMPONENT_BYTES);
    int id_len = 0;
    if (len == 1 && name[0] == '.') {
        bytes[0] = COMPONENT_SELF;
    } else if (len == 2 && name[0] == '.' && name[1] == '.') {
        bytes[0] = COMPONENT_PARENT;
    } else if (len == 1 && name[0] == '/') {
        bytes[0] = COMPONENT_ROOT_AGREED;
    } else {
        size_t room = max - COMPONENT_BYTES;
        bytes[0] = COMPONENT_NAME;
        id_len = udf_cs0_encode(name, len, bytes + COMPONENT_BYTES,
                                room < UDF_NAME_CS0_MAX ? room : UDF_NAME_CS0_MAX);
        if (id_len < 0)
            return id_len;
    }
    bytes[1] = (uint8_t)id_len;
    return (int)COMPONENT_BYTES + id_len;
}

int udf_path_encode(const char *path, uint8_t *components, size_t max)
{
    size_t used = 0;
    const char *next = path;
    while (*next) {
        bool root = next == path && *next == '/';
        size_t len = root ? 1 : strcspn(next, "/");
        int took = component_encode(next, len, components + used, max - used);
        if (took < 0)
            return took;
        used += (size_t)took;
        next += len;
        size_t slashes = strspn(next, "/");
        next += slashes;
        if (slashes && !root && !*next)
            next = ".";
    }
    return (int)used;
}
