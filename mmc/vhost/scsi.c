/* SPDX-License-Identifier: MIT */
/* The virtio-scsi controller (virtio 1.1, 5.6): a request's lun and CDB to the
 * drive, status and sense back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/vhost/vhost_internal.h"

#define REQUEST_BYTES  51u /* lun 8, id 8, three flags, CDB 32 */
#define REQUEST_CDB_AT 19u
#define RESPONSE_BYTES 108u /* sense length 4, residue 4, qualifier 2, status, response, sense 96 */
/* More than any command moves; a guest that asks for more is out of its mind. */
#define DATA_MAX (16u << 20)

enum response {
    RESPONSE_OK = 0,
    RESPONSE_BAD_TARGET = 3,
    RESPONSE_FAILURE = 9,
};

void vhost_scsi_config(uint8_t config[VHOST_SCSI_CONFIG_BYTES])
{
    memset(config, 0, VHOST_SCSI_CONFIG_BYTES);
    mmc_le32_put(config, 1);        /* request queues */
    mmc_le32_put(config + 4, 126);  /* segments of a command */
    mmc_le32_put(config + 8, 1024); /* sectors of 512 bytes of a command */
    mmc_le32_put(config + 12, 8);   /* commands at a time */
    mmc_le32_put(config + 16, 16);  /* size of an event */
    mmc_le32_put(config + 20, 96);  /* of the sense */
    mmc_le32_put(config + 24, 32);  /* of a CDB */
    mmc_le16_put(config + 28, 0);   /* highest channel */
    mmc_le16_put(config + 30, 1);   /* highest target */
    mmc_le32_put(config + 32, 1);   /* highest LUN */
}

/* The length of a CDB by its group code (SPC-4 4.2.5.1). */
static size_t cdb_bytes(uint8_t opcode)
{
    static const uint8_t by_group[8] = {6, 10, 10, 12, 16, 12, 16, 16};

    return by_group[opcode >> 5];
}

static int respond(const struct vhost_chain *chain, enum response response, const struct vdrive_reply *reply,
                   size_t room)
{
    uint8_t out[RESPONSE_BYTES] = {0};
    size_t moved = reply ? reply->in_len : 0;

    if (reply) {
        if (reply->status) {
            mmc_le32_put(out, sizeof(reply->sense));
            memcpy(out + 12, reply->sense, sizeof(reply->sense));
        }
        mmc_le32_put(out + 4, (uint32_t)(room - moved));
        out[10] = reply->status;
    }
    out[11] = (uint8_t)response;
    if (vhost_chain_write(chain, 0, out, sizeof(out)) != sizeof(out))
        return -EINVAL;
    return (int)(RESPONSE_BYTES + moved);
}

/* REPORT LUNS (SPC-4 6.33) is about the target, not the drive. */
static void report_luns(uint8_t *in, size_t room, struct vdrive_reply *reply)
{
    const uint8_t luns[16] = {0, 0, 0, 8};

    reply->in_len = room < sizeof(luns) ? room : sizeof(luns);
    memcpy(in, luns, reply->in_len);
}

/* Logical unit not supported (5/25/00). */
static void no_such_lun(struct vdrive_reply *reply)
{
    reply->status = 2;
    reply->sense[0] = 0x70;
    reply->sense[2] = 5;
    reply->sense[7] = 10;
    reply->sense[12] = 0x25;
}

int vhost_scsi_request(struct vdrive *drive, const struct vhost_chain *chain)
{
    uint8_t request[REQUEST_BYTES];
    const uint8_t *lun = request, *cdb = request + REQUEST_CDB_AT;
    size_t out_bytes = vhost_chain_out_bytes(chain), in_bytes = vhost_chain_in_bytes(chain);
    struct vdrive_reply reply = {0};
    uint8_t *data;
    int r;

    if (vhost_chain_read(chain, 0, request, sizeof(request)) != sizeof(request) || in_bytes < RESPONSE_BYTES)
        return -EINVAL;
    out_bytes -= REQUEST_BYTES;
    in_bytes -= RESPONSE_BYTES;
    if (out_bytes > DATA_MAX || in_bytes > DATA_MAX)
        return respond(chain, RESPONSE_FAILURE, NULL, 0);
    if (lun[0] != 1 || lun[1] != 0)
        return respond(chain, RESPONSE_BAD_TARGET, NULL, 0);

    data = malloc(out_bytes + in_bytes + 1);
    if (!data)
        return respond(chain, RESPONSE_FAILURE, NULL, 0);
    vhost_chain_read(chain, REQUEST_BYTES, data, out_bytes);
    if ((lun[2] & 0x3f) || lun[3])
        no_such_lun(&reply);
    else if (cdb[0] == 0xa0)
        report_luns(data + out_bytes, in_bytes, &reply);
    else
        vdrive_execute(drive, cdb, cdb_bytes(cdb[0]), data, out_bytes, data + out_bytes, in_bytes, &reply);
    vhost_chain_write(chain, RESPONSE_BYTES, data + out_bytes, reply.in_len);
    r = respond(chain, RESPONSE_OK, &reply, in_bytes);
    free(data);
    return r;
}

/* Task management and asynchronous notification: commands end before the next is taken, so there is nothing
 * left to abort, and a reset changes nothing. */
int vhost_scsi_control(const struct vhost_chain *chain)
{
    uint8_t type[4], answer[5] = {0};
    size_t size;

    if (vhost_chain_read(chain, 0, type, sizeof(type)) != sizeof(type))
        return -EINVAL;
    size = mmc_le32_get(type) == 0 ? 1 : sizeof(answer);
    if (vhost_chain_write(chain, 0, answer, size) != size)
        return -EINVAL;
    return (int)size;
}
