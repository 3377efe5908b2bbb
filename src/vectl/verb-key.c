/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "storage/program.h"
#include "vectl/verbs.h"

static const char *key_file, *new_key_file;

/* Becomes ve-crypt: only that loads what deals with LUKS2. */
static int become(const char *command, const char *name, const char *file, const char *new_file) {
        const char *argv[] = {"vectl", command, name, file ?: "", new_file, NULL};

        (void) execv(VE_CRYPT, (char *const *) argv);
        if (errno == ENOENT) {
                log_error("Cannot change keys: Veneer was built without libcryptsetup; install "
                          "that and build it again.");
                return EXIT_UNSUPPORTED;
        }
        log_error_errno(-errno, "Cannot run %s: %m.", VE_CRYPT);
        return EXIT_FAILED;
}

static const Option options[] = {
                {.letter = 'k',
                                .name = "key-file",
                                .argument = "FILE",
                                .summary = "Take the key that there is from FILE",
                                .value = &key_file,
                                .words = words_files},
                {.letter = 'n',
                                .name = "new-key-file",
                                .argument = "FILE",
                                .summary = "Take the new key from FILE",
                                .value = &new_key_file,
                                .words = words_files},
};

static const Option remove_options[] = {
                {.letter = 'k',
                                .name = "key-file",
                                .argument = "FILE",
                                .summary = "Remove the key that is in FILE",
                                .value = &key_file,
                                .words = words_files},
};

static int add(char **names) {
        return become("key-add", names[0], key_file, new_key_file ?: "");
}

static const Verb verb_add_key = {
                .name = "add",
                .usage = "NAME [OPTION]...",
                .summary = "Have another key open a VE's image, too",
                .about = "One that opens it already is taken from --key-file, else from where the "
                         "definition's Key= says, else asked for; the new one from --new-key-file, "
                         "else it is asked for, twice.",
                OPTIONS(options),
                .min = 1,
                .max = 1,
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = add,
};

static int change(char **names) {
        return become("key-change", names[0], key_file, new_key_file ?: "");
}

static const Verb verb_change_key = {
                .name = "change",
                .usage = "NAME [OPTION]...",
                .summary = "Replace one of the keys of a VE's image",
                .about = "The old one opens the image no more. Both are taken from where `vectl "
                         "key add` takes them. What Key= of the definition names is not written "
                         "to: put the new key there.",
                OPTIONS(options),
                .min = 1,
                .max = 1,
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = change,
};

static int remove_key(char **names) {
        return become("key-remove", names[0], key_file, NULL);
}

static const Verb verb_remove_key = {
                .name = "remove",
                .usage = "NAME [OPTION]...",
                .summary = "Have a key open a VE's image no more",
                .about = "The key is taken from --key-file, else it is asked for. The last one "
                         "stays.",
                OPTIONS(remove_options),
                .min = 1,
                .max = 1,
                .words = words_ves,
                .flags = VERB_NEEDS_ROOT,
                .run = remove_key,
};

static const Verb *const key_verbs[] = {&verb_add_key, &verb_change_key, &verb_remove_key, NULL};

const Verb verb_key = {
                .name = "key",
                .usage = "VERB NAME [OPTION]...",
                .summary = "Change the keys of encrypted VEs",
                .about = "For VEs whose definition says Encrypt=luks2, running or not. Each of its "
                         "keys opens an image; none is shown or kept by Veneer.",
                .verbs = key_verbs,
};
