/* SPDX-License-Identifier: MIT */
/* The names of media, states and tracks as "packetdisc info" says them. */
#include <stdio.h>

#include "burn/report.h"

const char *report_medium(const struct report *report)
{
    if (!report->drive)
        return "image";
    switch (report->disc.medium) {
    case MMC_MEDIUM_NONE:
        return "none";
    case MMC_MEDIUM_CD_ROM:
        return "cd-rom";
    case MMC_MEDIUM_CD_R:
        return "cd-r";
    case MMC_MEDIUM_CD_RW:
        return "cd-rw";
    case MMC_MEDIUM_OTHER:
        break;
    }
    return "other";
}

const char *report_medium_class(const struct mmc_disc_info *disc)
{
    static const char *const classes[] = {"standard speed", "high speed", "ultra speed", "ultra speed plus"};

    if (disc->medium != MMC_MEDIUM_CD_RW || !disc->atip_valid || disc->atip_subtype > 3)
        return NULL;
    return classes[disc->atip_subtype];
}

const char *report_disc_status(enum mmc_disc_status status)
{
    switch (status) {
    case MMC_DISC_BLANK:
        return "blank";
    case MMC_DISC_APPENDABLE:
        return "appendable";
    case MMC_DISC_COMPLETE:
        return "complete";
    case MMC_DISC_OTHER:
        break;
    }
    return "other";
}

const char *report_session_status(enum mmc_session_status status)
{
    switch (status) {
    case MMC_SESSION_EMPTY:
        return "empty";
    case MMC_SESSION_INCOMPLETE:
        return "incomplete";
    case MMC_SESSION_DAMAGED:
        return "damaged";
    case MMC_SESSION_COMPLETE:
        break;
    }
    return "complete";
}

const char *report_track_kind(const struct mmc_track *track)
{
    if (track->blank && !track->reserved)
        return "free";
    return track->track_mode & 4 ? "data" : "audio";
}

const char *report_content(enum cli_content content)
{
    switch (content) {
    case CLI_CONTENT_BLANK:
        return "nothing";
    case CLI_CONTENT_UDF:
        return "udf";
    case CLI_CONTENT_ISO:
        return "iso9660";
    case CLI_CONTENT_UDF_ISO:
        return "udf and iso9660";
    case CLI_CONTENT_OTHER:
        break;
    }
    return "data";
}

/* Bytes of the UTF-8 character at text if it may be shown, else 0. C1 controls (U+0080 to U+009F) may not. */
static size_t character_length(const unsigned char *text)
{
    size_t len = text[0] < 0x80 ? 1 : text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : text[0] >= 0xc2 ? 2 : 0;

    if (len == 0 || text[0] > 0xf4 || text[0] < ' ' || text[0] == 0x7f || (text[0] == 0xc2 && text[1] < 0xa0))
        return 0;
    if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
        (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

char *report_text_clean(const char *text, char *buf, size_t size)
{
    const unsigned char *from = (const unsigned char *)text;
    size_t used = 0;

    while (*from) {
        size_t len = character_length(from), shown = len ? len : 1;
        if (used + shown + 1 > size)
            break;
        for (size_t i = 0; i < shown; i++)
            buf[used++] = len ? (char)from[i] : '?';
        from += shown;
    }
    buf[used] = '\0';
    return buf;
}
