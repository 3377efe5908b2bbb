/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A verb of vectl, as one constant: what dispatch, --help and completion are all made from.
 *
 * Each verb-*.c file holds its options, its help and the Verb; verbs.c has the table.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/macro.h"

/*
 * Words that completion offers in some place, where CURRENT is typed so far; the caller drops those
 * that don't start with it. *RET is a strv. Returns 0 or -errno.
 */
typedef int (*Words)(const char *current, char ***ret);

/* An option. Exactly one of FLAG, VALUE and LIST says where it goes. */
typedef struct Option {
        char letter;          /* 0: none */
        const char *name;     /* without dashes */
        const char *argument; /* what --help calls it; NULL for a flag */
        const char *summary;  /* for --help, no full stop */
        bool *flag;
        const char **value;
        char ***list; /* given again and again: a strv */
        Words words;
} Option;

typedef enum VerbFlags {
        VERB_NEEDS_ROOT = 1 << 0,
        VERB_HIDDEN = 1 << 1,        /* for other programs: neither listed nor completed */
        VERB_NO_OPERANDS = 1 << 2,   /* MAX would mean any number */
        VERB_TAKES_COMMAND = 1 << 3, /* options end at the first operand, "--" may follow it */
        VERB_ENTERS_VE = 1 << 4      /* runs from a sealed copy of vectl */
} VerbFlags;

typedef struct Verb Verb;
struct Verb {
        const char *name;
        const char *usage;   /* what follows the name */
        const char *summary; /* one line of `vectl --help`, no full stop */
        const char *about;   /* paragraphs for `vectl VERB --help`, any line length; or NULL */
        const Option *options;
        size_t n_options;
        size_t min, max;  /* operands; MAX 0: any number */
        Words words;      /* for operands */
        Words more_words; /* for those after the first; NULL: the same */
        VerbFlags flags;
        /* Returns an ExitCode, or a command's status. OPERANDS is a strv. */
        int (*run)(char **operands);
        const Verb *const *verbs; /* NULL-terminated: a group, which has nothing else but texts */
};

/* All verbs, NULL-terminated, in the order of --help. */
extern const Verb *const verbs[];

/* Returns the entry of TABLE named NAME, or NULL. */
const Verb *verb_find(const Verb *const *table, const char *name);

#define OPTIONS(array) .options = (array), .n_options = ELEMENTSOF(array)

/* "Usage…" and all else about a verb, or about vectl itself when VERB is NULL. PATH: "template
 * import".
 */
void help_print(const char *path, const Verb *verb);

/*
 * Reads the words after the verb: sets options, and appends operands to *RET (a strv). Logs.
 * Returns an ExitCode; *RET_HELP is true when --help was among them.
 */
ExitCode options_parse(
                const char *path, const Verb *verb, char **words, bool *ret_help, char ***ret);

/* Adds a setting of [Network] for each of ADDRESSES, a strv, to SETTINGS. Logs. */
ExitCode addresses_add(char *const *addresses, char ***settings);

/* Words for completion. */
int words_ves(const char *current, char ***ret);
/* For what is new. */
int words_none(const char *current, char ***ret);
int words_templates(const char *current, char ***ret);
/* Of all VEs: which one is meant is not known here. */
int words_snapshots(const char *current, char ***ret);
int words_settings(const char *current, char ***ret);
/* The same, with the "+=" and "-=" of lists. */
int words_changes(const char *current, char ***ret);
/* Names of files: left to the shell. */
#define WORDS_FILES "\tfiles"
int words_files(const char *current, char ***ret);
int words_ves_or_files(const char *current, char ***ret);

/* Prints what may follow LINE, a command line up to the cursor, one word a line. */
int complete_print(const char *line);
