/* SPDX-License-Identifier: MIT */
/* The last error of a drive: what failed, whole, and the one sentence that programs print of it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mmc/drive.h"

struct command_name {
    uint8_t opcode;
    const char *name;
};

static const struct command_name command_names[] = {
    {0x00, "TEST UNIT READY"},
    {0x03, "REQUEST SENSE"},
    {0x04, "FORMAT UNIT"},
    {0x12, "INQUIRY"},
    {0x1B, "START STOP UNIT"},
    {0x1E, "PREVENT ALLOW MEDIUM REMOVAL"},
    {0x23, "READ FORMAT CAPACITIES"},
    {0x25, "READ CAPACITY"},
    {0x28, "READ (10)"},
    {0x2A, "WRITE (10)"},
    {0x35, "SYNCHRONIZE CACHE"},
    {0x43, "READ TOC/PMA/ATIP"},
    {0x46, "GET CONFIGURATION"},
    {0x4A, "GET EVENT STATUS NOTIFICATION"},
    {0x51, "READ DISC INFORMATION"},
    {0x52, "READ TRACK INFORMATION"},
    {0x53, "RESERVE TRACK"},
    {0x54, "SEND OPC INFORMATION"},
    {0x55, "MODE SELECT (10)"},
    {0x5A, "MODE SENSE (10)"},
    {0x5B, "CLOSE TRACK SESSION"},
    {0x5C, "READ BUFFER CAPACITY"},
    {0xA1, "BLANK"},
    {0xAC, "GET PERFORMANCE"},
    {0xBB, "SET CD SPEED"},
};

/* The name of a command in the standard's words; never NULL. */
static const char *command_name(uint8_t opcode)
{
    for (size_t i = 0; i < sizeof(command_names) / sizeof(command_names[0]); i++)
        if (command_names[i].opcode == opcode)
            return command_names[i].name;
    return "command";
}

/* Why there is no sense to show. */
static const char *plain_reason(int error)
{
    switch (error) {
    case -ETIMEDOUT:
        return "the drive did not answer in time. Take the disc out, or switch the drive off and on.";
    case -ENODEV:
        return "the drive is gone. Check its cable and its power.";
    case -EPERM:
    case -EACCES:
        return "the kernel does not allow it. Membership of group cdrom is needed, and a device opened for "
               "writing.";
    case -EPROTO:
        return "the drive's reply makes no sense.";
    case -ESTALE:
        return "the disc was changed. Put the disc back in that was there before.";
    case -EROFS:
        return "the drive was opened only to look.";
    case -EBUSY:
        return "the drive is busy and stays so.";
    default:
        return NULL;
    }
}

static void sentence_make(struct mmc_error *e, bool has_sense)
{
    char words[128], place[32] = "";
    const char *reason = plain_reason(e->error), *hint;

    if (e->lba_set)
        snprintf(place, sizeof(place), " at block %d", (int)e->lba.n);
    if (!has_sense) {
        snprintf(e->text, sizeof(e->text), "%s%s failed: %s", e->command, place,
                 reason ? reason : strerrordesc_np(-e->error));
        return;
    }
    hint = mmc_sense_hint(&e->sense);
    mmc_sense_text(&e->sense, words, sizeof(words));
    snprintf(e->text, sizeof(e->text), "%s%s failed: %s.%s%s", e->command, place, words, hint ? " " : "",
             hint ? hint : "");
}

void mmc_error_make(struct mmc_error *e, int error, uint8_t opcode, const mmc_lba_t *lba,
                    const struct mmc_sense *sense)
{
    bool has_sense = sense && (sense->key || sense->asc || sense->ascq);

    *e = (struct mmc_error){.error = error, .opcode = opcode, .command = command_name(opcode)};
    if (lba) {
        e->lba_set = true;
        e->lba = *lba;
    }
    if (sense)
        e->sense = *sense;
    sentence_make(e, has_sense);
}

static void last_set(struct mmc_drive *drive, const struct mmc_error *e)
{
    pthread_mutex_lock(&drive->lock);
    drive->last = *e;
    pthread_mutex_unlock(&drive->lock);
}

int mmc_error_keep(struct mmc_drive *drive, int error, uint8_t opcode, const mmc_lba_t *lba,
                   const struct mmc_sense *sense)
{
    struct mmc_error e;

    mmc_error_make(&e, error, opcode, lba, sense);
    last_set(drive, &e);
    return error;
}

int mmc_error_note(struct mmc_drive *drive, int error, const char *format, ...)
{
    struct mmc_error e = {.error = error, .command = ""};
    va_list args;

    va_start(args, format);
    vsnprintf(e.text, sizeof(e.text), format, args);
    va_end(args);
    last_set(drive, &e);
    return error;
}

void mmc_error_last(struct mmc_drive *drive, struct mmc_error *error)
{
    pthread_mutex_lock(&drive->lock);
    *error = drive->last;
    pthread_mutex_unlock(&drive->lock);
}
