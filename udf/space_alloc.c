/* SPDX-License-Identifier: MIT */
/*
 * Allocation. Things of a class are put one behind the other into fresh packets, in the order in which they
 * come: so packets are full, written once, in place, with no need of the journal, and the laser need not
 * jump. What looks like a piece of a big file gets a run of whole fresh packets in a window of its own, so
 * that files that grow side by side do not cut each other up. When fresh packets become few, holes are
 * filled.
 */
#include <errno.h>
#include <string.h>

#include "udf/space_part.h"
#include "udf/store_part.h"

#define WINDOW_GROUPS 64u /* groups in a window */
#define STREAM_GROUPS 16u /* groups in a write that looks like one of many */
#define SEARCH_GROUPS 65536u
#define HOLE_GROUPS   64u /* groups in which a hole of the right size is looked for before any hole will do */

struct run {
    uint32_t first, count;
};

/* Fresh packets are plentiful: more than a tenth of all. */
static bool fresh_plentiful(const struct udf_space *space)
{
    return (uint64_t)space->fresh_groups * 10 > space->groups;
}

static uint32_t packet_at(const struct udf_space *space, uint32_t block)
{
    const struct udf_volume *vol = space->vol;
    mmc_lba_t lba;
    if (udf_volume_map(vol, (struct udf_address){block, vol->part}, 1, &lba, NULL))
        return UINT32_MAX;
    return mmc_packet_of(lba, vol->store->packet_blocks).n;
}

/* Whether a write there needs no journal, or so little of it that going elsewhere would cost more. */
static bool block_cheap(const struct udf_space *space, uint32_t block)
{
    struct udf_store *store = space->vol->store;
    if (!store->journal && space->vol->dev->geometry.packet_blocks == 1)
        return true;
    uint32_t packet = packet_at(space, block);
    return packet != UINT32_MAX && (store_packet_direct(store, packet) || store_packet_whole(store, packet));
}

/* Nothing in the group, and nothing of it in the log. */
static bool group_fresh(const struct udf_space *space, uint32_t group)
{
    const struct udf_store *store = space->vol->store;
    if (group >= space->groups || space->busy[group])
        return false;
    if (!store->in_log_count)
        return true;
    uint32_t packet = packet_at(space, space_group_first(space, group));
    return packet != UINT32_MAX && !store_bit(store->in_log, packet);
}

/* Blocks from first on that can be allocated, at most most. */
static uint32_t run_length(const struct udf_space *space, uint32_t first, uint32_t most)
{
    uint32_t count = 0;
    while (count < most && space_allocatable(space, first + count))
        count++;
    return count;
}

static struct space_window *window_of(struct udf_space *space, uint32_t group)
{
    for (unsigned i = 0; i < SPACE_WINDOWS; i++)
        if (group >= space->windows[i].first && group < space->windows[i].end)
            return &space->windows[i];
    return NULL;
}

static struct space_window *window_oldest(struct udf_space *space)
{
    struct space_window *oldest = &space->windows[0];
    for (unsigned i = 1; i < SPACE_WINDOWS; i++)
        if (space->windows[i].used < oldest->used)
            oldest = &space->windows[i];
    return oldest;
}

/* A stream that comes to the end of its window gets more of what follows, as long as nobody is there. */
static void window_follow(struct udf_space *space, uint32_t group)
{
    struct space_window *window = window_of(space, group);
    if (!window)
        return;
    window->used = ++space->clock;
    if (window->end - group > 1)
        return;
    window->first = group;
    while (window->end - group < WINDOW_GROUPS && group_fresh(space, window->end) &&
           !window_of(space, window->end))
        window->end++;
}

/* Groups from one on that are fresh and, if so asked, in no window. */
static uint32_t fresh_length(struct udf_space *space, uint32_t group, uint32_t most, bool avoid)
{
    uint32_t count = 0;
    while (count < most && group_fresh(space, group + count) && !(avoid && window_of(space, group + count)))
        count++;
    return count;
}

/* Looks for a run of fresh groups: the first that is long enough, or else the longest. */
static struct run fresh_search(struct udf_space *space, uint32_t enough, bool avoid)
{
    struct run best = {0, 0};
    uint32_t group = space->cursor < space->groups ? space->cursor : 0, seen = 0;
    while (seen < space->groups && best.count < enough && (seen < SEARCH_GROUPS || !best.count)) {
        uint32_t step = 1;
        if (group % SPACE_SUPER == 0 && !space->super_fresh[group / SPACE_SUPER]) {
            step = SPACE_SUPER;
        } else if (!space->busy[group]) {
            uint32_t length = fresh_length(space, group, WINDOW_GROUPS, avoid);
            if (length > best.count)
                best = (struct run){group, length};
            step = length ? length : 1;
        }
        seen += step;
        group = group + step < space->groups ? group + step : 0;
    }
    return best;
}

/* A new window for a stream that needs so many groups at once. Returns its first group. */
static uint32_t window_open(struct udf_space *space, uint32_t needed)
{
    uint32_t enough = needed > WINDOW_GROUPS / 4 ? needed : WINDOW_GROUPS / 4;
    if (!space->fresh_groups)
        return SPACE_NO_GROUP;
    if (enough > WINDOW_GROUPS)
        enough = WINDOW_GROUPS;
    struct run run = fresh_search(space, enough, true);
    if (!run.count)
        run = fresh_search(space, enough, false);
    if (!run.count)
        return SPACE_NO_GROUP;
    struct space_window *window = window_oldest(space);
    *window = (struct space_window){run.first, run.first + run.count, ++space->clock};
    space->cursor = window->end;
    return window->first;
}

/* The first run of the group that is long enough, or else its longest. */
static struct run group_hole(const struct udf_space *space, uint32_t group, uint32_t want)
{
    struct run best = {0, 0};
    uint32_t block = space_group_first(space, group);
    uint32_t end = space_group_first(space, group + 1);
    while (block < end && block < space->blocks && best.count < want) {
        uint32_t length = run_length(space, block, want);
        if (length > best.count)
            best = (struct run){block, length};
        block += length ? length : 1;
    }
    return best;
}

/* A hole of up to want blocks, near the last one. */
static struct run hole_search(struct udf_space *space, uint32_t want)
{
    struct run best = {0, 0};
    uint32_t group = space->cursor < space->groups ? space->cursor : 0, tried = 0;
    for (uint32_t seen = 0;
         seen < space->groups && best.count < want && !(best.count && tried > HOLE_GROUPS);) {
        uint32_t step = 1;
        uint32_t in_super = space->groups - group / SPACE_SUPER * SPACE_SUPER;
        if (in_super > SPACE_SUPER)
            in_super = SPACE_SUPER;
        if (group % SPACE_SUPER == 0 && space->super_full[group / SPACE_SUPER] == in_super) {
            step = in_super;
        } else if (space->busy[group] < space->group_blocks) {
            struct run hole = group_hole(space, group, want);
            if (hole.count > best.count)
                best = hole;
            tried++;
        }
        seen += step;
        group = group + step < space->groups ? group + step : 0;
    }
    if (best.count)
        space->cursor = space_group_of(space, best.first);
    return best;
}

/* Where the pen can go on in its packet, if only with a part of want; count 0 when it cannot. */
static struct run pen_here(struct udf_space *space, const struct space_pen *pen, uint32_t want)
{
    struct run run = {pen->next, 0};
    if (pen->group == SPACE_NO_GROUP)
        return run;
    uint32_t end = space_group_first(space, pen->group + 1);
    while (run.first < end && !space_allocatable(space, run.first))
        run.first++;
    if (run.first >= end || (fresh_plentiful(space) && !block_cheap(space, run.first)))
        return run;
    run.count = run_length(space, run.first, end - run.first < want ? end - run.first : want);
    /* The next packets may be had as well, so that nothing is cut in two at the border. */
    for (uint32_t group = pen->group + 1; run.count < want && run.first + run.count == end; group++) {
        const struct space_window *other = window_of(space, group);
        if (!group_fresh(space, group) || (other && other != window_of(space, pen->group)))
            break;
        uint32_t from = end, most = want - run.count;
        end = space_group_first(space, group + 1);
        run.count += run_length(space, from, most < end - from ? most : end - from);
    }
    return run;
}

/* Another packet for the pen: the one behind it, or a new window. */
static bool pen_move(struct udf_space *space, struct space_pen *pen)
{
    uint32_t group = pen->group == SPACE_NO_GROUP ? SPACE_NO_GROUP : pen->group + 1;
    const struct space_window *mine = pen->group == SPACE_NO_GROUP ? NULL : window_of(space, pen->group);
    if (!mine || !group_fresh(space, group) || window_of(space, group) != mine)
        group = window_open(space, 1);
    if (group == SPACE_NO_GROUP)
        return false;
    *pen = (struct space_pen){group, space_group_first(space, group)};
    return true;
}

static struct run pen_run(struct udf_space *space, enum udf_alloc_class class, uint32_t want)
{
    struct space_pen *pen = &space->pens[class];
    struct run run = pen_here(space, pen, want);
    if (!run.count && fresh_plentiful(space) && pen_move(space, pen))
        run = (struct run){pen->next, run_length(space, pen->next, want)};
    if (!run.count)
        run = hole_search(space, want);
    if (run.count) {
        pen->next = run.first + run.count;
        pen->group = space_group_of(space, pen->next - 1);
        window_follow(space, pen->group);
    }
    return run;
}

/* When fresh packets are few, all that fills one gets one: a packet rewritten costs
 * far more than one left in part. */
static bool stream_looks(const struct udf_space *space, uint32_t want)
{
    return want >= (fresh_plentiful(space) ? STREAM_GROUPS : 1) * space->group_blocks;
}

/* Packet-aligned, in a window of its own, which later calls follow by their goal. */
static struct run stream_run(struct udf_space *space, uint32_t want)
{
    uint32_t group = window_open(space, (want + space->group_blocks - 1) / space->group_blocks);
    if (group == SPACE_NO_GROUP)
        return hole_search(space, want);
    uint32_t first = space_group_first(space, group);
    return (struct run){first, run_length(space, first, want)};
}

/* The block behind what the caller has. Data always goes on there: files in one piece are worth a few blocks
 * in the journal. Directories go on there when it is cheap. */
static struct run goal_run(struct udf_space *space, enum udf_alloc_class class, udf_block_t goal,
                           uint32_t want)
{
    struct run run = {goal.n, 0};
    if (goal.n >= space->blocks || !space_allocatable(space, goal.n))
        return run;
    if (class != UDF_ALLOC_DATA && fresh_plentiful(space) && !block_cheap(space, goal.n))
        return run;
    run.count = run_length(space, goal.n, want);
    if (class == UDF_ALLOC_DATA)
        window_follow(space, space_group_of(space, goal.n + run.count - 1));
    return run;
}

/* How many blocks this class may have now: 0 with *err when none. */
static uint32_t limit(const struct udf_space *space, enum udf_alloc_class class, int *err)
{
    uint32_t reserve = class == UDF_ALLOC_DATA ? space->reserve : 0;
    uint32_t now = space->free - space->waiting;
    *err = space->free > reserve && space->waiting ? -EAGAIN : -ENOSPC;
    return now > reserve ? now - reserve : 0;
}

int udf_space_alloc(struct udf_volume *vol, enum udf_alloc_class class, udf_block_t goal, uint32_t want,
                    udf_block_t *first, uint32_t *got)
{
    struct udf_space *space = vol->space;
    struct run run = {0, 0};
    int err;
    pthread_mutex_lock(&space->lock);
    uint32_t most = limit(space, class, &err);
    if (want > most)
        want = most;
    if (want)
        run = goal_run(space, class, goal, want);
    if (want && !run.count && class == UDF_ALLOC_DATA && stream_looks(space, want))
        run = stream_run(space, want);
    else if (want && !run.count)
        run = pen_run(space, class, want);
    if (run.count) {
        space_mark(space, run.first, run.count, true);
        *first = (udf_block_t){run.first};
        *got = run.count;
        err = 0;
    }
    pthread_mutex_unlock(&space->lock);
    return err;
}
