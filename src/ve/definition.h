/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A VE's definition.
 *
 * definition_load() reads NAME.ve with its drop-ins, its profile and the host-wide defaults, as the
 * generator does; definition_read_resolved() reads the [X-VE] section that the generator wrote into
 * a drop-in, as the launcher does. Both yield the same object. Neither logs: what is to be said
 * about the files goes to a Messages list, each with file and line.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"
#include "ve/disk.h"
#include "ve/interface.h"
#include "ve/message.h"

typedef enum StorageType {
        STORAGE_OVERLAY,   /* template below, private upper layer */
        STORAGE_IMAGE,     /* the same, with that layer in a file with a filesystem of its own */
        STORAGE_DIRECTORY, /* no layer, but a copy of the template for the VE alone */
        STORAGE_BTRFS,     /* the same, in a subvolume of btrfs */
        _STORAGE_TYPE_MAX
} StorageType;

typedef enum StorageEncrypt {
        STORAGE_ENCRYPT_NO,
        STORAGE_ENCRYPT_LUKS2, /* the filesystem of an image is in a LUKS2 container */
        _STORAGE_ENCRYPT_MAX
} StorageEncrypt;

typedef enum NotifyReady {
        NOTIFY_READY_AUTO, /* the VE's init when it is systemd, else the launcher */
        NOTIFY_READY_NO,   /* the launcher, as soon as the init is about to run */
        NOTIFY_READY_YES,  /* the VE's init, with READY=1 */
        _NOTIFY_READY_MAX
} NotifyReady;

/* One line of a section that systemd owns, in the order given. */
typedef struct PassLine {
        const char *section; /* "Unit", "Service", "Slice" or "Install": static */
        const char *key;     /* static */
        char *value;         /* verbatim, "" resets as in a unit file */
        const char *file;    /* where it was written: one of Definition.files */
        unsigned line;
} PassLine;

struct Definition {
        char *name;
        char **files; /* every file read, the main one first; absolute paths */

        /* [VE] */
        char *template; /* never NULL once loaded without error */
        char *hostname; /* default: name */
        char *profile;  /* or NULL */
        char **init;    /* command line of PID 1; NULL: the first of INIT_CANDIDATES in the root */
        char *uuid; /* 32 hex digits, or NULL: derived from machine-id and name by the launcher */
        int ephemeral;            /* boolean: what is written is gone at the stop */
        NotifyReady notify_ready; /* who says that the VE is up; default auto */
        int stop_signal;          /* asks PID 1 for an orderly stop; default SIGRTMIN+3 */

        /* [Storage] */
        StorageType storage_type;
        StorageEncrypt storage_encrypt;
        char *storage_key;       /* a word for storage_key_parse() (ve/storage-key.h), or NULL */
        uint64_t storage_size;   /* bytes that the VE may take on disk; 0: no limit */
        uint64_t storage_inodes; /* files; 0: no limit */
        char **binds, **binds_read_only; /* words for bind_parse() (ve/mount-words.h) */
        char **temporary_fs;             /* words for temporary_fs_parse() */

        /* [Mount] */
        Disk **disks;
        size_t n_disks;

        /* [Network]: none is as good as one with NETWORK_NONE */
        Interface **interfaces;
        size_t n_interfaces;

        /* For each entry of the settings table (ve/settings.h), in its order. */
        Origin *origins;

        PassLine *pass;
        size_t n_pass;

        /*
         * Set when the definition is wrong: one sentence, with file and line in front. Carried in
         * [X-VE] so that the start fails with it. The other members then hold what was good, so
         * that a VE that runs keeps its limits over a reload.
         */
        char *error;
};

/* A definition of VE NAME with every setting at its default. NULL when memory runs out. */
Definition *definition_new(const char *name);
Definition *definition_free(Definition *definition);
DEFINE_CLEANUP(Definition *, definition_free);

/* Adds an interface, every setting at its default. It belongs to DEFINITION. NULL: out of memory.
 */
Interface *definition_add_interface(Definition *definition);
/* The same of a disk. */
Disk *definition_add_disk(Definition *definition);
/* The mode of the VE's network namespace: that of the first interface, or NETWORK_NONE. */
NetworkMode definition_network_mode(const Definition *definition);

/*
 * Loads VE NAME. ROOT is "" for the running host, or a directory that stands for "/" in every path
 * looked up (and is left out of the paths reported): tests use it. Returns 0, -EINVAL for what is
 * no name, -ENOENT when there is no definition, -ERFKILL when it is masked, or another -errno when
 * the directories can't be read. A definition with an error is still a success: ->error is set,
 * MESSAGES says the same.
 */
int definition_load(const char *root, const char *name, Messages *messages, Definition **ret);

/*
 * The same, as if the drop-in FILE ("90-x.conf") of /etc/ve said TEXT, or were absent when that is
 * NULL: what would come of writing it.
 */
int definition_load_with(const char *root, const char *name, const char *file, const char *text,
                Messages *messages, Definition **ret);

/* The files that make a VE's definition, but for what it shares with others. */
typedef struct DefinitionTexts {
        char *main;
        char **names; /* of its drop-ins ("90-x.conf"), in the order in which they apply */
        char **texts; /* for each; "" masks a shared one of that name */
} DefinitionTexts;

void definition_texts_done(DefinitionTexts *texts);
/* Reads those of VE NAME. As definition_load(), but a file that can't be read is an error, too. */
int definition_texts_read(const char *root, const char *name, DefinitionTexts *ret);
/* Puts TEXT in place of the drop-in FILE, or takes that away (NULL). Returns 0 or -ENOMEM. */
int definition_texts_replace(DefinitionTexts *texts, const char *file, const char *text);
/* Loads what the definition of VE NAME would be if /etc/ve had these files of it, and no others. */
int definition_load_texts(const char *root, const char *name, const DefinitionTexts *texts,
                Messages *messages, Definition **ret);

/*
 * The same as definition_load() for the file at the absolute PATH, which need not be in a searched
 * directory: NAME is what its name says before ".ve" (-EINVAL when that is none). An empty file is
 * an error, no mask.
 */
int definition_load_file(const char *root, const char *path, Messages *messages, Definition **ret);

/* Lists the names of all VEs defined below ROOT, sorted, masked ones left out. *RET is a strv. */
int definition_list(const char *root, char ***ret);

/* The host's definitions, for who needs many: what they share is read once. */
typedef struct DefinitionSource DefinitionSource;

int definition_source_open(const char *root, DefinitionSource **ret);
DefinitionSource *definition_source_close(DefinitionSource *source);
DEFINE_CLEANUP(DefinitionSource *, definition_source_close);
/* As definition_load() and definition_list(); files whose name is no VE's are said in MESSAGES. */
int definition_source_load(
                DefinitionSource *source, const char *name, Messages *messages, Definition **ret);
int definition_source_list(DefinitionSource *source, Messages *messages, char ***ret);

/*
 * Reads the resolved definition from a drop-in's [X-VE] section. Returns 0, -ENOENT when there is
 * no such file, -EBADMSG when it has no or a damaged section. ->pass and ->files stay empty.
 */
int definition_read_resolved(const char *path, Definition **ret);
