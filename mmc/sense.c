/* SPDX-License-Identifier: MIT */
/*
 * Sense data: taken apart (SPC-4 4.5), turned into words, an errno and a hint. The words cover what CD drives
 * say (MMC-5 annex F); other codes are shown as numbers behind the words for their key.
 */
#include "mmc/sense.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mmc/bytes.h"

#define ANY 0xFF /* any qualifier that has no words of its own */

struct sense_words {
    uint8_t asc, ascq;
    const char *words;
};

/* Where ANY follows the qualifiers that have words, it serves the rest. */
static const struct sense_words sense_words[] = {
    {0x00, 0x00, "no additional sense information"},
    {0x00, 0x16, "operation in progress"},
    {0x00, ANY, "no additional sense information"},
    {0x02, ANY, "no seek complete"},
    {0x03, ANY, "laser or write power fault"},
    {0x04, 0x00, "not ready, cause not reported"},
    {0x04, 0x01, "becoming ready"},
    {0x04, 0x02, "start command required"},
    {0x04, 0x03, "manual intervention required"},
    {0x04, 0x04, "format in progress"},
    {0x04, 0x07, "operation in progress"},
    {0x04, 0x08, "long write in progress"},
    {0x04, ANY, "not ready"},
    {0x05, ANY, "the drive does not respond to selection"},
    {0x06, ANY, "no reference position found"},
    {0x08, ANY, "communication with the drive failed"},
    {0x09, ANY, "tracking or focus servo failure"},
    {0x0C, 0x07, "write error, recovery needed"},
    {0x0C, 0x08, "write error, recovery failed"},
    {0x0C, 0x09, "write error, loss of streaming"},
    {0x0C, ANY, "write error"},
    {0x11, 0x05, "unrecovered read error, L-EC uncorrectable"},
    {0x11, 0x06, "unrecovered read error, CIRC uncorrectable"},
    {0x11, ANY, "unrecovered read error"},
    {0x15, ANY, "positioning error"},
    {0x17, ANY, "recovered with retries"},
    {0x18, ANY, "recovered with error correction"},
    {0x1A, ANY, "parameter list length error"},
    {0x1B, ANY, "transfer of the data failed"},
    {0x20, ANY, "command not known to the drive"},
    {0x21, 0x00, "block address out of range"},
    {0x21, 0x02, "invalid address for write"},
    {0x21, ANY, "block address out of range"},
    {0x24, ANY, "invalid field in the command"},
    {0x25, ANY, "logical unit not supported"},
    {0x26, ANY, "invalid field in the parameter list"},
    {0x27, ANY, "write protected"},
    {0x28, ANY, "the medium may have changed"},
    {0x29, ANY, "power on or reset"},
    {0x2A, ANY, "mode parameters changed"},
    {0x2C, ANY, "command sequence error"},
    {0x2E, ANY, "not enough time for the operation"},
    {0x30, 0x01, "cannot read the medium, unknown format"},
    {0x30, 0x02, "cannot read the medium, incompatible format"},
    {0x30, 0x05, "cannot write the medium, incompatible format"},
    {0x30, 0x06, "cannot format the medium, incompatible medium"},
    {0x30, ANY, "incompatible medium"},
    {0x31, 0x01, "the format command failed"},
    {0x31, ANY, "the format of the medium is corrupted"},
    {0x39, ANY, "saving parameters is not supported"},
    {0x3A, 0x01, "no medium, tray closed"},
    {0x3A, 0x02, "no medium, tray open"},
    {0x3A, ANY, "no medium"},
    {0x3E, ANY, "the drive has not configured itself yet"},
    {0x3F, ANY, "the drive's operating conditions have changed"},
    {0x44, ANY, "internal failure of the drive"},
    {0x47, ANY, "parity error on the bus"},
    {0x4E, ANY, "overlapped commands"},
    {0x51, ANY, "erase failure"},
    {0x53, 0x02, "removal of the medium is prevented"},
    {0x53, ANY, "loading or ejecting failed"},
    {0x57, ANY, "table of contents unreadable"},
    {0x5A, ANY, "the operator asks for the medium"},
    {0x5D, ANY, "the drive predicts its own failure"},
    {0x63, ANY, "end of the user area on this track"},
    {0x64, 0x01, "invalid packet size"},
    {0x64, ANY, "illegal mode for this track"},
    {0x72, 0x01, "session fixation error writing the lead-in"},
    {0x72, 0x02, "session fixation error writing the lead-out"},
    {0x72, 0x03, "session fixation error, incomplete track in the session"},
    {0x72, 0x04, "session fixation error, empty or partly written reserved track"},
    {0x72, 0x05, "no more track reservations allowed"},
    {0x72, ANY, "session fixation error"},
    {0x73, 0x01, "power calibration area almost full"},
    {0x73, 0x02, "power calibration area is full"},
    {0x73, 0x03, "power calibration failed"},
    {0x73, 0x04, "program memory area update failure"},
    {0x73, 0x05, "program memory area is full"},
    {0x73, ANY, "CD control error"},
};

static const char *const key_words[16] = {
    "no sense",       "recovered error", "not ready",      "medium error",
    "hardware error", "illegal request", "unit attention", "data protected",
    "blank check",    "vendor specific", "copy aborted",   "aborted command",
    "reserved key",   "volume overflow", "miscompare",     "completed",
};

/* The sense-key specific bytes hold a progress indication only with these keys (SPC-4 4.5.2.4.4). */
static void progress_decode(const uint8_t *specific, struct mmc_sense *sense)
{
    bool tells = sense->key == MMC_KEY_NO_SENSE || sense->key == MMC_KEY_NOT_READY;

    if (!tells || !(specific[0] & 0x80))
        return;
    sense->progress_set = true;
    sense->progress = mmc_be16_get(specific + 1);
}

static void fixed_decode(const uint8_t *bytes, size_t len, struct mmc_sense *sense)
{
    if (len < 3)
        return;
    sense->key = bytes[2] & 0x0F;
    if (len >= 7 && (bytes[0] & 0x80)) {
        sense->lba_set = true;
        sense->lba = (int32_t)mmc_be32_get(bytes + 3);
    }
    if (len >= 13)
        sense->asc = bytes[12];
    if (len >= 14)
        sense->ascq = bytes[13];
    if (len >= 18)
        progress_decode(bytes + 15, sense);
}

/* The INFORMATION descriptor holds 64 bits; what is no 32-bit block address is no block of a CD. */
static void information_decode(const uint8_t *descriptor, struct mmc_sense *sense)
{
    uint32_t high = mmc_be32_get(descriptor + 4), low = mmc_be32_get(descriptor + 8);
    bool negative = high == UINT32_MAX && low > INT32_MAX;

    if (!(descriptor[2] & 0x80) || (high != 0 && !negative))
        return;
    sense->lba_set = true;
    sense->lba = (int32_t)low;
}

static void descriptors_decode(const uint8_t *bytes, size_t len, struct mmc_sense *sense)
{
    if (len < 4)
        return;
    sense->key = bytes[1] & 0x0F;
    sense->asc = bytes[2];
    sense->ascq = bytes[3];
    if (len < 8)
        return;
    if (len > 8u + bytes[7])
        len = 8u + bytes[7];
    for (size_t at = 8; at + 2 <= len; at += 2u + bytes[at + 1]) {
        const uint8_t *descriptor = bytes + at;
        size_t size = 2u + descriptor[1];

        if (size > len - at)
            return;
        if (descriptor[0] == 0x00 && size >= 12)
            information_decode(descriptor, sense);
        if (descriptor[0] == 0x02 && size >= 7)
            progress_decode(descriptor + 4, sense);
    }
}

void mmc_sense_decode(const uint8_t *bytes, size_t len, struct mmc_sense *sense)
{
    *sense = (struct mmc_sense){0};
    if (len == 0)
        return;
    switch (bytes[0] & 0x7F) {
    case 0x71:
        sense->deferred = true;
        /* fall through */
    case 0x70:
        fixed_decode(bytes, len, sense);
        break;
    case 0x73:
        sense->deferred = true;
        /* fall through */
    case 0x72:
        descriptors_decode(bytes, len, sense);
        break;
    default:
        break;
    }
}

static int not_ready_errno(const struct mmc_sense *sense)
{
    switch (sense->asc) {
    case 0x3A:
        return -ENOMEDIUM;
    case 0x30:
        return -EMEDIUMTYPE;
    case 0x04:
        return sense->ascq == 0x03 ? -EIO : -EBUSY;
    default:
        return -EIO;
    }
}

static int medium_errno(const struct mmc_sense *sense)
{
    if (sense->asc == 0x30)
        return -EMEDIUMTYPE;
    if (sense->asc == 0x73 && (sense->ascq == 0x02 || sense->ascq == 0x05))
        return -ENOSPC;
    return -EIO;
}

static int illegal_errno(const struct mmc_sense *sense)
{
    switch (sense->asc) {
    case 0x20:
        return -EOPNOTSUPP;
    case 0x27:
        return -EROFS;
    case 0x30:
        return -EMEDIUMTYPE;
    case 0x53:
        return -EBUSY;
    case 0x63:
        return -ENOSPC;
    case 0x72:
        return sense->ascq == 0x05 ? -ENOSPC : -EINVAL;
    case 0x73:
        return medium_errno(sense);
    default:
        return -EINVAL;
    }
}

static int attention_errno(const struct mmc_sense *sense)
{
    switch (sense->asc) {
    case 0x28:
        return -ESTALE;
    case 0x2E:
        return -EBUSY;
    default:
        return -EAGAIN;
    }
}

int mmc_sense_errno(const struct mmc_sense *sense)
{
    switch (sense->key) {
    case MMC_KEY_NOT_READY:
        return not_ready_errno(sense);
    case MMC_KEY_MEDIUM_ERROR:
        return medium_errno(sense);
    case MMC_KEY_ILLEGAL_REQUEST:
        return illegal_errno(sense);
    case MMC_KEY_UNIT_ATTENTION:
        return attention_errno(sense);
    case MMC_KEY_DATA_PROTECT:
        return -EROFS;
    default:
        return -EIO;
    }
}

static const char *code_words(uint8_t asc, uint8_t ascq)
{
    for (size_t i = 0; i < sizeof(sense_words) / sizeof(sense_words[0]); i++) {
        const struct sense_words *w = &sense_words[i];

        if (w->asc == asc && (w->ascq == ascq || w->ascq == ANY))
            return w->words;
    }
    return NULL;
}

char *mmc_sense_text(const struct mmc_sense *sense, char *buf, size_t size)
{
    const char *words = code_words(sense->asc, sense->ascq);
    const char *late = sense->deferred ? ", of an earlier command" : "";

    snprintf(buf, size, "%s%s%s (%X/%02X/%02X)%s", key_words[sense->key & 0x0F], words ? ": " : "",
             words ? words : "", (unsigned)sense->key, (unsigned)sense->asc, (unsigned)sense->ascq, late);
    return buf;
}

static const char *illegal_hint(const struct mmc_sense *sense)
{
    switch (sense->asc) {
    case 0x20:
        return "This drive does not know the command; another drive may.";
    case 0x30:
        return "Another kind of disc is needed; packets need a CD-RW.";
    case 0x53:
        return "Unmount the disc, or end the program that uses it, first.";
    case 0x63:
        return "The disc or track is full.";
    case 0x64:
        if (sense->ascq == 0x01)
            return NULL;
        return "The disc is not in the form that this needs; blank it, or format it with mkfs.packetfs.";
    case 0x72:
        return "A track of the session is not complete; close the track first.";
    default:
        return NULL;
    }
}

static const char *medium_hint(const struct mmc_sense *sense)
{
    switch (sense->asc) {
    case 0x11:
    case 0x02:
    case 0x57:
        return "The disc may be dirty, scratched or worn out; clean it, or try another drive.";
    case 0x03:
    case 0x0C:
        return "The disc may be worn out or dirty; clean it, write slower, or use another disc.";
    case 0x30:
        return "Another kind of disc is needed; packets need a CD-RW.";
    case 0x31:
        return "Format the disc again.";
    case 0x51:
        return "The disc may be worn out; a full blank, or another disc, may help.";
    case 0x73:
        return "The disc cannot calibrate the laser any more; a CD-RW may recover by a full blank.";
    default:
        return "The disc may be dirty or worn out; clean it, or try another one.";
    }
}

const char *mmc_sense_hint(const struct mmc_sense *sense)
{
    switch (sense->key) {
    case MMC_KEY_NOT_READY:
        if (sense->asc == 0x3A)
            return sense->ascq == 0x02 ? "Put a disc in and close the tray." : "Put a disc in.";
        if (sense->asc == 0x30)
            return "The drive cannot use this disc; try another disc or drive.";
        return sense->asc == 0x04 ? "The drive is busy; wait until it is done, then try again." : NULL;
    case MMC_KEY_MEDIUM_ERROR:
        return medium_hint(sense);
    case MMC_KEY_HARDWARE_ERROR:
        return "Check the cable and the power of the drive, and try another disc.";
    case MMC_KEY_ILLEGAL_REQUEST:
        return illegal_hint(sense);
    case MMC_KEY_UNIT_ATTENTION:
        return sense->asc == 0x28 ? "Put the disc back in that was there before." : NULL;
    case MMC_KEY_DATA_PROTECT:
        return "The disc cannot be written; use a CD-RW that is not protected.";
    case MMC_KEY_BLANK_CHECK:
        return "Nothing was ever written at that place.";
    case MMC_KEY_ABORTED:
        return "Check the cable of the drive, and try again.";
    default:
        return NULL;
    }
}
