/* SPDX-License-Identifier: MIT */
/* GET CONFIGURATION, GET EVENT STATUS NOTIFICATION and GET PERFORMANCE: what the drive can do with this disc.
 */
#include <string.h>

#include "mmc/bytes.h"
#include "mmc/vdrive/drive.h"

#define PROFILE_CD_ROM    0x0008
#define PROFILE_CD_R      0x0009
#define PROFILE_CD_RW     0x000a
#define CONFIG_MAX        256
#define EVENT_MEDIA       0x10
#define PERFORMANCE_BYTES 16 /* a descriptor of either type */

static uint16_t profile_now(const struct vdrive *d)
{
    if (!vdrive_has_medium(d))
        return 0;
    if (d->media.spec.medium == VDRIVE_CD_ROM)
        return PROFILE_CD_ROM;
    return d->media.spec.medium == VDRIVE_CD_RW ? PROFILE_CD_RW : PROFILE_CD_R;
}

/* Which features are current follows from the disc. */
struct config {
    uint8_t list[CONFIG_MAX];
    size_t len;
    unsigned request; /* 0 all, 1 current, 2 one */
    uint16_t from;
};

static void feature_add(struct config *config, uint16_t code, unsigned version, bool persistent, bool current,
                        const uint8_t *data, uint8_t len)
{
    uint8_t *to = config->list + config->len;

    if (config->request == 2 ? code != config->from : code < config->from)
        return;
    if (config->request == 1 && !current)
        return;
    mmc_be16_put(to, code);
    to[2] = (uint8_t)(version << 2 | (persistent ? 2 : 0) | (current ? 1 : 0));
    to[3] = len;
    if (len)
        memcpy(to + 4, data, len);
    config->len += 4u + len;
}

/* Feature 0000h: the profiles, the one of the disc current (MMC-5 5.3.1). */
static void feature_profiles(const struct vdrive *d, struct config *config)
{
    static const uint16_t profiles[] = {PROFILE_CD_RW, PROFILE_CD_R, PROFILE_CD_ROM};
    uint8_t data[12] = {0};

    for (unsigned i = 0; i < 3; i++) {
        mmc_be16_put(data + 4 * i, profiles[i]);
        data[4 * i + 2] = profiles[i] == profile_now(d);
    }
    feature_add(config, 0x0000, 0, true, true, data, sizeof(data));
}

static void features_of_disc(const struct vdrive *d, struct config *config)
{
    bool medium = vdrive_has_medium(d), rw = medium && d->media.spec.medium == VDRIVE_CD_RW;
    bool readable = medium && d->disc.state != VDRIVE_DISC_BLANK;
    bool formatted = medium && d->disc.formatted, tao = medium && vdrive_disc_appendable(&d->disc);
    const uint8_t random_readable[8] = {0, 0, 8, 0, 0, 1, 1, 0}, none[4] = {0};
    const uint8_t cd_read[4] = {0x03, 0, 0, 0};       /* C2 flags, CD-Text */
    const uint8_t packets[8] = {0x3d, 0, 0x01, 1, 7}; /* block types 8 and 10 to 13; one link size, 7 */
    const uint8_t tao_data[4] = {
        0x46, 0, 0x3f, 0x01}; /* underrun protection, test write, CD-RW; block types 0 and 8 to 13 */
    const uint8_t mastering[4] = {0x6f, 0, 0x10, 0}; /* underrun protection, session at once, raw, test write,
                                                        CD-RW, R to W; cue sheet of 4096 bytes */
    const uint8_t rw_write[4] = {0, 0x07, 0, 0};     /* standard, high and ultra speed discs */

    feature_add(config, 0x0010, 0, false, readable, random_readable, 8);
    feature_add(config, 0x001e, 2, false, medium, cd_read, 4);
    feature_add(config, 0x0021, 1, false, tao, packets, 8);
    feature_add(config, 0x0023, 0, false, rw, none, 4);
    feature_add(config, 0x0026, 0, false, formatted, NULL, 0);
    feature_add(config, 0x002d, 2, false, tao, tao_data, 4);
    feature_add(config, 0x002e, 1, false, tao, mastering, 4);
    feature_add(config, 0x0037, 0, false, rw, rw_write, 4);
}

static void features_of_drive(struct config *config)
{
    const uint8_t timeout[4] = {0};
    const uint8_t streaming[4] = {0x18, 0, 0, 0}; /* SET CD SPEED, mode page 2Ah */
    static const uint8_t serial[16] = "0000000000000001";

    feature_add(config, 0x0100, 0, true, true, NULL, 0);
    feature_add(config, 0x0105, 1, true, true, timeout, 4);
    feature_add(config, 0x0107, 4, false, true, streaming, 4);
    feature_add(config, 0x0108, 0, true, true, serial, sizeof(serial));
}

static void features_of_interface(struct config *config)
{
    const uint8_t core[8] = {0, 0, 0, 2, 1, 0, 0, 0}; /* ATAPI; DBEvent */
    const uint8_t morphing[4] = {0}, removable[4] = {0x29, 0, 0, 0};

    feature_add(config, 0x0001, 2, true, true, core, 8);
    feature_add(config, 0x0002, 1, true, true, morphing, 4);
    feature_add(config, 0x0003, 0, true, true, removable, 4);
}

/* GET CONFIGURATION (MMC-5 6.6). */
void vdrive_get_configuration(struct vdrive *d, struct vdrive_command *c)
{
    struct config config = {.len = 8, .request = c->cdb[1] & 3, .from = mmc_be16_get(c->cdb + 2)};

    if (config.request == 3) {
        vdrive_command_fail(c, VDRIVE_BAD_CDB);
        return;
    }
    feature_profiles(d, &config);
    features_of_interface(&config);
    features_of_disc(d, &config);
    features_of_drive(&config);
    mmc_be32_put(config.list, (uint32_t)config.len - 4);
    mmc_be16_put(config.list + 6, profile_now(d));
    vdrive_command_answer(c, config.list, config.len, mmc_be16_get(c->cdb + 7));
}

/* GET EVENT STATUS NOTIFICATION (MMC-5 6.7), polled, media class. */
void vdrive_get_event_status(struct vdrive *d, struct vdrive_command *c)
{
    uint8_t event[8] = {0, 6, 0x04, EVENT_MEDIA};
    uint8_t none[4] = {0, 2, 0x80, EVENT_MEDIA};

    if (!(c->cdb[1] & 1)) {
        vdrive_command_fail(c, VDRIVE_BAD_CDB); /* asynchronous */
        return;
    }
    if (!(c->cdb[4] & EVENT_MEDIA)) {
        vdrive_command_answer(c, none, sizeof(none), mmc_be16_get(c->cdb + 7));
        return;
    }
    event[5] = d->tray_open ? 0x01 : 0x02;
    /* A new disc is news once it can be used (6.7.2.5). */
    if (d->tray_open || d->now >= d->ready_at) {
        event[4] = d->media_event;
        d->media_event = 0;
    }
    vdrive_command_answer(c, event, sizeof(event), mmc_be16_get(c->cdb + 7));
}

/* Type 03h: write speed descriptors (MMC-5 6.8.3.4). */
static size_t performance_write_speeds(const struct vdrive *d, uint8_t *list)
{
    static const unsigned speeds[] = {24, 10, 4};
    size_t len = 8;

    for (unsigned i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++) {
        uint8_t *to = list + len;

        if (speeds[i] > d->media.spec.speed)
            continue;
        memset(to, 0, 16);
        mmc_be32_put(to + 4, (uint32_t)d->media.atip_leadout.n);
        mmc_be32_put(to + 8, VDRIVE_READ_SPEED_MAX * 1764 / 10);
        mmc_be32_put(to + 12, speeds[i] * 1764 / 10);
        len += 16;
    }
    return len;
}

/* Type 00h: nominal performance from the inner to the outer edge. */
static size_t performance_nominal(const struct vdrive *d, bool write, uint8_t *list)
{
    uint32_t end = (uint32_t)d->media.atip_leadout.n;
    unsigned first = write ? vdrive_speed_write(0, d->write_speed) : vdrive_speed_read(0, d->read_speed);
    unsigned last = write ? vdrive_speed_write(end, d->write_speed) : vdrive_speed_read(end, d->read_speed);

    mmc_be32_put(list + 8, 0);
    mmc_be32_put(list + 12, first * 1764 / 10);
    mmc_be32_put(list + 16, end);
    mmc_be32_put(list + 20, last * 1764 / 10);
    return 24;
}

void vdrive_get_performance(struct vdrive *d, struct vdrive_command *c)
{
    uint8_t list[64] = {0};
    unsigned type = c->cdb[10], most = mmc_be16_get(c->cdb + 8);
    size_t len;

    if (type != 0 && type != 3) {
        vdrive_command_fail(c, VDRIVE_BAD_CDB);
        return;
    }
    len = type == 3 ? performance_write_speeds(d, list) : performance_nominal(d, c->cdb[1] & 4, list);
    mmc_be32_put(list, (uint32_t)len - 4);
    if (type == 0 && c->cdb[1] & 4)
        list[4] = 0x02;
    vdrive_command_answer(c, list, len, 8 + (size_t)most * PERFORMANCE_BYTES);
}
