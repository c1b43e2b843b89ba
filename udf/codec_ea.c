/* SPDX-License-Identifier: MIT */
/* Extended attributes (ECMA-167 4/14.10): the device specification, the one attribute that
 * a file needs to be what it is. */
#include <errno.h>
#include <string.h>

#include "mmc/bytes.h"
#include "udf/codec.h"
#include "udf/codec_part.h"

#define EA_HEADER_BYTES    24u
#define EA_DEVICE_TYPE     12u
#define EA_DEVICE_SUBTYPE  1u
#define EA_DEVICE_BYTES    24u /* before the implementation use */
#define EA_ABSENT          0xFFFFFFFFu
#define EA_ABSENT_REVISION 0x0200u

int udf_ea_device_find(const uint8_t *ea, size_t len, uint32_t *major, uint32_t *minor)
{
    struct udf_tag tag;
    if (len < EA_HEADER_BYTES || udf_tag_decode(ea, len, &tag) || tag.id != UDF_TAG_EAHD)
        return -ENODATA;
    size_t at = EA_HEADER_BYTES;
    while (len - at >= EA_DEVICE_BYTES) {
        uint32_t bytes = mmc_le32_get(ea + at + 8);
        if (bytes < 12 || bytes > len - at)
            return -ENODATA;
        if (mmc_le32_get(ea + at) == EA_DEVICE_TYPE && ea[at + 4] == EA_DEVICE_SUBTYPE &&
            bytes >= EA_DEVICE_BYTES) {
            *major = mmc_le32_get(ea + at + 16);
            *minor = mmc_le32_get(ea + at + 20);
            return 0;
        }
        at += bytes;
    }
    return -ENODATA;
}

int udf_ea_device_encode(uint8_t *ea, size_t max, const struct udf_tag *tag, uint16_t revision,
                         uint32_t major, uint32_t minor)
{
    const uint32_t device_bytes = EA_DEVICE_BYTES + UDF_REGID_BYTES;
    const uint32_t total = EA_HEADER_BYTES + device_bytes;
    if (max < total)
        return -ENOSPC;
    memset(ea, 0, total);
    uint8_t *device = ea + EA_HEADER_BYTES;
    mmc_le32_put(device, EA_DEVICE_TYPE);
    device[4] = EA_DEVICE_SUBTYPE;
    mmc_le32_put(device + 8, device_bytes);
    mmc_le32_put(device + 12, UDF_REGID_BYTES);
    mmc_le32_put(device + 16, major);
    mmc_le32_put(device + 20, minor);
    struct udf_regid own;
    udf_regid_own(&own);
    udf_regid_encode(device + EA_DEVICE_BYTES, &own);
    /* Where there are no implementation or application attributes: UDF 3.3.4.1, which changed with 2.00. */
    uint32_t absent = revision < EA_ABSENT_REVISION ? total : EA_ABSENT;
    mmc_le32_put(ea + 16, absent);
    mmc_le32_put(ea + 20, absent);
    udf_tag_encode_as(ea, tag, UDF_TAG_EAHD, EA_HEADER_BYTES);
    return (int)total;
}
