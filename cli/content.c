/* SPDX-License-Identifier: MIT */
/* What is on a disc, as far as one must know before it is overwritten or described: UDF,
 * ISO 9660, something, nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "udf/codec.h"

#define VRS_FIRST  16u /* ECMA-167 2/8.3: the volume recognition area starts at byte 32768 */
#define VRS_BLOCKS 32u
#define LOOK_EDGE  (4u << 20) /* bytes at either end that stand for the rest */

/* Errors after which nothing more can be read, unlike a block that is bad. */
static bool error_final(int err)
{
    return err == -ENOMEM || err == -ENODEV || err == -ENOMEDIUM;
}

static int recognition_look(struct block_device *dev, bool *udf, bool *iso)
{
    uint8_t block[MMC_BLOCK_BYTES];

    for (uint32_t n = VRS_FIRST; n < VRS_FIRST + VRS_BLOCKS && n < dev->geometry.blocks; n++) {
        int err = block_read(dev, mmc_lba(n), 1, block);
        if (error_final(err))
            return err;
        if (err)
            continue;
        *udf = *udf || memcmp(block + 1, "NSR02", 5) == 0 || memcmp(block + 1, "NSR03", 5) == 0;
        *iso = *iso || memcmp(block + 1, "CD001", 5) == 0;
    }
    return 0;
}

/* The places of an anchor (ECMA-167 3/8.4.2.1); 512 is where an unclosed CD-R has one (UDF 6.11.1). */
static int anchors_look(struct block_device *dev, bool *udf)
{
    int64_t last = (int64_t)dev->geometry.blocks - 1;
    const int64_t places[] = {256, 512, last, last - 256};
    uint8_t block[MMC_BLOCK_BYTES];
    struct udf_avdp avdp;

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (places[i] < 0 || places[i] > last)
            continue;
        int err = block_read(dev, mmc_lba(places[i]), 1, block);
        if (error_final(err))
            return err;
        if (!err && udf_avdp_decode(block, mmc_lba(places[i]), &avdp) == 0)
            *udf = true;
    }
    return 0;
}

static bool block_uniform(const uint8_t *block)
{
    return memcmp(block, block + 1, MMC_BLOCK_BYTES - 1) == 0;
}

static int blank_look(struct block_device *dev, uint32_t first, uint32_t end, bool *blank)
{
    uint8_t *buf = malloc((size_t)MMC_PACKET_BLOCKS * MMC_BLOCK_BYTES);
    int err = buf ? 0 : -ENOMEM;

    for (uint32_t at = first; *blank && !err && at < end; at += MMC_PACKET_BLOCKS) {
        uint32_t count = end - at < MMC_PACKET_BLOCKS ? end - at : MMC_PACKET_BLOCKS;
        if (cli_interrupted())
            err = -EINTR;
        else if (block_read(dev, mmc_lba(at), count, buf) == 0)
            for (uint32_t i = 0; i < count; i++)
                *blank = *blank && block_uniform(buf + (size_t)i * MMC_BLOCK_BYTES);
    }
    free(buf);
    return err;
}

static int edges_look(struct block_device *dev, bool whole, bool *blank)
{
    uint32_t blocks = dev->geometry.blocks, edge = LOOK_EDGE / MMC_BLOCK_BYTES;
    int err;

    if (whole || blocks <= 2 * edge)
        return blank_look(dev, 0, blocks, blank);
    err = blank_look(dev, 0, edge, blank);
    return err ? err : blank_look(dev, blocks - edge, blocks, blank);
}

int cli_content_find(struct block_device *dev, bool whole, enum cli_content *content)
{
    bool udf = false, iso = false, blank = true;
    int err = recognition_look(dev, &udf, &iso);

    if (!err)
        err = anchors_look(dev, &udf);
    if (!err && !udf && !iso)
        err = edges_look(dev, whole, &blank);
    if (err)
        return err;
    *content = udf && iso ? CLI_CONTENT_UDF_ISO : CLI_CONTENT_BLANK;
    if (udf != iso)
        *content = udf ? CLI_CONTENT_UDF : CLI_CONTENT_ISO;
    if (!blank)
        *content = CLI_CONTENT_OTHER;
    return 0;
}
