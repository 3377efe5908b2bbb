/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Sections of which a definition may have several, each an object of its own: [Mount] and
 * [Network].
 *
 * What identifies one is where it stands among those of its name: the first of every file is about
 * the first object, the second about the second.
 */

#include <stddef.h>

typedef struct Definition Definition;

/* Where a setting's value was written. */
typedef struct Origin {
        const char *file; /* one of Definition.files; NULL: nowhere, it is the default */
        unsigned line;
} Origin;

/* What each such object starts with. */
typedef struct Repeated {
        Origin *origins;  /* as Definition.origins */
        const char *file; /* where its first section starts; one of Definition.files */
        unsigned line;
} Repeated;

/* The most of one kind. More serve nobody, and each costs the host something. */
#define REPEATED_MAX 32

typedef enum RepeatedKind { REPEATED_MOUNT, REPEATED_NETWORK, _REPEATED_KIND_MAX } RepeatedKind;

typedef struct RepeatedSection {
        RepeatedKind kind;
        const char *name;     /* "Network" */
        const char *resolved; /* its name in what the generator writes: "X-VE-Network" */
        const char *things;   /* what they are, for people: "interfaces" */
        const char *key;      /* shown even where it is not written */
        /* An object that belongs to nobody, every setting at its default. NULL: out of memory. */
        void *(*make)(void);
        void (*destroy)(void *object);
        /* The same, as the last of a definition, which it belongs to. */
        void *(*add)(Definition *definition);
        /* Number INDEX of a definition, or NULL when it has fewer. */
        void *(*get)(const Definition *definition, size_t index);
} RepeatedSection;

extern const RepeatedSection repeated_mount;
extern const RepeatedSection repeated_network;

/* All kinds, in the order in which they are shown and written. */
extern const RepeatedSection *const repeated_sections[_REPEATED_KIND_MAX];

/* The kind that has NAME, or the name RESOLVED; NULL when there is none. */
const RepeatedSection *repeated_find(const char *name);
const RepeatedSection *repeated_find_resolved(const char *resolved);

/* The array of origins that an object starts with; NULL: out of memory. */
Origin *repeated_origins(void);
