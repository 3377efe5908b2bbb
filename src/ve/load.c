/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "base/text.h"
#include "ve/apply.h"
#include "ve/mount-words.h"
#include "ve/name.h"
#include "ve/paths.h"
#include "ve/source.h"
#include "ve/storage-check.h"
#include "ve/storage-key.h"

/* The files of one VE, in the order in which they are laid over each other. */
typedef struct Layers {
        ConfigDocument *main; /* owned */
        Dropins dropins;      /* its own */
        const IniEvent *profile_event;
        const ConfigDocument *profile_document; /* where the profile was chosen */
} Layers;

static void layers_done(Layers *layers) {
        dropins_done(&layers->dropins);
        config_document_free(layers->main);
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
        return strv_contains(layers->dropins.names, name);
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
        for (i = 0; i < strv_length(layers->dropins.names); i++)
                look_for_profile(layers, layers->dropins.documents[i]);
}

static int apply_profile(DefinitionSource *source, const Layers *layers, Definition *definition,
                Messages *messages) {
        const IniEvent *event = layers->profile_event;
        const Profile *profile;

        /* An invalid name is complained about where the line itself is applied. */
        if (!event || !*event->value || !template_name_is_valid(event->value))
                return 0;
        profile = source_find_profile(source, event->value);
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
        for (i = 0; r >= 0 && i < strv_length(layers->dropins.names); i++)
                r = apply_document(definition, layers->dropins.documents[i], 0, messages);
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

static bool has_error(const Messages *messages, size_t from) {
        for (size_t i = from; i < messages->n; i++)
                if (messages->list[i].level == MESSAGE_ERROR)
                        return true;
        return false;
}

static int build(DefinitionSource *source, const char *name, Layers *layers, Messages *messages,
                Definition **ret) {
        _cleanup_(definition_freep) Definition *definition = definition_new(name);
        size_t from = messages->n;
        int r;

        if (!definition)
                return -ENOMEM;
        choose_profile(source, layers);
        r = apply_layers(source, layers, definition, messages);
        if (r < 0)
                return r;
        put_first(definition, layers->main->path);
        r = interfaces_check(definition, messages);
        if (r >= 0)
                r = disks_check(definition, !has_error(messages, from), messages);
        if (r >= 0)
                r = mount_words_check(definition, messages);
        if (r >= 0)
                r = storage_settings_check(definition, messages);
        if (r >= 0)
                r = storage_encrypt_check(definition, messages);
        if (r < 0)
                return r;
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

static int read_dropins(DefinitionSource *source, const char *name, Layers *layers) {
        _cleanup_free_ char *dir = text_format("%s.ve.d", name);

        return dir ? dropins_read(&source->search, dir, &layers->dropins) : -ENOMEM;
}

static int read_layers(DefinitionSource *source, const char *name, Layers *layers) {
        _cleanup_free_ char *file = NULL;
        int r;

        if (!ve_name_is_valid(name))
                return -EINVAL;
        file = text_format("%s.ve", name);
        r = file ? config_document_read(&source->search, file, &layers->main) : -ENOMEM;
        return r < 0 ? r : read_dropins(source, name, layers);
}

int definition_source_load(
                DefinitionSource *source, const char *name, Messages *messages, Definition **ret) {
        _cleanup_(layers_done) Layers layers = {0};
        int r = read_layers(source, name, &layers);

        return r < 0 ? r : build(source, name, &layers, messages, ret);
}

int definition_load(const char *root, const char *name, Messages *messages, Definition **ret) {
        _cleanup_(definition_source_closep) DefinitionSource *source = NULL;
        int r = definition_source_open(root, &source);

        return r < 0 ? r : definition_source_load(source, name, messages, ret);
}

/* The drop-in FILE of VE NAME with TEXT in it; *RET is NULL for no text. */
static int make_dropin(const char *name, const char *file, const char *text, ConfigDocument **ret) {
        ConfigText content = {
                        .path = text_format(VE_DIR_ETC "/%s.ve.d/%s", name, file),
                        .text = text ? strdup(text) : NULL,
                        .size = text ? strlen(text) : 0,
        };

        *ret = NULL;
        if (text && content.path && content.text)
                return config_document_parse(&content, ret);
        config_text_done(&content);
        return text ? -ENOMEM : 0;
}

int definition_load_with(const char *root, const char *name, const char *file, const char *text,
                Messages *messages, Definition **ret) {
        _cleanup_(definition_source_closep) DefinitionSource *source = NULL;
        _cleanup_(layers_done) Layers layers = {0};
        ConfigDocument *dropin = NULL;
        int r = definition_source_open(root, &source);

        if (r >= 0)
                r = read_layers(source, name, &layers);
        if (r >= 0)
                r = make_dropin(name, file, text, &dropin);
        if (r >= 0)
                r = dropins_replace(&layers.dropins, file, dropin);
        return r < 0 ? r : build(source, name, &layers, messages, ret);
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
        if (r >= 0)
                r = read_dropins(source, name, &layers);
        return r < 0 ? r : build(source, name, &layers, messages, ret);
}

static int parse_text(char *path, const char *text, ConfigDocument **ret) {
        ConfigText content = {.path = path, .text = strdup(text), .size = strlen(text)};

        if (content.path && content.text)
                return config_document_parse(&content, ret);
        config_text_done(&content);
        return -ENOMEM;
}

static int parse_texts(const char *name, const DefinitionTexts *texts, Layers *layers) {
        size_t n = strv_length(texts->names);
        int r = parse_text(text_format(VE_DIR_ETC "/%s.ve", name), texts->main, &layers->main);

        if (r >= 0)
                r = strv_copy(texts->names, &layers->dropins.names);
        if (r >= 0 && !(layers->dropins.documents = calloc(n + 1, sizeof(ConfigDocument *))))
                r = -ENOMEM;
        for (size_t i = 0; i < n && r >= 0; i++)
                if (*texts->texts[i])
                        r = parse_text(text_format(VE_DIR_ETC "/%s.ve.d/%s", name, texts->names[i]),
                                        texts->texts[i], &layers->dropins.documents[i]);
        return r;
}

int definition_load_texts(const char *root, const char *name, const DefinitionTexts *texts,
                Messages *messages, Definition **ret) {
        _cleanup_(definition_source_closep) DefinitionSource *source = NULL;
        _cleanup_(layers_done) Layers layers = {0};
        int r = ve_name_is_valid(name) ? definition_source_open(root, &source) : -EINVAL;

        if (r >= 0)
                r = parse_texts(name, texts, &layers);
        return r < 0 ? r : build(source, name, &layers, messages, ret);
}
