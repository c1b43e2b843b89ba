/* SPDX-License-Identifier: MIT */
/* The parser of the faults file, and the question whether a fault strikes here. */
#include "mmc/vdrive/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mmc/vdrive/media.h"

#define FAULTS_MAX 4096

static const struct {
    const char *name;
    enum vdrive_quirk quirk;
} quirk_names[] = {
    {"no_progress", VDRIVE_QUIRK_NO_PROGRESS},
    {"tur_good_while_busy", VDRIVE_QUIRK_TUR_GOOD_WHILE_BUSY},
    {"early_ready", VDRIVE_QUIRK_EARLY_READY},
    {"stuck_busy", VDRIVE_QUIRK_STUCK_BUSY},
    {"toc_fails_formatted", VDRIVE_QUIRK_TOC_FAILS_FORMATTED},
    {"erasable_lost", VDRIVE_QUIRK_ERASABLE_LOST},
    {"no_format_blank", VDRIVE_QUIRK_NO_FORMAT_BLANK},
    {"format_leaves_open", VDRIVE_QUIRK_FORMAT_LEAVES_OPEN},
    {"format_needs_page", VDRIVE_QUIRK_FORMAT_NEEDS_PAGE},
    {"ua_after_blank", VDRIVE_QUIRK_UA_AFTER_BLANK},
    {"bad_link_default", VDRIVE_QUIRK_BAD_LINK_DEFAULT},
    {"buffer_full_busy", VDRIVE_QUIRK_BUFFER_FULL_BUSY},
    {"sao_nwa_zero", VDRIVE_QUIRK_SAO_NWA_ZERO},
    {"close_track_fails", VDRIVE_QUIRK_CLOSE_TRACK_FAILS},
    {"zero_atip", VDRIVE_QUIRK_ZERO_ATIP},
};

static int fault_add(struct vdrive_faults *faults, const struct vdrive_fault *fault)
{
    struct vdrive_fault *list;

    if (faults->count == FAULTS_MAX)
        return -EINVAL;
    list = realloc(faults->list, (faults->count + 1) * sizeof(*list));
    if (!list)
        return -ENOMEM;
    faults->list = list;
    list[faults->count++] = *fault;
    return 0;
}

static bool word_number(const char *word, uint64_t *n)
{
    char *end;

    if (!word || *word < '0' || *word > '9')
        return false;
    errno = 0;
    *n = strtoull(word, &end, 10);
    return errno == 0 && *end == '\0';
}

static int fault_quirk(struct vdrive_faults *faults, const char *name)
{
    for (size_t i = 0; name && i < sizeof(quirk_names) / sizeof(quirk_names[0]); i++) {
        if (strcmp(name, quirk_names[i].name) == 0) {
            faults->quirks |= (unsigned)quirk_names[i].quirk;
            return 0;
        }
    }
    return -EINVAL;
}

/* "read-error LBA [COUNT] [once]", and the same for the two write errors. */
static int fault_blocks(struct vdrive_faults *faults, enum vdrive_fault_kind kind, char **save)
{
    struct vdrive_fault fault = {.kind = kind, .count = 1};
    char *word = strtok_r(NULL, " \t", save);

    if (!word_number(word, &fault.first))
        return -EINVAL;
    word = strtok_r(NULL, " \t", save);
    if (word && word_number(word, &fault.count))
        word = strtok_r(NULL, " \t", save);
    if (word && strcmp(word, "once") == 0) {
        fault.once = true;
        word = strtok_r(NULL, " \t", save);
    }
    return word ? -EINVAL : fault_add(faults, &fault);
}

/* "fail COMMAND K/ASC/ASCQ" */
static int fault_command(struct vdrive_faults *faults, char **save)
{
    struct vdrive_fault fault = {.kind = VDRIVE_FAULT_COMMAND};
    const char *number = strtok_r(NULL, " \t", save), *sense = strtok_r(NULL, " \t", save);
    unsigned key, asc, ascq;
    char rest;

    if (!word_number(number, &fault.first) || !sense)
        return -EINVAL;
    if (sscanf(sense, "%1x/%2x/%2x%c", &key, &asc, &ascq, &rest) != 3)
        return -EINVAL;
    fault.code = key << 16 | asc << 8 | ascq;
    return fault_add(faults, &fault);
}

static int fault_number(struct vdrive_faults *faults, const char *verb, const char *word)
{
    struct vdrive_fault fault = {.kind = VDRIVE_FAULT_POWER};

    if (!word_number(word, &fault.first))
        return -EINVAL;
    if (strcmp(verb, "power-cut") == 0)
        return fault_add(faults, &fault);
    if (fault.first == 0 || fault.first > UINT32_MAX)
        return -EINVAL;
    faults->wear = (uint32_t)fault.first;
    return 0;
}

static int fault_line(struct vdrive_faults *faults, char *line)
{
    char *save, *verb;
    int err;

    line[strcspn(line, "#\n")] = '\0';
    verb = strtok_r(line, " \t", &save);
    if (!verb)
        return 0;
    if (strcmp(verb, "read-error") == 0)
        return fault_blocks(faults, VDRIVE_FAULT_READ, &save);
    if (strcmp(verb, "write-error") == 0)
        return fault_blocks(faults, VDRIVE_FAULT_WRITE, &save);
    if (strcmp(verb, "write-error-deferred") == 0)
        return fault_blocks(faults, VDRIVE_FAULT_WRITE_DEFERRED, &save);
    if (strcmp(verb, "fail") == 0)
        err = fault_command(faults, &save);
    else if (strcmp(verb, "quirk") == 0)
        err = fault_quirk(faults, strtok_r(NULL, " \t", &save));
    else if (strcmp(verb, "power-cut") == 0 || strcmp(verb, "wear") == 0)
        err = fault_number(faults, verb, strtok_r(NULL, " \t", &save));
    else
        err = -EINVAL;
    return err ? err : strtok_r(NULL, " \t", &save) ? -EINVAL : 0;
}

int vdrive_faults_load(struct vdrive_faults *faults, int dir)
{
    int fd = openat(dir, VDRIVE_FAULTS_NAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err = 0;
    struct stat st;
    char line[256];
    FILE *file;

    *faults = (struct vdrive_faults){0};
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return -EINVAL;
    }
    file = fdopen(fd, "r");
    if (!file) {
        close(fd);
        return -ENOMEM;
    }
    while (!err && fgets(line, sizeof(line), file))
        err = fault_line(faults, line);
    fclose(file);
    if (err)
        vdrive_faults_free(faults);
    return err;
}

void vdrive_faults_free(struct vdrive_faults *faults)
{
    free(faults->list);
    faults->list = NULL;
    faults->count = 0;
}

bool vdrive_fault_blocks(struct vdrive_faults *faults, enum vdrive_fault_kind kind, mmc_lba_t first,
                         uint32_t count, mmc_lba_t *struck)
{
    struct vdrive_fault *hit = NULL;
    uint64_t at = 0;

    for (unsigned i = 0; i < faults->count; i++) {
        struct vdrive_fault *fault = &faults->list[i];
        uint64_t from = (uint64_t)(first.n > 0 ? first.n : 0),
                 here = fault->first > from ? fault->first : from;

        if (fault->kind != kind || fault->done || here >= from + count || here - fault->first >= fault->count)
            continue;
        if (!hit || here < at) {
            hit = fault;
            at = here;
        }
    }
    if (!hit)
        return false;
    hit->done = hit->once;
    *struck = mmc_lba((int64_t)at);
    return true;
}

const struct vdrive_fault *vdrive_fault_command(struct vdrive_faults *faults, enum vdrive_fault_kind kind,
                                                uint64_t n)
{
    for (unsigned i = 0; i < faults->count; i++) {
        if (faults->list[i].kind == kind && faults->list[i].first == n)
            return &faults->list[i];
    }
    return NULL;
}
