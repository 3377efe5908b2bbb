/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/snapshot-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "config/ini.h"

#define NOTES "notes"
#define MAIN "definition.ve"
#define DROP_INS "definition.ve.d"

#define NOTES_SIZE_MAX ((size_t) 64 * 1024)
/* As for the definition itself. */
#define TEXT_SIZE_MAX ((size_t) 1024 * 1024)

void snapshot_notes_done(SnapshotNotes *notes) {
        free(notes->base);
        free(notes->description);
        *notes = (SnapshotNotes){};
}

static void write_one(FILE *stream, const char *key, const char *value) {
        if (value)
                (void) fprintf(stream, "%s=%s\n", key, value);
}

int snapshot_notes_write(int snapshot_fd, const SnapshotNotes *notes) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);
        int r;

        if (!stream)
                return -ENOMEM;
        (void) fprintf(stream, "[Snapshot]\nCreated=%" PRIu64 "\n", notes->created);
        write_one(stream, "Base", notes->base);
        write_one(stream, "Description", notes->description);
        r = fclose(stream) != 0 ? -ENOMEM : 0;
        if (r >= 0)
                r = file_write_atomic(snapshot_fd, NOTES, text, 0600, FILE_WRITE_SYNC);
        free(text);
        return r;
}

static int take_note(const IniEvent *event, void *userdata) {
        SnapshotNotes *notes = userdata;

        if (event->type == INI_FAULT || !event->section)
                return -EBADMSG;
        if (event->type == INI_SECTION)
                return 0;
        if (streq(event->key, "Created"))
                return text_parse_u64(event->value, &notes->created) < 0 ? -EBADMSG : 0;
        if (streq(event->key, "Base"))
                return text_replace(&notes->base, event->value);
        if (streq(event->key, "Description"))
                return text_replace(&notes->description, event->value);
        return 0;
}

int snapshot_notes_read(int snapshot_fd, SnapshotNotes *ret) {
        _cleanup_(snapshot_notes_done) SnapshotNotes notes = {};
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = file_read_at(snapshot_fd, NOTES, NOTES_SIZE_MAX, &text, &size);

        if (r >= 0)
                r = ini_parse(text, size, take_note, &notes);
        if (r < 0)
                return r;
        *ret = notes;
        notes = (SnapshotNotes){};
        return 0;
}

int snapshot_definition_write(int snapshot_fd, const DefinitionTexts *texts) {
        _cleanup_close_ int fd = -EBADF;
        int r = file_write_atomic(snapshot_fd, MAIN, texts->main, 0600, FILE_WRITE_SYNC);

        if (r >= 0 && mkdirat(snapshot_fd, DROP_INS, 0700) < 0)
                r = -errno;
        if (r < 0)
                return r;
        fd = openat(snapshot_fd, DROP_INS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = fd < 0 ? -errno : 0;
        for (size_t i = 0; r >= 0 && texts->names && texts->names[i]; i++)
                r = file_write_atomic(fd, texts->names[i], texts->texts[i], 0600, FILE_WRITE_SYNC);
        return r;
}

static void closedirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

static int list_drop_ins(int fd, char ***ret) {
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closedirp) DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        _cleanup_strv_ char **names = NULL;
        struct dirent *entry;

        if (!dir) {
                fd_close(copy);
                return -errno;
        }
        while ((entry = readdir(dir)))
                if (entry->d_name[0] != '.' && strv_append(&names, entry->d_name) < 0)
                        return -ENOMEM;
        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

int snapshot_definition_read(int snapshot_fd, DefinitionTexts *ret) {
        _cleanup_close_ int fd = openat(snapshot_fd, DROP_INS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(definition_texts_done) DefinitionTexts texts = {};
        int r = fd < 0 ? -errno : file_read_at(snapshot_fd, MAIN, TEXT_SIZE_MAX, &texts.main, NULL);

        if (r >= 0)
                r = list_drop_ins(fd, &texts.names);
        for (size_t i = 0; r >= 0 && texts.names && texts.names[i]; i++) {
                char *text;

                r = file_read_at(fd, texts.names[i], TEXT_SIZE_MAX, &text, NULL);
                if (r >= 0)
                        r = strv_consume(&texts.texts, text);
        }
        if (r < 0)
                return r;
        *ret = texts;
        texts = (DefinitionTexts){};
        return 0;
}
