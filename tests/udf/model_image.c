/* SPDX-License-Identifier: MIT */
/*
 * model_image IMAGE LIST KIND SEED STEPS: IMAGE, and IMAGE.tidy without blocks behind the ends of files, are
 * what random operations leave on a volume of one kind (a number), and the list of it (model_list) that other
 * readers of the image must agree with.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/model.h"

static char **words;

static void image_save(struct rig *rig, const char *suffix)
{
    char path[512];
    snprintf(path, sizeof path, "%s%s", words[1], suffix);
    rig_unmount(rig);
    assert_int_equal(fault_medium_save(rig->medium, path), 0);
    rig_mount(rig);
}

/* Setting a file's size gives back what is allocated behind its end. */
static void file_tidy(struct rig *rig, const struct model_node *node)
{
    struct udf_stat st = {.size = node->size};
    struct udf_inode *inode;
    assert_int_equal(udf_inode_get(rig->vol, node->ino, &inode), 0);
    assert_int_equal(udf_inode_set(inode, &st, UDF_SET_SIZE), 0);
    udf_inode_put(inode);
}

static void image_test(void **state)
{
    static struct model model;
    struct rig rig;
    unsigned kind = (unsigned)strtoul(words[3], NULL, 0), steps = (unsigned)strtoul(words[5], NULL, 0);
    (void)state;
    assert_in_range(kind, 0, rig_spec_count - 1);
    rig_make(&rig, &rig_specs[kind]);
    model_begin(&model, &rig, strtoull(words[4], NULL, 0));
    for (unsigned i = 0; i < steps; i++)
        model_step(&model);
    model_list(&model, words[2]);
    image_save(&rig, "");
    for (int i = 1; i < MODEL_NODES; i++)
        if (S_ISREG(model.nodes[i].mode))
            file_tidy(&rig, &model.nodes[i]);
    image_save(&rig, ".tidy");
    rig_unmount(&rig);
    fault_medium_free(rig.medium);
    model_end(&model);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(image_test)};
    words = argv;
    return argc == 6 ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
