/* SPDX-License-Identifier: MIT */
/* The sparing table (UDF 2.2.11): which packets of a sparable partition live elsewhere on the disc. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmc/bytes.h"
#include "udf/codec.h"
#include "udf/codec_part.h"

#define SPARING_BYTES 56u
#define SPARING_REGID "*UDF Sparing Table"

int udf_sparing_decode(const uint8_t *bytes, size_t size, mmc_lba_t at, struct udf_sparing_table *table)
{
    struct udf_tag tag;
    struct udf_regid regid;
    if (size < SPARING_BYTES || udf_tag_expect(bytes, size, UDF_TAG_SPARING_TABLE, (uint32_t)at.n, &tag))
        return -EUCLEAN;
    udf_regid_decode(bytes + 16, &regid);
    unsigned count = mmc_le16_get(bytes + 48);
    if (strcmp(regid.id, SPARING_REGID) || count > (size - SPARING_BYTES) / 8)
        return -EUCLEAN;
    struct udf_spare *spares = count ? malloc(count * sizeof *spares) : NULL;
    if (count && !spares)
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++)
        spares[i] = (struct udf_spare){.original = mmc_le32_get(bytes + SPARING_BYTES + 8 * i),
                                       .mapped = mmc_lba(mmc_le32_get(bytes + SPARING_BYTES + 8 * i + 4))};
    *table =
        (struct udf_sparing_table){.sequence = mmc_le32_get(bytes + 52), .count = count, .spares = spares};
    return 0;
}

int udf_sparing_encode(uint8_t *bytes, size_t size, const struct udf_tag *tag,
                       const struct udf_sparing_table *table)
{
    size_t used = SPARING_BYTES + 8 * (size_t)table->count;
    if (used > size || used - UDF_TAG_BYTES > UINT16_MAX)
        return -ENOSPC;
    struct udf_regid regid = {.id = SPARING_REGID, .suffix = {0, 0, 4 /* Unix */, 5 /* Linux */}};
    memset(bytes, 0, SPARING_BYTES);
    mmc_le16_put(regid.suffix, tag->version == 2 ? 0x0150 : 0x0201);
    udf_regid_encode(bytes + 16, &regid);
    mmc_le16_put(bytes + 48, (uint16_t)table->count);
    mmc_le32_put(bytes + 52, table->sequence);
    for (unsigned i = 0; i < table->count; i++) {
        mmc_le32_put(bytes + SPARING_BYTES + 8 * i, table->spares[i].original);
        mmc_le32_put(bytes + SPARING_BYTES + 8 * i + 4, (uint32_t)table->spares[i].mapped.n);
    }
    udf_tag_encode_as(bytes, tag, UDF_TAG_SPARING_TABLE, used);
    return (int)used;
}
