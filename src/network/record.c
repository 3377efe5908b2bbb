/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "config/ini.h"
#include "ve/name.h"
#include "ve/paths.h"
#include "ve/settings.h"

#define RECORD "network"
#define LOCK VE_RUN "/network.lock"
/* Interfaces and forwards are limited; this is far above. */
#define RECORD_SIZE_MAX ((size_t) 4 * 1024 * 1024)

void record_done(Record *record) {
        definition_free(record->definition);
        operations_done(&record->operations);
        *record = (Record){};
}

void records_done(Records *records) {
        for (size_t i = 0; i < records->n; i++)
                record_done(&records->list[i]);
        free(records->list);
        *records = (Records){};
}

static int write_interface(FILE *stream, const Interface *interface) {
        size_t n;
        const Setting *table = settings_table(&n);

        (void) fputs("[X-VE-Network]\n", stream);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *value = NULL;
                int r;

                if (table[i].repeated != &repeated_network)
                        continue;
                r = setting_format(&table[i], interface, &value);
                if (r < 0)
                        return r;
                if (value)
                        (void) fprintf(stream, "%s=%s\n", table[i].key, value);
        }
        return 0;
}

static int write_all(FILE *stream, const Definition *definition, const Operations *operations) {
        for (size_t i = 0; i < definition->n_interfaces; i++) {
                int r = write_interface(stream, definition->interfaces[i]);

                if (r < 0)
                        return r;
        }
        (void) fputs("[X-VE-Operations]\n", stream);
        for (size_t i = 0; i < operations->n; i++) {
                _cleanup_free_ char *line = operation_format(&operations->list[i]);

                if (!line)
                        return -ENOMEM;
                (void) fprintf(stream, "Operation=%s\n", line);
        }
        return 0;
}

char *record_format(const Definition *definition, const Operations *operations) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);
        int r;

        if (!stream)
                return NULL;
        r = write_all(stream, definition, operations);
        if (fclose(stream) != 0 || r < 0) {
                free(text);
                return NULL;
        }
        return text;
}

static int take_event(const IniEvent *event, void *userdata) {
        Record *record = userdata;
        Definition *definition = record->definition;
        const Setting *setting;
        int r = 0;

        if (event->type == INI_FAULT || !event->section)
                return -EBADMSG;
        if (streq(event->section, "X-VE-Operations")) {
                if (event->type == INI_ASSIGNMENT && streq(event->key, "Operation"))
                        r = operations_parse(&record->operations, event->value);
        } else if (!streq(event->section, "X-VE-Network"))
                return -EBADMSG;
        else if (event->type == INI_SECTION)
                r = definition_add_interface(definition) ? 0 : -ENOMEM;
        else {
                setting = setting_find("Network", event->key);
                if (setting)
                        r = setting_parse(setting, event->value,
                                        definition->interfaces[definition->n_interfaces - 1]);
        }
        return r == -EINVAL ? -EBADMSG : r;
}

int record_parse(const char *ve, char *text, size_t size, Record *ret) {
        Record record = {.definition = definition_new(ve)};
        int r = record.definition ? ini_parse(text, size, take_event, &record) : -ENOMEM;

        if (r < 0) {
                record_done(&record);
                return r;
        }
        *ret = record;
        return 0;
}

int record_lock(void) {
        int r = dir_make_all(VE_RUN, 0755);

        return r < 0 ? r : file_lock(LOCK, /* try= */ false);
}

static char *record_path(const char *ve) {
        return text_format(VE_RUNNING "/%s/" RECORD, ve);
}

int record_write(const Definition *definition, const Operations *operations) {
        _cleanup_free_ char *path = record_path(definition->name);
        _cleanup_free_ char *text = record_format(definition, operations);

        if (!path || !text)
                return -ENOMEM;
        return file_write_atomic(AT_FDCWD, path, text, 0644, 0);
}

int record_read(const char *ve, Record *ret) {
        _cleanup_free_ char *path = record_path(ve);
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = path ? file_read_at(AT_FDCWD, path, RECORD_SIZE_MAX, &text, &size) : -ENOMEM;

        return r < 0 ? r : record_parse(ve, text, size, ret);
}

int record_remove(const char *ve) {
        _cleanup_free_ char *path = record_path(ve);

        if (!path)
                return -ENOMEM;
        return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

static int list_running(char ***ret) {
        DIR *dir = opendir(VE_RUNNING);
        _cleanup_strv_ char **names = NULL;
        struct dirent *entry;
        int r = 0;

        if (!dir)
                return errno == ENOENT ? 0 : -errno;
        while (r >= 0 && (entry = readdir(dir)))
                if (ve_name_is_valid(entry->d_name))
                        r = strv_append(&names, entry->d_name);
        closedir(dir);
        if (r < 0)
                return r;
        strv_sort(names);
        *ret = TAKE_PTR(names);
        return 0;
}

int records_read(Records *ret) {
        _cleanup_(records_done) Records records = {};
        _cleanup_strv_ char **names = NULL;
        int r = list_running(&names);

        if (r < 0)
                return r;
        records.list = calloc(strv_length(names) + 1, sizeof(Record));
        if (!records.list)
                return -ENOMEM;
        STRV_FOREACH (name, names) {
                r = record_read(*name, &records.list[records.n]);
                if (r >= 0)
                        records.n++;
                else if (r != -ENOENT && r != -EBADMSG)
                        return r;
        }
        *ret = records;
        records = (Records){};
        return 0;
}
