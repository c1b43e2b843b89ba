/* SPDX-License-Identifier: MIT */
/* Images that mkudffs makes, loaded, damaged and looked at by recognition. */
#include "tests/udf/volume_image.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/udf/cmocka_all.h"

/* Recognition is tested apart from the file that passes messages on to a program. */
void udf_message(const struct udf_volume *vol, enum udf_level level, const char *format, ...)
{
    struct image_volume *image =
        (struct image_volume *)((char *)(uintptr_t)vol - offsetof(struct image_volume, vol));
    size_t used = strlen(image->messages);
    va_list args;
    (void)level;
    va_start(args, format);
    vsnprintf(image->messages + used, sizeof image->messages - used, format, args);
    va_end(args);
    used = strlen(image->messages);
    snprintf(image->messages + used, sizeof image->messages - used, "\n");
}

struct fault_medium *image_make(const char *options, uint32_t blocks)
{
    const char *mkudffs = getenv("MKUDFFS");
    char path[] = "/tmp/packetfs-test-XXXXXX", command[512];
    struct fault_medium *medium;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    unlink(path); /* mkudffs makes the file itself */
    snprintf(command, sizeof command, "%s --utf8 %s --new-file %s %u >/dev/null",
             mkudffs ? mkudffs : "mkudffs", options, path, blocks);
    assert_int_equal(system(command), 0);
    assert_int_equal(fault_medium_create(blocks, 32, &medium), 0);
    assert_int_equal(fault_medium_load(medium, path), 0);
    unlink(path);
    return medium;
}

void image_get(struct fault_medium *medium, uint32_t at, uint8_t block[UDF_BLOCK_BYTES])
{
    assert_int_equal(fault_medium_peek(medium, mmc_lba(at), 1, block), 0);
}

void image_put(struct fault_medium *medium, uint32_t at, const uint8_t block[UDF_BLOCK_BYTES])
{
    assert_int_equal(fault_medium_poke(medium, mmc_lba(at), 1, block), 0);
}

void image_edit(struct fault_medium *medium, uint32_t at, unsigned offset, uint64_t value, unsigned bytes)
{
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_tag tag;
    image_get(medium, at, block);
    assert_int_equal(udf_tag_decode(block, sizeof block, &tag), 0);
    for (unsigned i = 0; i < bytes; i++)
        block[offset + i] = (uint8_t)(value >> (8 * i));
    udf_tag_encode(block, &tag);
    image_put(medium, at, block);
}

void image_flip(struct fault_medium *medium, uint32_t at, unsigned offset)
{
    uint8_t block[UDF_BLOCK_BYTES];
    image_get(medium, at, block);
    block[offset] ^= 0xFF;
    image_put(medium, at, block);
}

void image_copy(struct fault_medium *medium, uint32_t from, uint32_t to)
{
    uint8_t block[UDF_BLOCK_BYTES];
    struct udf_tag tag;
    image_get(medium, from, block);
    assert_int_equal(udf_tag_decode(block, sizeof block, &tag), 0);
    tag.location = to;
    udf_tag_encode(block, &tag);
    image_put(medium, to, block);
}

static struct image_volume *recognise(struct fault_medium *medium, bool read_only)
{
    struct image_volume *image = calloc(1, sizeof *image);
    assert_non_null(image);
    assert_int_equal(block_fault_open(medium, read_only, &image->vol.dev), 0);
    image->result = udf_volume_recognise(&image->vol);
    return image;
}

struct image_volume *image_recognise(struct fault_medium *medium)
{
    return recognise(medium, false);
}

struct image_volume *image_recognise_read_only(struct fault_medium *medium)
{
    return recognise(medium, true);
}

void image_forget(struct image_volume *image)
{
    udf_volume_recognise_free(&image->vol);
    assert_int_equal(block_close(image->vol.dev), 0);
    free(image);
}
