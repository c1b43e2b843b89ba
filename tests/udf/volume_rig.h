/* SPDX-License-Identifier: MIT */
/* A volume that mkudffs made, on a medium in memory, opened through the library:
 * mounted, unmounted, shown to others. */
#ifndef TESTS_UDF_VOLUME_RIG_H
#define TESTS_UDF_VOLUME_RIG_H

#include "tests/lib/test_volume.h"
#include "udf/udf.h"

struct rig {
    const char *kind;
    struct fault_medium *medium;
    struct block_device *dev;
    struct udf_volume *vol;
    struct udf_inode *root;
    unsigned warnings; /* messages of level warning and error */
};

/* The kinds of volume that tests go through: physical and sparable, with and
 * without a journal, 1.50 and 2.01. */
extern const struct test_volume_spec rig_specs[];
extern const unsigned rig_spec_count;

/* A fresh volume of this kind, mounted. Fails the test when anything goes wrong. */
void rig_make(struct rig *rig, const struct test_volume_spec *spec);
void rig_mount(struct rig *rig);
void rig_unmount(struct rig *rig);
void rig_remount(struct rig *rig);
void rig_free(struct rig *rig);

/* The volume, unmounted for it, as an image file. Returns the path, good until the next call. */
const char *rig_image(struct rig *rig);
/* The number behind key= in udfinfo's output of the image; UINT64_MAX when the text behind it is no number.
 * text (may be NULL) gets what is behind it. */
uint64_t rig_udfinfo(const char *image, const char *key, char *text, size_t size);
/* Unmounted, shown to udfinfo, which must find as many files, directories and free blocks as the library
 * says, and a closed volume; mounted again. */
void rig_judge(struct rig *rig);

/* Short cuts that fail the test when they fail. */
struct udf_inode *rig_create(struct udf_inode *dir, const char *name, mode_t mode);
struct udf_inode *rig_lookup(struct udf_inode *dir, const char *name);
void rig_write(struct udf_inode *inode, uint64_t offset, const void *buf, size_t len);
void rig_expect(struct udf_inode *inode, uint64_t offset, const void *buf, size_t len);
uint64_t rig_size(struct udf_inode *inode);

#endif
