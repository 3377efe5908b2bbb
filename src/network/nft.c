/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network/nft.h"

#include <errno.h>
#include <nftables/libnftables.h>

#include "base/text.h"
#include "network/firewall.h"

static void nft_ctx_freep(struct nft_ctx **nft) {
        if (*nft)
                nft_ctx_free(*nft);
}

/* A context that keeps what it has to say in buffers. NULL: out of memory. */
static struct nft_ctx *nft_open(void) {
        _cleanup_(nft_ctx_freep) struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);

        if (!nft || nft_ctx_buffer_output(nft) != 0 || nft_ctx_buffer_error(nft) != 0)
                return NULL;
        return TAKE_PTR(nft);
}

/*
 * libnftables tells of errors in words only: "…: Error: Could not process rule: File exists". The
 * words at the end are strerror()'s. Other errors are about the commands themselves.
 */
static int message_errno(const char *message) {
        static const int known[] = {ENOENT, EEXIST, EBUSY, EPERM, EACCES, ENOMEM, ENOBUFS,
                        EOPNOTSUPP, ENODEV, ENOTUNIQ, ENFILE, ENOSPC, E2BIG, EAFNOSUPPORT,
                        EPROTONOSUPPORT};

        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (strstr(message, strerror(known[i])))
                        return -known[i];
        return -EINVAL;
}

/* Runs COMMANDS; *RET_MESSAGE (of NFT's, up to its first line's end) may be NULL on failure. */
static int run(struct nft_ctx *nft, const char *commands, char **ret_message) {
        const char *errors;

        if (nft_run_cmd_from_buffer(nft, commands) == 0)
                return 0;
        errors = nft_ctx_get_error_buffer(nft);
        if (!errors)
                errors = "";
        *ret_message = text_format("%.*s", (int) strcspn(errors, "\n"), errors);
        return *ret_message ? message_errno(*ret_message) : -ENOMEM;
}

int nft_run(const char *commands, char **ret_message) {
        _cleanup_(nft_ctx_freep) struct nft_ctx *nft = nft_open();

        *ret_message = NULL;
        return nft ? run(nft, commands, ret_message) : -ENOMEM;
}

int nft_run_each(const char *commands) {
        _cleanup_(nft_ctx_freep) struct nft_ctx *nft = nft_open();
        int r, first = 0;

        if (!nft)
                return -ENOMEM;
        for (const char *line = commands; *line; line += strspn(line, "\n")) {
                _cleanup_free_ char *command = strndup(line, strcspn(line, "\n"));
                _cleanup_free_ char *message = NULL;

                if (!command)
                        return -ENOMEM;
                r = run(nft, command, &message);
                /* Gone, or somebody else's by now. */
                if (r < 0 && r != -ENOENT && r != -EEXIST && first == 0)
                        first = r;
                line += strlen(command);
        }
        return first;
}

int nft_list(const char *what, char **ret) {
        _cleanup_(nft_ctx_freep) struct nft_ctx *nft = nft_open();
        _cleanup_free_ char *command = text_format("list %s", what), *message = NULL;
        char *text;
        int r;

        if (!nft || !command)
                return -ENOMEM;
        r = run(nft, command, &message);
        if (r < 0 && r != -ENOENT)
                return r;
        text = r < 0 ? NULL : strdup(nft_ctx_get_output_buffer(nft) ?: "");
        if (r >= 0 && !text)
                return -ENOMEM;
        *ret = text;
        return 0;
}

/*
 * Listing would read all that is in the table, however little of it is asked for. To add what is
 * there already, without doing it, fails only where there is no table.
 */
bool nft_has_table(void) {
        _cleanup_(nft_ctx_freep) struct nft_ctx *nft = nft_open();
        _cleanup_free_ char *message = NULL;

        if (!nft)
                return false;
        nft_ctx_set_dry_run(nft, true);
        return run(nft, "add chain " FIREWALL_TABLE " leaving", &message) >= 0;
}
