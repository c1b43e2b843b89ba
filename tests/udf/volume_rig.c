/* SPDX-License-Identifier: MIT */
/* The mounted volume of the tests, and the other programs that judge what is on its medium. */
#include "tests/udf/volume_rig.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/udf/cmocka_all.h"

const struct test_volume_spec rig_specs[] = {
    {.options = "-m hd -b 2048 -r 1.50", .blocks = 8192, .packet_blocks = 1},
    {.options = "-m hd -b 2048 -r 2.01", .blocks = 8192, .packet_blocks = 1},
    {.options = "-m cdrw -r 1.50", .blocks = 8192, .packet_blocks = 32},
    {.options = "-m cdrw -r 1.50",
     .blocks = 12288,
     .packet_blocks = 32,
     .spares = 4,
     .log_packets = 32,
     .images_packets = 32},
    {.options = "-m cdrw -r 2.01",
     .blocks = 12288,
     .packet_blocks = 32,
     .spares = 4,
     .log_packets = 32,
     .images_packets = 32},
};
const unsigned rig_spec_count = sizeof rig_specs / sizeof *rig_specs;

static void rig_message(void *ctx, enum udf_level level, const char *text)
{
    struct rig *rig = ctx;
    if (level > UDF_LEVEL_WARNING)
        return;
    rig->warnings++;
    fprintf(stderr, "%s: %s\n", rig->kind, text);
}

void rig_make(struct rig *rig, const struct test_volume_spec *spec)
{
    *rig = (struct rig){.kind = spec->options};
    assert_int_equal(test_volume_make(spec, &rig->medium), 0);
    rig_mount(rig);
}

void rig_mount(struct rig *rig)
{
    struct udf_open_options options = {.message = rig_message, .message_ctx = rig};
    struct udf_volume_stat st;
    assert_int_equal(block_fault_open(rig->medium, false, &rig->dev), 0);
    assert_int_equal(udf_volume_open(rig->dev, &options, &rig->vol), 0);
    udf_volume_stat(rig->vol, &st);
    assert_false(st.read_only);
    assert_int_equal(udf_inode_get(rig->vol, udf_volume_root(rig->vol), &rig->root), 0);
}

void rig_unmount(struct rig *rig)
{
    unsigned before = rig->warnings;
    udf_inode_put(rig->root);
    assert_int_equal(udf_volume_close(rig->vol), 0);
    assert_int_equal(block_close(rig->dev), 0);
    assert_int_equal(rig->warnings, before); /* nothing was left in use */
}

void rig_remount(struct rig *rig)
{
    rig_unmount(rig);
    rig_mount(rig);
}

void rig_free(struct rig *rig)
{
    rig_unmount(rig);
    fault_medium_free(rig->medium);
}

const char *rig_image(struct rig *rig)
{
    static char path[64];
    snprintf(path, sizeof path, "/tmp/packetfs-rig-%ld.img", (long)getpid());
    rig_unmount(rig);
    assert_int_equal(fault_medium_save(rig->medium, path), 0);
    rig_mount(rig);
    return path;
}

uint64_t rig_udfinfo(const char *image, const char *key, char *text, size_t size)
{
    char command[256], line[512];
    uint64_t found = UINT64_MAX;
    bool seen = false;
    const char *program = getenv("UDFINFO");
    snprintf(command, sizeof command, "'%s' --utf8 '%s' 2>/dev/null", program ? program : "udfinfo", image);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof line, pipe)) {
        char *value = strchr(line, '=');
        if (!value || strncmp(line, key, (size_t)(value - line)) || key[value - line])
            continue;
        line[strcspn(line, "\n")] = 0;
        char *end;
        unsigned long long number = strtoull(value + 1, &end, 0);
        found = *end ? UINT64_MAX : number;
        if (text)
            snprintf(text, size, "%s", value + 1);
        seen = true;
    }
    assert_int_equal(pclose(pipe), 0);
    assert_true(seen);
    return found;
}

/* What tests/lib/udfcheck.py says, which shares no code with the library: nothing
 * may be wrong, nothing leaked. */
static void rig_check(const char *image)
{
    const char *program = getenv("UDFCHECK");
    char command[512];
    snprintf(command, sizeof command, "python3 '%s' --no-leaks --quiet '%s' >&2",
             program ? program : "tests/lib/udfcheck.py", image);
    assert_int_equal(system(command), 0);
}

void rig_judge(struct rig *rig)
{
    struct udf_volume_stat st;
    char integrity[32];
    udf_volume_sync(rig->vol);
    udf_volume_stat(rig->vol, &st);
    const char *image = rig_image(rig);
    assert_int_equal(rig_udfinfo(image, "numfiles", NULL, 0), st.files);
    assert_int_equal(rig_udfinfo(image, "numdirs", NULL, 0), st.directories);
    assert_int_equal(rig_udfinfo(image, "freeblocks", NULL, 0), st.blocks_free);
    rig_udfinfo(image, "integrity", integrity, sizeof integrity);
    assert_string_equal(integrity, "closed");
    rig_check(image);
    unlink(image);
}

struct udf_inode *rig_create(struct udf_inode *dir, const char *name, mode_t mode)
{
    struct udf_inode *inode;
    struct udf_new new_inode = {.mode = mode, .uid = 1000, .gid = 100};
    assert_int_equal(udf_dir_create(dir, name, strlen(name), &new_inode, &inode), 0);
    return inode;
}

struct udf_inode *rig_lookup(struct udf_inode *dir, const char *name)
{
    struct udf_inode *inode;
    assert_int_equal(udf_dir_lookup(dir, name, strlen(name), &inode), 0);
    return inode;
}

void rig_write(struct udf_inode *inode, uint64_t offset, const void *buf, size_t len)
{
    assert_int_equal(udf_file_write(inode, offset, buf, len), len);
}

void rig_expect(struct udf_inode *inode, uint64_t offset, const void *buf, size_t len)
{
    uint8_t *got = malloc(len + 1);
    assert_int_equal(udf_file_read(inode, offset, got, len), len);
    assert_memory_equal(got, buf, len);
    free(got);
}

uint64_t rig_size(struct udf_inode *inode)
{
    struct udf_stat st;
    udf_inode_stat(inode, &st);
    return st.size;
}
