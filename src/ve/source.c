/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ve/source.h"

#include <errno.h>

#include "base/text.h"
#include "ve/name.h"
#include "ve/paths.h"

static const char *const directories[] = {VE_DIR_ETC, VE_DIR_RUN, VE_DIR_USR};

void dropins_done(Dropins *dropins) {
        for (size_t i = 0; dropins->documents && i < strv_length(dropins->names); i++)
                config_document_free(dropins->documents[i]);
        free(dropins->documents);
        strv_free(dropins->names);
        *dropins = (Dropins){0};
}

int dropins_read(const ConfigSearch *search, const char *dir, Dropins *ret) {
        _cleanup_(dropins_done) Dropins dropins = {0};
        size_t n;
        int r = config_list(search, dir, ".conf", &dropins.names);

        if (r < 0)
                return r;
        n = strv_length(dropins.names);
        dropins.documents = calloc(n + 1, sizeof(ConfigDocument *));
        if (!dropins.documents)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *name = text_format("%s/%s", dir, dropins.names[i]);

                r = name ? config_document_read(search, name, &dropins.documents[i]) : -ENOMEM;
                /* Gone since it was listed is as good as never there. */
                if (r < 0 && r != -ERFKILL && r != -ENOENT)
                        return r;
        }
        *ret = dropins;
        dropins = (Dropins){0};
        return 0;
}

/* Makes room for NAME at AT, which is where it comes in the order. */
static int insert_dropin(Dropins *dropins, size_t at, const char *name) {
        size_t n = strv_length(dropins->names);
        ConfigDocument **documents =
                        reallocarray(dropins->documents, n + 2, sizeof(ConfigDocument *));
        char *last;
        int r;

        if (!documents)
                return -ENOMEM;
        dropins->documents = documents;
        r = strv_append(&dropins->names, name);
        if (r < 0)
                return r;
        last = dropins->names[n];
        memmove(dropins->names + at + 1, dropins->names + at, (n - at) * sizeof(char *));
        memmove(documents + at + 1, documents + at, (n - at) * sizeof(ConfigDocument *));
        dropins->names[at] = last;
        documents[at] = NULL;
        return 0;
}

static void remove_dropin(Dropins *dropins, size_t at) {
        size_t after = strv_length(dropins->names) - at;

        config_document_free(dropins->documents[at]);
        free(dropins->names[at]);
        memmove(dropins->names + at, dropins->names + at + 1, after * sizeof(char *));
        memmove(dropins->documents + at, dropins->documents + at + 1,
                        (after - 1) * sizeof(ConfigDocument *));
}

int dropins_replace(Dropins *dropins, const char *name, ConfigDocument *document) {
        size_t at = 0, n = strv_length(dropins->names);
        int r;

        while (at < n && strcmp(dropins->names[at], name) < 0)
                at++;
        if (at < n && streq(dropins->names[at], name))
                remove_dropin(dropins, at);
        if (!document)
                return 0;
        r = insert_dropin(dropins, at, name);
        if (r < 0)
                config_document_free(document);
        else
                dropins->documents[at] = document;
        return r;
}

int definition_source_open(const char *root, DefinitionSource **ret) {
        _cleanup_(definition_source_closep) DefinitionSource *source = calloc(1, sizeof(*source));
        int r;

        if (!source)
                return -ENOMEM;
        source->search.root_fd = -EBADF;
        r = config_search_open(root, directories, ELEMENTSOF(directories), &source->search);
        if (r < 0)
                return r;
        r = dropins_read(&source->search, "ve.d", &source->shared);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(source);
        return 0;
}

DefinitionSource *definition_source_close(DefinitionSource *source) {
        if (!source)
                return NULL;
        for (size_t i = 0; i < source->n_profiles; i++) {
                free(source->profiles[i].name);
                config_document_free(source->profiles[i].document);
        }
        free(source->profiles);
        dropins_done(&source->shared);
        config_search_close(&source->search);
        free(source);
        return NULL;
}

const Profile *source_find_profile(DefinitionSource *source, const char *name) {
        _cleanup_free_ char *path = NULL;
        Profile *grown, profile = {0};

        for (size_t i = 0; i < source->n_profiles; i++)
                if (streq(source->profiles[i].name, name))
                        return &source->profiles[i];
        path = text_format("profiles/%s.conf", name);
        grown = reallocarray(source->profiles, source->n_profiles + 1, sizeof(Profile));
        if (grown)
                source->profiles = grown;
        profile.name = path && grown ? strdup(name) : NULL;
        if (!profile.name)
                return NULL;
        profile.error = config_document_read(&source->search, path, &profile.document);
        source->profiles[source->n_profiles] = profile;
        return &source->profiles[source->n_profiles++];
}

/* Takes the VE's name out of a file's, if it is one; *RET is NULL where there is none to take. */
static int take_name(
                const DefinitionSource *source, const char *file, Messages *messages, char **ret) {
        _cleanup_free_ char *path = NULL, *name = NULL;
        int r = config_locate(&source->search, file, &path);

        *ret = NULL;
        if (r == -ERFKILL || r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        name = strndup(file, strlen(file) - strlen(".ve"));
        if (!name)
                return -ENOMEM;
        if (!ve_name_is_valid(name))
                return messages_add(messages, MESSAGE_ERROR, path, 0,
                                "The name before \".ve\" can't be a VE's: 1 to 63 of a-z, 0-9 and "
                                "\"-\", neither first nor last a \"-\".");
        *ret = TAKE_PTR(name);
        return 0;
}

int definition_source_list(DefinitionSource *source, Messages *messages, char ***ret) {
        _cleanup_strv_ char **files = NULL;
        char **names;
        size_t n = 0;
        int r = config_list(&source->search, "", ".ve", &files);

        if (r < 0)
                return r;
        names = calloc(strv_length(files) + 1, sizeof(char *));
        if (!names)
                return -ENOMEM;
        STRV_FOREACH (file, files) {
                r = take_name(source, *file, messages, &names[n]);
                if (r < 0) {
                        strv_free(names);
                        return r;
                }
                n += names[n] ? 1 : 0;
        }
        *ret = names;
        return 0;
}

int definition_list(const char *root, char ***ret) {
        _cleanup_(definition_source_closep) DefinitionSource *source = NULL;
        _cleanup_(messages_done) Messages messages = {0};
        int r = definition_source_open(root, &source);

        return r < 0 ? r : definition_source_list(source, &messages, ret);
}
