/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A configuration file read and taken apart: its INI events, in order, in memory of its own. */

#include "config/ini.h"
#include "config/search.h"

typedef struct ConfigDocument {
        char *path; /* absolute, without the root */
        char *text; /* what the events point into */
        int error;  /* why it could not be read (as ConfigText), or 0; then there are no events */
        IniEvent *events;
        size_t n_events;
} ConfigDocument;

ConfigDocument *config_document_free(ConfigDocument *document);
DEFINE_CLEANUP(ConfigDocument *, config_document_free);

/* Takes TEXT over, also on failure. Returns 0 or -ENOMEM. */
int config_document_parse(ConfigText *text, ConfigDocument **ret);
/* Reads and parses NAME. Returns as config_read(). */
int config_document_read(const ConfigSearch *search, const char *name, ConfigDocument **ret);

/* The value that SECTION.KEY has at the end of the document, or NULL. */
const IniEvent *config_document_find(
                const ConfigDocument *document, const char *section, const char *key);
