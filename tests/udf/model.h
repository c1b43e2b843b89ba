/* SPDX-License-Identifier: MIT */
/* What a volume should hold, kept in plain memory, and one random operation after another done to both. */
#ifndef TESTS_UDF_MODEL_H
#define TESTS_UDF_MODEL_H

#include "tests/udf/volume_rig.h"

#define MODEL_NODES   400
#define MODEL_ENTRIES 400

struct model_node {
    mode_t mode; /* 0: not in use */
    udf_ino_t ino;
    unsigned links; /* names; directories: 2 and one for each directory inside */
    uid_t uid;
    gid_t gid;
    int64_t mtime;
    uint8_t *bytes;
    size_t size;
    char target[64];
};

struct model_entry {
    int dir, node; /* dir -1: not in use */
    char name[96];
};

struct model {
    struct rig *rig;
    uint64_t random;
    struct model_node nodes[MODEL_NODES]; /* 0 is the root */
    struct model_entry entries[MODEL_ENTRIES];
};

void model_begin(struct model *model, struct rig *rig, uint64_t seed);
void model_end(struct model *model);
/* One operation on both, whose results must agree. */
void model_step(struct model *model);
/* Reads the whole volume and compares. */
void model_compare(struct model *model);
/* Writes "PATH TYPE SIZE CRC32" of every entry, a line each, tabs between, for other readers. */
void model_list(const struct model *model, const char *file);
/* Removes everything from both. */
void model_clear(struct model *model);
unsigned model_random(struct model *model, unsigned below);

#endif
