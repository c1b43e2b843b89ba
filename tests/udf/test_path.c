/* SPDX-License-Identifier: MIT */
/* Symbolic links, permissions and the device specification. */
#include <errno.h>
#include <sys/stat.h>

#include "tests/udf/cmocka_all.h"
#include "udf/codec.h"

struct example {
    const char *path;
    uint8_t components[24];
    int len;
};

static const struct example examples[] = {
    {"a", {5, 2, 0, 0, 8, 'a'}, 6},
    {"/", {1, 0, 0, 0}, 4},
    {"/a", {1, 0, 0, 0, 5, 2, 0, 0, 8, 'a'}, 10},
    {"../b", {3, 0, 0, 0, 5, 2, 0, 0, 8, 'b'}, 10},
    {"./b", {4, 0, 0, 0, 5, 2, 0, 0, 8, 'b'}, 10},
    {".", {4, 0, 0, 0}, 4},
    {"..", {3, 0, 0, 0}, 4},
    {"../..", {3, 0, 0, 0, 3, 0, 0, 0}, 8},
    {"/.", {1, 0, 0, 0, 4, 0, 0, 0}, 8},
    {"a/", {5, 2, 0, 0, 8, 'a', 4, 0, 0, 0}, 10},
    {"./", {4, 0, 0, 0, 4, 0, 0, 0}, 8},
    {"a/./b", {5, 2, 0, 0, 8, 'a', 4, 0, 0, 0, 5, 2, 0, 0, 8, 'b'}, 16},
    {"...", {5, 4, 0, 0, 8, '.', '.', '.'}, 8},
    {"\xE2\x82\xAC", {5, 3, 0, 0, 16, 0x20, 0xAC}, 7},
    {"", {0}, 0},
};

static void test_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        const struct example *e = &examples[i];
        uint8_t components[64];
        char path[64];
        assert_int_equal(udf_path_encode(e->path, components, sizeof components), e->len);
        assert_memory_equal(components, e->components, (size_t)e->len);
        assert_int_equal(udf_path_decode(e->components, (size_t)e->len, path, sizeof path), strlen(e->path));
        assert_memory_equal(path, e->path, strlen(e->path));
    }
}

/* What means the same is written the same. */
static void test_slashes(void **state)
{
    static const char *const pairs[][2] = {
        {"a//b", "a/b"}, {"//a", "/a"}, {"///", "/"}, {"a///", "a/"}, {"a/.", "a/"}};
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        uint8_t components[64];
        char path[64];
        int len = udf_path_encode(pairs[i][0], components, sizeof components);
        assert_int_equal(udf_path_decode(components, (size_t)len, path, sizeof path), strlen(pairs[i][1]));
        assert_memory_equal(path, pairs[i][1], strlen(pairs[i][1]));
    }
}

static void test_root_of_volume(void **state)
{
    const uint8_t components[] = {2, 0, 0, 0, 5, 2, 0, 0, 8, 'a'};
    char path[8];
    (void)state;
    assert_int_equal(udf_path_decode(components, sizeof components, path, sizeof path), 2);
    assert_memory_equal(path, "/a", 2);
}

static void test_refused(void **state)
{
    static const uint8_t wrong[][12] = {
        {5, 9, 0, 0, 8, 'a'},             /* longer than what is there */
        {5, 4, 0, 0, 8, 'a', '/', 'b'},   /* a slash in a name */
        {5, 1, 0, 0, 8, 5, 2, 0},         /* a name of nothing; then cut off */
        {5, 0, 0, 0},                     /* likewise */
        {6, 0, 0, 0},                     /* no such type */
        {0, 0, 0, 0},                     /* likewise */
        {5, 2, 0, 0, 8, 'a', 1, 0, 0, 0}, /* the root in the middle */
        {1, 2, 0, 0, 8, 'a'},             /* a root by agreement: whose? */
    };
    static const size_t lens[] = {6, 8, 8, 4, 4, 4, 10, 6};
    char path[16], name[300];
    uint8_t components[300];
    (void)state;
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++)
        assert_int_equal(udf_path_decode(wrong[i], lens[i], path, sizeof path), -EUCLEAN);
    assert_int_equal(udf_path_decode(examples[2].components, 9, path, sizeof path), -EUCLEAN);
    for (size_t max = 0; max < 4; max++)
        assert_int_equal(udf_path_decode(examples[3].components, 10, path, max), -ENAMETOOLONG);
    for (size_t max = 0; max < 10; max++)
        assert_int_equal(udf_path_encode("../b", components, max), -ENAMETOOLONG);
    memset(name, 'x', 255);
    name[255] = 0;
    assert_int_equal(udf_path_encode(name, components, sizeof components), -ENAMETOOLONG);
    name[254] = 0;
    assert_int_equal(udf_path_encode(name, components, sizeof components), 4 + 255);
    assert_int_equal(udf_path_encode("a/\xFF", components, sizeof components), -EILSEQ);
}

static void test_permissions(void **state)
{
    (void)state;
    /* Windows wants DELETE and CHATTR with W: 0644 is owner RW+AD, group R, other R. */
    assert_int_equal(udf_permissions_from_mode(0644), 0x1E << 10 | 0x04 << 5 | 0x04);
    assert_int_equal(udf_permissions_from_mode(0751), 0x1F << 10 | 0x05 << 5 | 0x01);
    assert_int_equal(udf_permissions_from_mode(S_IFDIR | 06000), 0);
    for (uint32_t mode = 0; mode <= 0777; mode++)
        assert_int_equal(udf_permissions_to_mode(udf_permissions_from_mode(mode), UDF_FILE_REGULAR, 0),
                         S_IFREG | mode);
    assert_int_equal(udf_permissions_to_mode(0xFFFF8000u, UDF_FILE_DIRECTORY, 0xFE3F), S_IFDIR);
    assert_int_equal(udf_permissions_to_mode(0, UDF_FILE_REGULAR, UDF_ICB_SETUID), S_IFREG | S_ISUID);
    assert_int_equal(udf_permissions_to_mode(0, UDF_FILE_REGULAR, UDF_ICB_SETGID), S_IFREG | S_ISGID);
    assert_int_equal(udf_permissions_to_mode(0, UDF_FILE_DIRECTORY, UDF_ICB_STICKY), S_IFDIR | S_ISVTX);
}

static void test_types(void **state)
{
    static const uint32_t types[][2] = {
        {UDF_FILE_DIRECTORY, S_IFDIR},    {UDF_FILE_STREAM_DIRECTORY, S_IFDIR}, {UDF_FILE_REGULAR, S_IFREG},
        {UDF_FILE_BLOCK_DEVICE, S_IFBLK}, {UDF_FILE_CHAR_DEVICE, S_IFCHR},      {UDF_FILE_FIFO, S_IFIFO},
        {UDF_FILE_SOCKET, S_IFSOCK},      {UDF_FILE_SYMLINK, S_IFLNK},          {0, S_IFREG},
    };
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        assert_int_equal(udf_permissions_to_mode(0, (uint8_t)types[i][0], 0), types[i][1]);
}

static void test_device(void **state)
{
    struct udf_tag tag = {.version = 3, .serial = 1, .location = 77};
    uint8_t ea[128];
    uint32_t major = 0, minor = 0;
    (void)state;
    int len = udf_ea_device_encode(ea, sizeof ea, &tag, 0x0201, 0x12345, 7);
    assert_int_equal(len, 24 + 24 + 32);
    assert_int_equal(ea[0] | ea[1] << 8, 262);
    assert_int_equal(ea[12], 77);
    assert_memory_equal(ea + 16, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8); /* 2.00 on: no other areas */
    assert_int_equal(udf_ea_device_find(ea, (size_t)len, &major, &minor), 0);
    assert_int_equal(major, 0x12345);
    assert_int_equal(minor, 7);
    assert_int_equal(udf_ea_device_encode(ea, sizeof ea, &tag, 0x0150, 1, 2), len);
    assert_memory_equal(ea + 16, "\x50\0\0\0\x50\0\0\0",
                        8); /* up to 1.50: the other areas begin at the end */
    assert_int_equal(udf_ea_device_encode(ea, (size_t)len - 1, &tag, 0x0150, 1, 2), -ENOSPC);
}

static void test_device_hostile(void **state)
{
    struct udf_tag tag = {.version = 3};
    uint8_t ea[128];
    uint32_t major, minor;
    (void)state;
    size_t len = (size_t)udf_ea_device_encode(ea, sizeof ea, &tag, 0x0201, 1, 2);
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(udf_ea_device_find(ea, cut, &major, &minor), -ENODATA);
    static const uint32_t lengths[] = {0, 11, 16, 57, 0x80000000, 0xFFFFFFFF};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (unsigned k = 0; k < 4; k++)
            ea[24 + 8 + k] = (uint8_t)(lengths[i] >> (8 * k));
        assert_int_equal(udf_ea_device_find(ea, len, &major, &minor), -ENODATA);
    }
}

/* The attribute stands behind another one. */
static void test_device_second(void **state)
{
    struct udf_tag tag = {.version = 3};
    uint8_t ea[128] = {0};
    uint32_t major, minor;
    (void)state;
    size_t len = (size_t)udf_ea_device_encode(ea, sizeof ea, &tag, 0x0201, 1, 2);
    memmove(ea + 24 + 28, ea + 24, len - 24);
    memset(ea + 24, 0, 28);
    ea[24] = 5; /* file times */
    ea[28] = 1;
    ea[32] = 28;
    assert_int_equal(udf_ea_device_find(ea, len + 28, &major, &minor), 0);
    assert_int_equal(minor, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),       cmocka_unit_test(test_slashes),
        cmocka_unit_test(test_root_of_volume), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_permissions),    cmocka_unit_test(test_types),
        cmocka_unit_test(test_device),         cmocka_unit_test(test_device_hostile),
        cmocka_unit_test(test_device_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
