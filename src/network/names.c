/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network/names.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

static inline uint64_t rotate(uint64_t value, int by) {
        return value << by | value >> (64 - by);
}

static void rounds(uint64_t v[4], int n) {
        while (n-- > 0) {
                v[0] += v[1];
                v[2] += v[3];
                v[1] = rotate(v[1], 13) ^ v[0];
                v[3] = rotate(v[3], 16) ^ v[2];
                v[0] = rotate(v[0], 32) + v[3];
                v[2] += v[1];
                v[3] = rotate(v[3], 21) ^ v[0];
                v[1] = rotate(v[1], 17) ^ v[2];
                v[2] = rotate(v[2], 32);
        }
}

uint64_t siphash(const unsigned char key[16], const void *data, size_t size) {
        const unsigned char *bytes = data;
        uint64_t k[2], v[4], word;

        memcpy(k, key, sizeof(k));
        k[0] = le64toh(k[0]);
        k[1] = le64toh(k[1]);
        v[0] = k[0] ^ 0x736f6d6570736575;
        v[1] = k[1] ^ 0x646f72616e646f6d;
        v[2] = k[0] ^ 0x6c7967656e657261;
        v[3] = k[1] ^ 0x7465646279746573;
        for (size_t i = 0; i <= size / 8; i++) {
                size_t n = size - 8 * i < 8 ? size - 8 * i : 8;

                word = 0;
                memcpy(&word, bytes + 8 * i, n);
                word = le64toh(word);
                /* The last word, perhaps empty, carries the length. */
                if (n < 8)
                        word |= (uint64_t) size << 56;
                v[3] ^= word;
                rounds(v, 2);
                v[0] ^= word;
        }
        v[2] ^= 0xff;
        rounds(v, 4);
        return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void link_full_name(const char *ve, NetworkMode mode, size_t index, char ret[ALTNAME_SIZE]) {
        const char *prefix = mode == NETWORK_ROUTED ? "vr" : mode == NETWORK_BRIDGE ? "vb" : "ve";

        if (index == 0)
                (void) snprintf(ret, ALTNAME_SIZE, "%s-%s", prefix, ve);
        else
                (void) snprintf(ret, ALTNAME_SIZE, "%s-%s_%zu", prefix, ve, index);
}

void link_short_name(const char *full, unsigned salt, char ret[IF_NAMESIZE]) {
        static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
        unsigned char key[16] = {[0] = (unsigned char) salt, [1] = (unsigned char) (salt >> 8)};
        uint64_t hash = siphash(key, full, strlen(full));
        char text[6];

        if (strlen(full) < IF_NAMESIZE && salt == 0) {
                (void) strcpy(ret, full);
                return;
        }
        for (size_t i = 0; i + 1 < sizeof(text); i++, hash >>= 5)
                text[i] = digits[hash & 31];
        text[sizeof(text) - 1] = 0;
        /* A "_" with five characters behind it: no full name is like that, unless it is of an
         * interface number of five digits. */
        (void) snprintf(ret, IF_NAMESIZE, "%.9s_%s", full, text);
}

void link_ifb_name(const char *link, char ret[IF_NAMESIZE]) {
        /* Of "ve-web1" it is "vi.web1"; two ends that differ in the prefix only are never there at
         * once, being one interface of one VE. */
        (void) snprintf(ret, IF_NAMESIZE, "vi.%.12s", link + 3);
}

void link_mac(const unsigned char machine_id[16], const char *ve, size_t index,
                struct ether_addr *ret) {
        char text[80];
        uint64_t hash;

        (void) snprintf(text, sizeof(text), "%s_%zu", ve, index);
        hash = siphash(machine_id, text, strlen(text));
        for (size_t i = 0; i < ETH_ALEN; i++)
                ret->ether_addr_octet[i] = (unsigned char) (hash >> 8 * i);
        /* Unicast, and locally administered (IEEE 802, section 8.4). */
        ret->ether_addr_octet[0] = (unsigned char) ((ret->ether_addr_octet[0] & 0xfe) | 2);
}
