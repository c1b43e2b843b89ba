/* SPDX-License-Identifier: MIT */
/* Which command is which, and in which state of the drive it is not carried out: the rules of docs/drive.md.
 */
#include "mmc/vdrive/drive.h"

#include <string.h>

enum command_flags {
    ALWAYS = 1, /* runs with a unit attention or a deferred error pending, and does not report it */
    BUSY = 2,   /* runs during BLANK, FORMAT UNIT and CLOSE SESSION */
    MEDIUM = 4, /* needs a disc */
    WRITES = 8, /* needs a disc that may be written */
    SPINS = 16, /* needs the disc turning */
};

struct command_entry {
    uint8_t opcode, length;
    unsigned flags;
    vdrive_handler *handler;
    const char *name;
};

static const struct command_entry commands[] = {
    {0x00, 6, MEDIUM, vdrive_test_unit_ready, "TEST UNIT READY"},
    {0x03, 6, ALWAYS | BUSY, vdrive_request_sense, "REQUEST SENSE"},
    {0x04, 6, MEDIUM | WRITES | SPINS, vdrive_format_unit, "FORMAT UNIT"},
    {0x12, 6, ALWAYS | BUSY, vdrive_inquiry, "INQUIRY"},
    {0x15, 6, BUSY, vdrive_mode_select, "MODE SELECT (6)"},
    {0x1a, 6, BUSY, vdrive_mode_sense, "MODE SENSE (6)"},
    {0x1b, 6, 0, vdrive_start_stop, "START STOP UNIT"},
    {0x1e, 6, BUSY, vdrive_prevent_allow, "PREVENT ALLOW MEDIUM REMOVAL"},
    {0x23, 10, 0, vdrive_read_format_capacities, "READ FORMAT CAPACITIES"},
    {0x25, 10, MEDIUM, vdrive_read_capacity, "READ CAPACITY"},
    {0x28, 10, MEDIUM | SPINS, vdrive_read, "READ (10)"},
    {0x2a, 10, MEDIUM | WRITES | SPINS, vdrive_write, "WRITE (10)"},
    {0x2b, 10, MEDIUM | SPINS, vdrive_seek, "SEEK (10)"},
    {0x35, 10, MEDIUM, vdrive_synchronize_cache, "SYNCHRONIZE CACHE"},
    {0x42, 10, MEDIUM | SPINS, vdrive_read_sub_channel, "READ SUB-CHANNEL"},
    {0x43, 10, MEDIUM, vdrive_read_toc, "READ TOC/PMA/ATIP"},
    {0x44, 10, MEDIUM | SPINS, vdrive_read_header, "READ HEADER"},
    {0x46, 10, ALWAYS | BUSY, vdrive_get_configuration, "GET CONFIGURATION"},
    {0x4a, 10, ALWAYS | BUSY, vdrive_get_event_status, "GET EVENT STATUS NOTIFICATION"},
    {0x51, 10, MEDIUM, vdrive_read_disc_information, "READ DISC INFORMATION"},
    {0x52, 10, MEDIUM, vdrive_read_track_information, "READ TRACK INFORMATION"},
    {0x54, 10, MEDIUM | WRITES | SPINS, vdrive_send_opc, "SEND OPC INFORMATION"},
    {0x55, 10, BUSY, vdrive_mode_select, "MODE SELECT (10)"},
    {0x5a, 10, BUSY, vdrive_mode_sense, "MODE SENSE (10)"},
    {0x5b, 10, MEDIUM | WRITES | SPINS, vdrive_close_track_session, "CLOSE TRACK/SESSION"},
    {0x5d, 10, MEDIUM | WRITES | SPINS, vdrive_send_cue_sheet, "SEND CUE SHEET"},
    {0x5c, 10, MEDIUM, vdrive_read_buffer_capacity, "READ BUFFER CAPACITY"},
    {0xa1, 12, MEDIUM | WRITES | SPINS, vdrive_blank, "BLANK"},
    {0xa8, 12, MEDIUM | SPINS, vdrive_read, "READ (12)"},
    {0xaa, 12, MEDIUM | WRITES | SPINS, vdrive_write, "WRITE (12)"},
    {0xac, 12, 0, vdrive_get_performance, "GET PERFORMANCE"},
    {0xb9, 12, MEDIUM | SPINS, vdrive_read_cd_msf, "READ CD MSF"},
    {0xbb, 12, 0, vdrive_set_cd_speed, "SET CD SPEED"},
    {0xbd, 12, BUSY, vdrive_mechanism_status, "MECHANISM STATUS"},
    {0xbe, 12, MEDIUM | SPINS, vdrive_read_cd, "READ CD"},
};

static const struct command_entry *command_find(uint8_t opcode)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].opcode == opcode)
            return &commands[i];
    }
    return NULL;
}

/* An error of an earlier WRITE, the oldest first; the command that is told of it does nothing else. */
static bool report_deferred(struct vdrive *d, struct vdrive_command *c)
{
    if (d->deferred_count == 0)
        return false;
    vdrive_command_fail(c, d->deferred[0].code);
    vdrive_sense_fill(c->reply->sense, d->deferred[0].code, true);
    vdrive_sense_lba(c->reply->sense, d->deferred[0].lba);
    d->deferred_count--;
    memmove(d->deferred, d->deferred + 1, d->deferred_count * sizeof(d->deferred[0]));
    return true;
}

static bool report_attention(struct vdrive *d, struct vdrive_command *c)
{
    if (!d->attention)
        return false;
    vdrive_command_fail(c, d->attention);
    d->attention = 0;
    return true;
}

static bool report_busy(struct vdrive *d, struct vdrive_command *c)
{
    vdrive_sense_code_t code = vdrive_operation_busy(d, c->cdb[0]);

    if (!code)
        return false;
    vdrive_command_fail(c, code);
    if (!vdrive_quirk(&d->faults, VDRIVE_QUIRK_NO_PROGRESS))
        vdrive_sense_progress(c->reply->sense, vdrive_operation_progress(d));
    return true;
}

static vdrive_sense_code_t medium_refusal(const struct vdrive *d, unsigned flags)
{
    if (flags & MEDIUM && d->tray_open)
        return VDRIVE_TRAY_OPEN;
    if (flags & MEDIUM && d->now < d->ready_at)
        return VDRIVE_BECOMING_READY;
    if (flags & WRITES && d->media.spec.medium == VDRIVE_CD_ROM)
        return VDRIVE_CANNOT_WRITE;
    if (flags & WRITES && d->read_only)
        return VDRIVE_PROTECTED;
    return 0;
}

/* False when the state of the drive forbids the command; it has its sense then. */
static bool command_admit(struct vdrive *d, struct vdrive_command *c, const struct command_entry *entry)
{
    const struct vdrive_fault *fault =
        vdrive_fault_command(&d->faults, VDRIVE_FAULT_COMMAND, d->stats.commands);
    vdrive_sense_code_t code;

    if (fault) {
        vdrive_command_fail(c, fault->code);
        return false;
    }
    if (!(entry->flags & ALWAYS) && (report_deferred(d, c) || report_attention(d, c)))
        return false;
    if (!(entry->flags & BUSY) && report_busy(d, c))
        return false;
    code = medium_refusal(d, entry->flags);
    if (code)
        vdrive_command_fail(c, code);
    else if (entry->flags & SPINS)
        vdrive_spin_up(d);
    return !code;
}

const char *vdrive_dispatch(struct vdrive *d, struct vdrive_command *c, size_t cdb_len)
{
    const struct command_entry *entry = command_find(c->cdb[0]);

    if (vdrive_fault_command(&d->faults, VDRIVE_FAULT_POWER, d->stats.commands)) {
        d->power_lost = true;
        vdrive_laser_power_off(d);
    }
    if (d->power_lost) {
        vdrive_command_fail(c, VDRIVE_POWER_LOST);
        return entry ? entry->name : "unknown";
    }
    if (!entry || cdb_len == 0) {
        vdrive_command_fail(c, VDRIVE_BAD_OPCODE);
        return "unknown";
    }
    if (cdb_len < entry->length) {
        vdrive_command_fail(c, VDRIVE_BAD_CDB);
        return entry->name;
    }
    if (command_admit(d, c, entry))
        entry->handler(d, c);
    /* What the laser found while a command waited for it: SYNCHRONIZE CACHE reports at once what it failed to
     * write. */
    if (entry->handler == vdrive_synchronize_cache && !vdrive_command_failed(c))
        report_deferred(d, c);
    return entry->name;
}
