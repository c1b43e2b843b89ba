/* SPDX-License-Identifier: MIT */
/*
 * The sub-channels of a CD (ECMA-130 clause 22): eight channels P to W of 96 bits a sector. As commands move
 * them raw, byte i holds bit i of each channel, P on top. Q frames of 12 bytes, the numbers in them that name
 * a disc and a recording, and CD-Text packs in R to W. Pure functions.
 */
#ifndef MMC_SUBCHANNEL_H
#define MMC_SUBCHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MMC_SUBCHANNEL_BYTES 96u
#define MMC_Q_BYTES          12u
#define MMC_MCN_CHARS        13u
#define MMC_ISRC_CHARS       12u
#define MMC_PACK_BYTES       18u
#define MMC_PACKS_A_SECTOR   4u

/* ADR, the low nibble of a Q frame's first byte: what the frame tells. */
enum mmc_q_adr {
    MMC_Q_POSITION = 1,
    MMC_Q_MCN = 2,
    MMC_Q_ISRC = 3,
    MMC_Q_MULTISESSION = 5,
};

/* x^16 + x^12 + x^5 + 1, inverted, as Q frames and CD-Text packs end with it, high byte first. */
uint16_t mmc_subchannel_crc(const uint8_t *data, size_t len);

/* Fills in the last two bytes; and whether they are right. */
void mmc_q_seal(uint8_t q[MMC_Q_BYTES]);
bool mmc_q_sound(const uint8_t q[MMC_Q_BYTES]);

/*
 * The media catalogue number, 13 digits, and the recording's code, five letters or digits and seven digits
 * (22.3.3.2, 22.3.3.3): whole frames, the CRC included. frame: the number of the sector within its second.
 * False, and nothing done, for characters that cannot be told. The other way round, text is ended with a
 * zero.
 */
bool mmc_q_mcn_put(uint8_t q[MMC_Q_BYTES], uint8_t control, const char *mcn, unsigned frame);
bool mmc_q_isrc_put(uint8_t q[MMC_Q_BYTES], uint8_t control, const char *isrc, unsigned frame);
void mmc_q_mcn_get(const uint8_t q[MMC_Q_BYTES], char mcn[MMC_MCN_CHARS + 1]);
void mmc_q_isrc_get(const uint8_t q[MMC_Q_BYTES], char isrc[MMC_ISRC_CHARS + 1]);

/* Puts a channel's 96 bits into raw bytes, or takes them out. channel: 7 for P, 6 for Q, ... 0 for W. */
void mmc_subchannel_put(uint8_t raw[MMC_SUBCHANNEL_BYTES], unsigned channel, const uint8_t bits[12]);
void mmc_subchannel_get(const uint8_t raw[MMC_SUBCHANNEL_BYTES], unsigned channel, uint8_t bits[12]);

/* Four CD-Text packs as the 96 six-bit symbols of R to W, one a byte, and back. */
void mmc_packs_spread(uint8_t symbols[MMC_SUBCHANNEL_BYTES],
                      const uint8_t packs[MMC_PACKS_A_SECTOR * MMC_PACK_BYTES]);
void mmc_packs_gather(const uint8_t symbols[MMC_SUBCHANNEL_BYTES],
                      uint8_t packs[MMC_PACKS_A_SECTOR * MMC_PACK_BYTES]);

/* Whether a pack's CRC is right. */
bool mmc_pack_sound(const uint8_t pack[MMC_PACK_BYTES]);

#endif
