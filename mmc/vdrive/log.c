/* SPDX-License-Identifier: MIT */
/* The command log: a line of JSON for every command, for those who want to know what a program really sent.
 */
#include "mmc/vdrive/drive.h"

void vdrive_log_command(struct vdrive *d, const struct vdrive_command *c, size_t cdb_len, const char *name)
{
    const struct vdrive_reply *reply = c->reply;

    if (!d->log)
        return;
    fprintf(d->log, "{\"n\":%llu,\"us\":%llu,\"name\":\"%s\",\"cdb\":\"",
            (unsigned long long)d->stats.commands, (unsigned long long)d->now, name);
    for (size_t i = 0; i < cdb_len && i < VDRIVE_CDB_BYTES; i++)
        fprintf(d->log, "%02x", c->cdb[i]);
    fprintf(d->log, "\",\"out\":%zu,\"in\":%zu,\"status\":%u", c->out_len, reply->in_len, reply->status);
    if (vdrive_command_failed(c)) {
        fprintf(d->log, ",\"sense\":\"%x/%02x/%02x\",\"deferred\":%s", reply->sense[2] & 15, reply->sense[12],
                reply->sense[13], (reply->sense[0] & 0x7f) == 0x71 ? "true" : "false");
        if (reply->sense[0] & 0x80)
            fprintf(d->log, ",\"lba\":%d",
                    (int)((uint32_t)reply->sense[3] << 24 | (uint32_t)reply->sense[4] << 16 |
                          (uint32_t)reply->sense[5] << 8 | reply->sense[6]));
    }
    fputs("}\n", d->log);
}
