/* SPDX-License-Identifier: MIT */
/* One command on its way through the drive, and what handlers of commands answer with. */
#ifndef MMC_VDRIVE_COMMAND_H
#define MMC_VDRIVE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mmc/units.h"
#include "mmc/vdrive/vdrive.h"

#define VDRIVE_CDB_BYTES   16
#define VDRIVE_SENSE_BYTES 18

/* Key, code and qualifier in one number: 0x52100 is 5/21/00. */
typedef uint32_t vdrive_sense_code_t;

enum vdrive_sense_codes {
    VDRIVE_BECOMING_READY = 0x20401,
    VDRIVE_FORMATTING = 0x20404,
    VDRIVE_OPERATION = 0x20407,
    VDRIVE_LONG_WRITE = 0x20408,
    VDRIVE_TRAY_OPEN = 0x23a02,
    VDRIVE_WRITE_ERROR = 0x30c00,
    VDRIVE_UNDERRUN = 0x30c09,
    VDRIVE_READ_ERROR = 0x31105,
    VDRIVE_FORMAT_FAILED = 0x33101,
    VDRIVE_ERASE_FAILED = 0x35100,
    VDRIVE_HARDWARE_TIMEOUT = 0x43e02,
    VDRIVE_POWER_LOST = 0x43e00,
    VDRIVE_LIST_LENGTH = 0x51a00,
    VDRIVE_BAD_OPCODE = 0x52000,
    VDRIVE_LBA_RANGE = 0x52100,
    VDRIVE_BAD_ADDRESS = 0x52102,
    VDRIVE_BAD_CDB = 0x52400,
    VDRIVE_BAD_LIST = 0x52600,
    VDRIVE_BAD_SEQUENCE = 0x52c00,
    VDRIVE_CANNOT_WRITE = 0x53005,
    VDRIVE_CANNOT_FORMAT = 0x53006,
    VDRIVE_NO_SAVING = 0x53900,
    VDRIVE_LOCKED = 0x55302,
    VDRIVE_END_OF_AREA = 0x56300,
    VDRIVE_WRONG_MODE = 0x56400,
    VDRIVE_BAD_PACKET = 0x56401,
    VDRIVE_TRACK_INCOMPLETE = 0x57203,
    VDRIVE_CHANGED = 0x62800,
    VDRIVE_RESET = 0x62900,
    VDRIVE_PROTECTED = 0x72700,
    VDRIVE_BLANK_CHECK = 0x80000,
};

struct vdrive_command {
    uint8_t cdb[VDRIVE_CDB_BYTES]; /* zeros behind what the host sent */
    const uint8_t *out;
    size_t out_len;
    uint8_t *in;
    size_t in_room;
    struct vdrive_reply *reply;
};

/* Fixed-format sense (SPC-4 4.5.3) into 18 bytes. */
void vdrive_sense_fill(uint8_t sense[VDRIVE_SENSE_BYTES], vdrive_sense_code_t code, bool deferred);
/* The INFORMATION field: the block that it is about. */
void vdrive_sense_lba(uint8_t sense[VDRIVE_SENSE_BYTES], mmc_lba_t lba);
/* SKSV with a progress indication. */
void vdrive_sense_progress(uint8_t sense[VDRIVE_SENSE_BYTES], uint16_t progress);

/* Ends the command with CHECK CONDITION. */
void vdrive_command_fail(struct vdrive_command *c, vdrive_sense_code_t code);
void vdrive_command_fail_at(struct vdrive_command *c, vdrive_sense_code_t code, mmc_lba_t lba);
bool vdrive_command_failed(const struct vdrive_command *c);

/* Answers with as many of the len bytes as the allocation length and the host's buffer have room for. */
void vdrive_command_answer(struct vdrive_command *c, const void *data, size_t len, size_t allocation);

#endif
