/* SPDX-License-Identifier: MIT */
/*
 * Random operations on a volume and on a model of it, which must agree, over remounts; then udfinfo's counts,
 * and in the end nothing left behind. Arguments: SEED STEPS, for longer runs by hand.
 */
#include <stdio.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/model.h"

static uint64_t seed = 1;
static unsigned steps = 1500;

static void model_test(void **state)
{
    static struct model model;
    struct udf_volume_stat before, after;
    struct rig rig;
    rig_make(&rig, *state);
    udf_volume_stat(rig.vol, &before);
    model_begin(&model, &rig, seed);
    print_message("%s: seed %llu\n", rig.kind, (unsigned long long)seed);
    for (unsigned i = 1; i <= steps; i++) {
        model_step(&model);
        if (i % 100 == 0)
            assert_int_equal(udf_volume_sync(rig.vol), 0);
        if (i % 250 == 0) {
            rig_remount(&rig);
            model_compare(&model);
        }
    }
    model_compare(&model);
    rig_judge(&rig);
    model_compare(&model);
    model_clear(&model);
    rig_remount(&rig);
    udf_volume_stat(rig.vol, &after);
    assert_int_equal(after.files, before.files);
    assert_int_equal(after.directories, before.directories);
    /* The root may have moved out of its ICB into a block. */
    assert_in_range(after.blocks_free, before.blocks_free - 1, before.blocks_free);
    assert_int_equal(rig.warnings, 0);
    model_end(&model);
    rig_free(&rig);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[8] = {0};
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 0);
    if (argc > 2)
        steps = (unsigned)strtoul(argv[2], NULL, 0);
    for (unsigned i = 0; i < rig_spec_count; i++)
        tests[i] = (struct CMUnitTest){rig_specs[i].options, model_test, NULL, NULL, (void *)&rig_specs[i]};
    return _cmocka_run_group_tests("model", tests, rig_spec_count, NULL, NULL);
}
