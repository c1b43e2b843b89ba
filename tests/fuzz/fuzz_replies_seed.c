/* SPDX-License-Identifier: MIT */
/*
 * Makes the seeds of fuzz_replies: what a drive that keeps to the rules answers, written down in the fuzzer's
 * form, so that it starts from conversations that get somewhere. fuzz_replies_seed FOLDER makes the folder.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "drive_model.h"
#include "mmc/command.h"

#define KIND_CHECK 0x00
#define KIND_GOOD  0x30

/* The model, and where its answers are written down. */
struct recorder {
    struct fake fake;
    struct model model;
    FILE *out;
};

static int record(struct fake *fake, struct mmc_request *r)
{
    struct recorder *rec = (struct recorder *)fake;
    size_t len;
    int error = r->cdb[0] == 0x28 || r->cdb[0] == 0x5A || r->cdb[0] == 0x5C ? 0 : model_handle(fake, r);

    if (r->status == MMC_STATUS_CHECK_CONDITION) {
        fputc(KIND_CHECK, rec->out);
        fputc(r->sense_len, rec->out);
        fwrite(r->sense, r->sense_len, 1, rec->out);
        return error;
    }
    fputc(KIND_GOOD, rec->out);
    if (r->direction == MMC_DIR_IN) {
        len = r->transferred < 255 ? r->transferred : 255;
        fputc((int)len, rec->out);
        fwrite(r->data, len, 1, rec->out);
    }
    return error;
}

/* Says what fuzz_replies says to a drive; what is the first byte of the input, which chooses. */
static void converse(struct mmc_drive *drive, unsigned what)
{
    struct mmc_media_event event;
    struct mmc_disc_info info;
    uint8_t raw[300];
    size_t len;

    mmc_disc_info_get(drive, &info);
    mmc_media_event_get(drive, &event);
    mmc_mode_sense(drive, 5, raw, 64, &len);
    mmc_toc_read_raw(drive, what & 15, 1, raw, sizeof(raw), &len);
    if (what & 0x10)
        mmc_format_packets(drive, NULL, NULL);
    if (what & 0x20)
        mmc_blank(drive, what & 0x40, NULL, NULL);
}

static int seed_make(const char *folder, unsigned n, struct model model, unsigned what)
{
    struct recorder rec = {.model = model};
    struct mmc_drive *drive;
    char path[4096];

    snprintf(path, sizeof(path), "%s/seed%u", folder, n);
    rec.out = fopen(path, "wb");
    if (!rec.out)
        return -errno;
    fputc((int)what, rec.out);
    fake_handler(&rec.fake, record, &rec.model);
    if (mmc_open_transport(&rec.fake.transport, &drive, NULL) == 0) {
        converse(drive, what);
        mmc_close(drive);
    }
    return fclose(rec.out) ? -errno : 0;
}

int main(int argc, char **argv)
{
    const struct model quirks[] = {
        {0}, {.refuses_blank = true}, {.no_progress = true}, {.refuses_immed = true}};
    unsigned n = 0;

    if (argc != 2 || (mkdir(argv[1], 0777) != 0 && errno != EEXIST))
        return 1;
    for (size_t q = 0; q < sizeof(quirks) / sizeof(quirks[0]); q++) {
        for (enum model_disc disc = MODEL_NONE; disc <= MODEL_FORMATTED; disc++) {
            struct model model = quirks[q];

            model.disc = disc;
            model.profile = 0x0A;
            if (seed_make(argv[1], n++, model, 0x00) || seed_make(argv[1], n++, model, 0x10) ||
                seed_make(argv[1], n++, model, 0x60))
                return 1;
        }
    }
    return 0;
}
