/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/text.h"
#include "config/document.h"
#include "ve/apply.h"
#include "ve/definition.h"
#include "ve/name.h"
#include "ve/paths.h"

static const char *const directories[] = {VE_DIR_ETC, VE_DIR_RUN, VE_DIR_USR};

/* The host-wide defaults: ve.d. */
typedef struct Shared {
        char **names;               /* of the drop-ins, sorted; a strv */
        ConfigDocument **documents; /* for each; NULL where masked */
} Shared;

/* A profile that was read, for the next VE that uses it. */
typedef struct Profile {
        char *name;
        ConfigDocument *document; /* NULL: see error */
        int error;
} Profile;

struct DefinitionSource {
        ConfigSearch search;
        Shared shared;
        Profile *profiles;
        size_t n_profiles;
};

/* The files of one VE, in the order in which they are laid over each other. */
typedef struct Layers {
        ConfigDocument *main;     /* owned */
        char **names;             /* of its own drop-ins, sorted; a strv */
        ConfigDocument **dropins; /* owned, for each; NULL where masked */
        const IniEvent *profile_event;
        const ConfigDocument *profile_document; /* where the profile was chosen */
} Layers;

static void free_documents(ConfigDocument **documents, size_t n) {
        for (size_t i = 0; documents && i < n; i++)
                config_document_free(documents[i]);
        free(documents);
}

static void layers_done(Layers *layers) {
        free_documents(layers->dropins, strv_length(layers->names));
        strv_free(layers->names);
        config_document_free(layers->main);
}

/* Reads the drop-ins in DIR, masked ones as NULL. */
static int read_dropins(const ConfigSearch *search, const char *dir, char ***ret_names,
                ConfigDocument ***ret) {
        _cleanup_strv_ char **names = NULL;
        ConfigDocument **documents = NULL;
        size_t n;
        int r = config_list(search, dir, ".conf", &names);

        if (r < 0)
                return r;
        n = strv_length(names);
        documents = calloc(n + 1, sizeof(*documents));
        if (!documents)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *name = text_format("%s/%s", dir, names[i]);

                r = name ? config_document_read(search, name, &documents[i]) : -ENOMEM;
                /* Gone since it was listed is as good as never there. */
                if (r < 0 && r != -ERFKILL && r != -ENOENT) {
                        free_documents(documents, n);
                        return r;
                }
        }
        *ret_names = TAKE_PTR(names);
        *ret = documents;
        return 0;
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
        r = read_dropins(&source->search, "ve.d", &source->shared.names, &source->shared.documents);
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
        free_documents(source->shared.documents, strv_length(source->shared.names));
        strv_free(source->shared.names);
        config_search_close(&source->search);
        free(source);
        return NULL;
}

/* A document that is there but can't be read is an error of the definition. */
static int complain_unreadable(Messages *messages, const char *path, int error) {
        switch (error) {
        case -ENOENT:
        case -ENOTDIR:
                return messages_add(messages, MESSAGE_ERROR, path, 0,
                                "It is a symbolic link to a file that does not exist.");
        case -EISDIR:
        case -EBADF:
                return messages_add(messages, MESSAGE_ERROR, path, 0, "It is no regular file.");
        case -EFBIG:
                return messages_add(messages, MESSAGE_ERROR, path, 0,
                                "It is larger than the 1 MiB that a definition may have.");
        default:
                return messages_add(messages, MESSAGE_ERROR, path, 0, "It can't be read: %s.",
                                strerror(-error));
        }
}

static int apply_document(Definition *definition, const ConfigDocument *document, ApplyFlags flags,
                Messages *messages) {
        if (!document)
                return 0;
        if (document->error < 0) {
                int r = complain_unreadable(messages, document->path, document->error);

                return r < 0 ? r : strv_append(&definition->files, document->path);
        }
        return definition_apply(definition, document, flags, messages);
}

/* True when the VE's own drop-ins have one of that name: it stands for, or masks, the shared one.
 */
static bool is_overridden(const Layers *layers, const char *name) {
        return strv_contains(layers->names, name);
}

static void look_for_profile(Layers *layers, const ConfigDocument *document) {
        const IniEvent *event = document ? config_document_find(document, "VE", "Profile") : NULL;

        if (event) {
                layers->profile_event = event;
                layers->profile_document = document;
        }
}

/* Finds the Profile= that wins, before anything is applied: the profile lies below the rest. */
static void choose_profile(const DefinitionSource *source, Layers *layers) {
        size_t i = 0;

        STRV_FOREACH (name, source->shared.names) {
                if (!is_overridden(layers, *name))
                        look_for_profile(layers, source->shared.documents[i]);
                i++;
        }
        look_for_profile(layers, layers->main);
        for (i = 0; i < strv_length(layers->names); i++)
                look_for_profile(layers, layers->dropins[i]);
}

/* The profile as read now or before. NULL: out of memory. */
static const Profile *find_profile(DefinitionSource *source, const char *name) {
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

static int apply_profile(DefinitionSource *source, const Layers *layers, Definition *definition,
                Messages *messages) {
        const IniEvent *event = layers->profile_event;
        const Profile *profile;

        /* An invalid name is complained about where the line itself is applied. */
        if (!event || !*event->value || !template_name_is_valid(event->value))
                return 0;
        profile = find_profile(source, event->value);
        if (!profile)
                return -ENOMEM;
        if (profile->document)
                return apply_document(definition, profile->document, APPLY_PROFILE, messages);
        if (profile->error != -ENOENT && profile->error != -ERFKILL)
                return profile->error;
        return messages_add(messages, MESSAGE_ERROR, layers->profile_document->path, event->line,
                        profile->error == -ERFKILL
                                        ? "The profile \"%s\" is masked."
                                        : "There is no profile \"%s\": profiles/%s.conf is in none "
                                          "of " VE_DIR_ETC ", " VE_DIR_RUN " and " VE_DIR_USR ".",
                        event->value, event->value);
}

static int apply_layers(DefinitionSource *source, const Layers *layers, Definition *definition,
                Messages *messages) {
        size_t i = 0;
        int r = 0;

        STRV_FOREACH (name, source->shared.names) {
                if (!is_overridden(layers, *name))
                        r = apply_document(definition, source->shared.documents[i], 0, messages);
                if (r < 0)
                        return r;
                i++;
        }
        r = apply_profile(source, layers, definition, messages);
        if (r < 0)
                return r;
        r = apply_document(definition, layers->main, 0, messages);
        for (i = 0; r >= 0 && i < strv_length(layers->names); i++)
                r = apply_document(definition, layers->dropins[i], 0, messages);
        return r;
}

/* Moves the main file to the front of ->files. */
static void put_first(Definition *definition, const char *path) {
        char *first = definition->files[0];

        STRV_FOREACH (file, definition->files) {
                char *here = *file;

                *file = first;
                first = here;
                if (streq(here, path))
                        break;
        }
        definition->files[0] = first;
}

static int note_error(Definition *definition, const Messages *messages, size_t from) {
        for (size_t i = from; i < messages->n; i++)
                if (messages->list[i].level == MESSAGE_ERROR) {
                        definition->error = message_format(&messages->list[i]);
                        return definition->error ? 0 : -ENOMEM;
                }
        return 0;
}

static int build(DefinitionSource *source, const char *name, const Layers *layers,
                Messages *messages, Definition **ret) {
        _cleanup_(definition_freep) Definition *definition = definition_new(name);
        size_t from = messages->n;
        int r;

        if (!definition)
                return -ENOMEM;
        r = apply_layers(source, layers, definition, messages);
        if (r < 0)
                return r;
        put_first(definition, layers->main->path);
        r = note_error(definition, messages, from);
        if (r >= 0 && !definition->error && !definition->template) {
                r = messages_add(messages, MESSAGE_ERROR, layers->main->path, 0,
                                "No template is set: add Template= to [VE].");
                if (r >= 0)
                        r = note_error(definition, messages, from);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(definition);
        return 0;
}

static int load(DefinitionSource *source, const char *name, Layers *layers, Messages *messages,
                Definition **ret) {
        _cleanup_free_ char *dir = text_format("%s.ve.d", name);
        int r = dir ? read_dropins(&source->search, dir, &layers->names, &layers->dropins)
                    : -ENOMEM;

        if (r < 0)
                return r;
        choose_profile(source, layers);
        return build(source, name, layers, messages, ret);
}

int definition_source_load(
                DefinitionSource *source, const char *name, Messages *messages, Definition **ret) {
        _cleanup_(layers_done) Layers layers = {0};
        _cleanup_free_ char *file = NULL;
        int r;

        if (!ve_name_is_valid(name))
                return -EINVAL;
        file = text_format("%s.ve", name);
        r = file ? config_document_read(&source->search, file, &layers.main) : -ENOMEM;
        return r < 0 ? r : load(source, name, &layers, messages, ret);
}

int definition_load(const char *root, const char *name, Messages *messages, Definition **ret) {
        _cleanup_(definition_source_closep) DefinitionSource *source = NULL;
        int r = definition_source_open(root, &source);

        return r < 0 ? r : definition_source_load(source, name, messages, ret);
}

int definition_load_file(const char *root, const char *path, Messages *messages, Definition **ret) {
        _cleanup_(definition_source_closep) DefinitionSource *source = NULL;
        const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
        const char *suffix = endswith(base, ".ve");
        _cleanup_(layers_done) Layers layers = {0};
        _cleanup_free_ char *name = NULL;
        ConfigText text = {0};
        int r;

        name = strndup(base, suffix ? (size_t) (suffix - base) : 0);
        if (!name)
                return -ENOMEM;
        if (!slash || !ve_name_is_valid(name))
                return -EINVAL;
        r = definition_source_open(root, &source);
        if (r < 0)
                return r;
        r = config_read_path(&source->search, path, &text);
        if (r < 0)
                return r;
        r = config_document_parse(&text, &layers.main);
        return r < 0 ? r : load(source, name, &layers, messages, ret);
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
