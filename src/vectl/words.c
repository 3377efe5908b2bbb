/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "operate/inspect.h"
#include "storage/snapshot.h"
#include "template/list.h"
#include "ve/definition.h"
#include "ve/pass-through.h"
#include "ve/settings.h"
#include "vectl/verb.h"

int words_ves(_unused_ const char *current, char ***ret) {
        return definition_list("", ret);
}

int words_none(_unused_ const char *current, char ***ret) {
        *ret = NULL;
        return 0;
}

int words_templates(_unused_ const char *current, char ***ret) {
        _cleanup_(template_infos_freep) TemplateInfo **list = NULL;
        _cleanup_strv_ char **names = NULL;
        int r = template_list("", &list);

        for (TemplateInfo **info = list; r >= 0 && info && *info; info++)
                r = strv_append(&names, (*info)->name);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(names);
        return 0;
}

int words_snapshots(const char *current, char ***ret) {
        _cleanup_strv_ char **names = NULL, **all = NULL;
        int r = words_ves(current, &names);

        STRV_FOREACH (name, names) {
                _cleanup_strv_ char **snapshots = NULL;

                if (r >= 0)
                        r = snapshot_list(*name, &snapshots);
                STRV_FOREACH (snapshot, snapshots)
                        if (r >= 0 && !strv_contains(all, *snapshot))
                                r = strv_append(&all, *snapshot);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(all);
        return 0;
}

/* "Network.2.MTU" where a number is typed already, else "Network.MTU". */
static char *setting_word(const Setting *setting, const char *current) {
        const char *rest = startswith(current, setting->section);
        size_t digits = rest && *rest == '.' ? strspn(rest + 1, "0123456789") : 0;
        bool numbered = setting->repeated && digits > 0 && rest[digits + 1] == '.';

        return text_format("%s.%.*s%s", setting->section, numbered ? (int) digits + 1 : 0,
                        numbered ? rest + 1 : "", setting->key);
}

/* "VE.Hostname=", and "VE.NotifyReady=yes" where there are few values. */
static int add_setting(const Setting *setting, const char *current, char ***names) {
        _cleanup_free_ char *plain = setting_word(setting, current);
        _cleanup_free_ char *word = plain ? text_format("%s=", plain) : NULL;
        _cleanup_free_ char *hints = NULL;
        int r;

        if (!word)
                return -ENOMEM;
        if (!startswith(current, word))
                return strv_append(names, word);
        if (setting->hint && streq(setting->hint, "<template>")) {
                _cleanup_strv_ char **templates = NULL;

                r = words_templates("", &templates);
                STRV_FOREACH (template, templates)
                        if (r >= 0)
                                r = strv_consume(names, text_format("%s%s", word, *template));
                return r;
        }
        if (!setting->hint || setting->hint[0] == '<')
                return 0;
        hints = strdup(setting->hint);
        if (!hints)
                return -ENOMEM;
        for (char *rest = hints, *hint; (hint = strsep(&rest, "|"));) {
                r = strv_consume(names, text_format("%s%s", word, hint));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The keys of systemd's own sections: hundreds, so only once their section is typed. */
static int add_pass_keys(const char *section, const char *current, char ***names) {
        _cleanup_free_ char *prefix = text_format("%s.", section);
        const PassKey *keys;
        size_t n;

        if (!prefix)
                return -ENOMEM;
        if (!startswith(current, prefix))
                return strv_append(names, prefix);
        keys = pass_keys(section, &n);
        for (size_t i = 0; keys && i < n; i++) {
                int r;

                if (keys[i].refused)
                        continue;
                r = strv_consume(names, text_format("%s%s=", prefix, keys[i].key));
                if (r < 0)
                        return r;
        }
        return 0;
}

int words_settings(const char *current, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        const Setting *settings;
        size_t n;
        int r = 0;

        settings = settings_table(&n);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = add_setting(settings + i, current, &names);
        for (size_t i = 0; i < N_PASS_SECTIONS && r >= 0; i++)
                r = add_pass_keys(pass_sections[i], current, &names);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(names);
        return 0;
}

int words_changes(const char *current, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        const Setting *settings;
        size_t n;
        int r = words_settings(current, &names);

        settings = settings_table(&n);
        for (size_t i = 0; i < n && r >= 0; i++) {
                _cleanup_free_ char *word = NULL;

                if (!setting_is_list(settings + i))
                        continue;
                word = setting_word(settings + i, current);
                if (!word || strv_consume(&names, text_format("%s+=", word)) < 0 ||
                                strv_consume(&names, text_format("%s-=", word)) < 0)
                        r = -ENOMEM;
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(names);
        return 0;
}

int words_files(_unused_ const char *current, char ***ret) {
        return strv_append(ret, WORDS_FILES);
}

int words_ves_or_files(const char *current, char ***ret) {
        int r = words_ves(current, ret);

        return r < 0 ? r : words_files(current, ret);
}
