/* SPDX-License-Identifier: MIT */
/* Names of any alphabet and length, and what symbolic links can say. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/volume_rig.h"
#include "udf/codec.h"

static int create(struct rig *rig, const char *name, size_t len)
{
    struct udf_new new_inode = {.mode = S_IFREG | 0644};
    struct udf_inode *inode;
    int err = udf_dir_create(rig->root, name, len, &new_inode, &inode);
    if (!err)
        udf_inode_put(inode);
    return err;
}

static void repeat(char *name, const char *letter, unsigned times)
{
    *name = 0;
    for (unsigned i = 0; i < times; i++)
        strcat(name, letter);
}

static void test_lengths(void **state)
{
    /* Letters with the most of them that a name can have: 254 of one byte, 127 of two, 63 pairs of two. */
    static const struct {
        const char *letter;
        unsigned most;
    } cases[] = {{"a", 254}, {"\u00FF", 254}, {"\u0100", 127}, {"\u3042", 127}, {"\U0001F4BF", 63}};
    char name[1024];
    struct rig rig;
    (void)state;
    for (unsigned kind = 0; kind < rig_spec_count; kind++) {
        rig_make(&rig, &rig_specs[kind]);
        for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
            repeat(name, cases[i].letter, cases[i].most);
            assert_int_equal(create(&rig, name, strlen(name)), 0);
            assert_int_equal(create(&rig, name, strlen(name)), -EEXIST);
            strcat(name, cases[i].letter);
            assert_int_equal(create(&rig, name, strlen(name)), -ENAMETOOLONG);
        }
        rig_judge(&rig);
        for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct udf_inode *inode;
            repeat(name, cases[i].letter, cases[i].most);
            udf_inode_put(rig_lookup(rig.root, name));
            strcat(name, cases[i].letter);
            assert_int_equal(udf_dir_lookup(rig.root, name, strlen(name), &inode), -ENAMETOOLONG);
            repeat(name, cases[i].letter, cases[i].most);
            assert_int_equal(udf_dir_unlink(rig.root, name, strlen(name)), 0);
        }
        rig_judge(&rig);
        rig_free(&rig);
    }
}

static void test_refused(void **state)
{
    static const char *const not_utf8[] = {"\xFF", "a\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                                           "\x80"};
    struct udf_inode *inode;
    struct rig rig;
    (void)state;
    rig_make(&rig, &rig_specs[4]);
    for (unsigned i = 0; i < sizeof not_utf8 / sizeof *not_utf8; i++) {
        assert_int_equal(create(&rig, not_utf8[i], strlen(not_utf8[i])), -EILSEQ);
        assert_int_equal(udf_dir_lookup(rig.root, not_utf8[i], strlen(not_utf8[i]), &inode), -EILSEQ);
    }
    assert_int_equal(create(&rig, "", 0), -EINVAL);
    assert_int_equal(create(&rig, "a/b", 3), -EINVAL);
    assert_int_equal(create(&rig, "a\0b", 3), -EINVAL);
    assert_int_equal(create(&rig, ".", 1), -EINVAL);
    assert_int_equal(create(&rig, "..", 2), -EINVAL);
    assert_int_equal(udf_dir_lookup(rig.root, "a", 1, &inode), -ENOENT);
    rig_judge(&rig);
    rig_free(&rig);
}

/* Names that differ in nothing but case, form of an accent, or blanks are different names. */
static void test_distinct(void **state)
{
    static const char *const names[] = {"a",  "A",   "\u00E4", "a\u0308", "a ", " a",
                                        "a.", "...", "a\tb",   "a\nb",    "\\", "*?:"};
    struct rig rig;
    (void)state;
    rig_make(&rig, &rig_specs[4]);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(create(&rig, names[i], strlen(names[i])), 0);
    rig_remount(&rig);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(udf_dir_unlink(rig.root, names[i], strlen(names[i])), 0);
    rig_free(&rig);
}

static void link_round(struct rig *rig, const char *target, const char *wanted)
{
    char got[8192];
    struct udf_new new_inode = {.mode = S_IFLNK | 0777, .target = target};
    struct udf_inode *inode;
    assert_int_equal(udf_dir_create(rig->root, "l", 1, &new_inode, &inode), 0);
    udf_inode_put(inode);
    rig_remount(rig);
    inode = rig_lookup(rig->root, "l");
    assert_int_equal(udf_link_read(inode, got, sizeof got), strlen(wanted));
    assert_string_equal(got, wanted);
    if (*wanted) {
        assert_int_equal(udf_link_read(inode, got, strlen(wanted)), -ENAMETOOLONG);
        assert_int_equal(udf_link_read(inode, got, strlen(wanted) + 1), strlen(wanted));
    }
    udf_inode_put(inode);
    assert_int_equal(udf_dir_unlink(rig->root, "l", 1), 0);
}

static void test_links(void **state)
{
    /* What cannot be said exactly in components, which are all that UDF has: slashes in a row are one. */
    static const char *const targets[][2] = {
        {"file", NULL},
        {"/", NULL},
        {"/etc/passwd", NULL},
        {"../../x", NULL},
        {".", NULL},
        {"..", NULL},
        {"./a", NULL},
        {"a/./b", NULL},
        {"a/", NULL},
        {"../", NULL},
        {"\u65E5\u672C/\u00E4", NULL},
        {"a//b", "a/b"},
        {"//a", "/a"},
    };
    struct rig rig;
    char target[4096];
    (void)state;
    for (unsigned kind = 0; kind < 2; kind++) {
        rig_make(&rig, &rig_specs[kind * 4]);
        for (unsigned i = 0; i < sizeof targets / sizeof *targets; i++)
            link_round(&rig, targets[i][0], targets[i][1] ? targets[i][1] : targets[i][0]);
        /* The longest that Linux takes, in the shortest names and so the most components. */
        repeat(target, "a/", 2047);
        link_round(&rig, target, target);
        memset(target, 'n', 4095);
        for (unsigned i = 200; i < 4095; i += 200)
            target[i] = '/';
        target[4095] = 0;
        link_round(&rig, target, target);
        struct udf_new new_inode = {.mode = S_IFLNK | 0777, .target = ""};
        struct udf_inode *inode;
        assert_int_equal(udf_dir_create(rig.root, "l", 1, &new_inode, &inode), -EINVAL);
        memset(target, 'n', 300);
        target[300] = 0;
        new_inode.target = target;
        assert_int_equal(udf_dir_create(rig.root, "l", 1, &new_inode, &inode), -ENAMETOOLONG);
        new_inode.target = "\xFF";
        assert_int_equal(udf_dir_create(rig.root, "l", 1, &new_inode, &inode), -EILSEQ);
        inode = rig_create(rig.root, "f", S_IFREG | 0644);
        assert_int_equal(udf_link_read(inode, target, sizeof target), -EINVAL);
        udf_inode_put(inode);
        rig_judge(&rig);
        rig_free(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_distinct),
        cmocka_unit_test(test_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
