/* SPDX-License-Identifier: MIT */
/*
 * Power cuts under real files and directories: whatever write the power fails at, the volume mounts again and
 * is, name for name and byte for byte, as of the last sync that had finished, or as of the next one; and can
 * be written to. Arguments: SEED CUTS, for longer runs by hand.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "tests/udf/cmocka_all.h"
#include "tests/udf/model.h"

#define SYNCS          30
#define STEPS_PER_SYNC 12

static uint64_t seed = 1;
static unsigned cuts = 60;

/* Everything on a volume as text. */
struct text {
    char *bytes;
    size_t len, room;
    struct rig *rig;
    struct udf_inode *dir;
    char path[2000];
};

static void text_add(struct text *text, const char *line)
{
    size_t len = strlen(line);
    if (text->len + len + 1 > text->room) {
        text->room = (text->len + len + 1) * 2;
        text->bytes = realloc(text->bytes, text->room);
        assert_non_null(text->bytes);
    }
    memcpy(text->bytes + text->len, line, len + 1);
    text->len += len;
}

static uint32_t contents_sum(struct udf_inode *inode, uint64_t size)
{
    uint8_t *bytes = malloc(size + 1);
    uint32_t sum = 1;
    assert_int_equal(udf_file_read(inode, 0, bytes, size), size);
    for (uint64_t i = 0; i < size; i++)
        sum = sum * 31 + bytes[i];
    free(bytes);
    return sum;
}

static int text_entry(void *ctx, const struct udf_entry *entry)
{
    struct text *text = ctx;
    struct udf_inode *inode;
    struct udf_stat st;
    char line[2300];
    assert_int_equal(udf_inode_get(text->rig->vol, entry->ino, &inode), 0);
    udf_inode_stat(inode, &st);
    snprintf(line, sizeof line, "%s/%s %o %llu %u %u\n", text->path, entry->name, (unsigned)st.mode,
             (unsigned long long)(S_ISREG(st.mode) ? st.size : 0), st.links,
             S_ISREG(st.mode) ? contents_sum(inode, st.size) : 0);
    text_add(text, line);
    if (S_ISDIR(st.mode)) {
        size_t len = strlen(text->path);
        snprintf(text->path + len, sizeof text->path - len, "/%s", entry->name);
        assert_int_equal(udf_dir_read(inode, 0, text_entry, text), 0);
        text->path[len] = 0;
    }
    udf_inode_put(inode);
    return 0;
}

static char *volume_text(struct rig *rig)
{
    struct text text = {.rig = rig};
    text_add(&text, "\n");
    assert_int_equal(udf_dir_read(rig->root, 0, text_entry, &text), 0);
    return text.bytes;
}

/* Mounts what a cut left; says which of two texts it is. */
static void cut_check(struct fault_medium *medium, const struct rig *original, const char *before,
                      const char *after)
{
    struct rig rig = {.kind = original->kind, .medium = medium};
    rig_mount(&rig);
    char *text = volume_text(&rig);
    assert_true(!strcmp(text, before) || !strcmp(text, after));
    free(text);
    struct udf_inode *file = rig_create(rig.root, "after the cut", S_IFREG | 0644);
    rig_write(file, 0, "alive", 5);
    udf_inode_put(file);
    rig_remount(&rig);
    file = rig_lookup(rig.root, "after the cut");
    rig_expect(file, 0, "alive", 5);
    udf_inode_put(file);
    rig_free(&rig);
}

static void crash_test(void **state)
{
    static struct model model;
    static char *texts[SYNCS + 2];
    uint64_t synced[SYNCS + 1];
    struct fault_stats stats;
    struct rig rig;
    rig_make(&rig, *state);
    model_begin(&model, &rig, seed);
    for (unsigned i = 0; i < 200; i++)
        model_step(&model);
    rig_remount(&rig);
    assert_int_equal(fault_medium_record(rig.medium), 0);
    fault_medium_stats(rig.medium, &stats);
    synced[0] = stats.writes;
    texts[0] = volume_text(&rig);
    for (unsigned i = 1; i <= SYNCS; i++) {
        for (unsigned step = 0; step < STEPS_PER_SYNC; step++)
            model_step(&model);
        assert_int_equal(udf_volume_sync(rig.vol), 0);
        texts[i] = volume_text(&rig);
        fault_medium_stats(rig.medium, &stats);
        synced[i] = stats.writes;
        if (i % 7 == 0)
            assert_int_equal(udf_volume_tick(rig.vol, true), 0);
    }
    print_message("%s: seed %llu, %llu writes\n", rig.kind, (unsigned long long)seed,
                  (unsigned long long)(stats.writes - synced[0]));
    unsigned at = 0;
    for (unsigned i = 0; i < cuts; i++) {
        uint64_t write = synced[0] + 1 + (stats.writes - synced[0]) * i / cuts;
        struct fault_medium *cut;
        while (at < SYNCS && synced[at + 1] < write)
            at++;
        assert_int_equal(fault_medium_cut_copy(rig.medium, write, i, &cut), 0);
        cut_check(cut, &rig, texts[at], texts[at < SYNCS ? at + 1 : at]);
    }
    for (unsigned i = 0; i <= SYNCS; i++)
        free(texts[i]);
    model_end(&model);
    rig_free(&rig);
}

int main(int argc, char **argv)
{
    /* The volumes with a journal: without one, nothing is promised. */
    const struct CMUnitTest tests[] = {
        {rig_specs[3].options, crash_test, NULL, NULL, (void *)&rig_specs[3]},
        {rig_specs[4].options, crash_test, NULL, NULL, (void *)&rig_specs[4]},
    };
    if (argc > 1)
        seed = strtoull(argv[1], NULL, 0);
    if (argc > 2)
        cuts = (unsigned)strtoul(argv[2], NULL, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
