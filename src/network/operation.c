/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network/operation.h"

#include <errno.h>

#include "base/text.h"

/* What they are called, and how many words a line has behind `link`. */
static const struct {
        const char *name;
        unsigned min, max;
} types[_OPERATION_TYPE_MAX] = {
                [OP_FORWARDING] = {"forwarding", 1, 1},
                [OP_BRIDGE] = {"bridge", 0, 1},
                [OP_VETH] = {"veth", 2, 2},
                [OP_ALTNAME] = {"altname", 1, 1},
                [OP_NO_RA] = {"no-ra", 0, 0},
                [OP_MTU] = {"mtu", 1, 1},
                [OP_FIREWALL] = {"firewall", 2, 2},
                [OP_LOCALNET] = {"localnet", 0, 0},
                [OP_MASTER] = {"master", 1, 1},
                [OP_ISOLATED] = {"isolated", 0, 0},
                [OP_VLAN] = {"vlan", 1, 1},
                [OP_ADDRESS] = {"address", 2, 2},
                [OP_UP] = {"up", 0, 0},
                [OP_ROUTE] = {"route", 1, 1},
                [OP_PROXY] = {"proxy", 1, 1},
                [OP_SHAPE] = {"shape", 2, 2},
                [OP_MACVLAN] = {"macvlan", 2, 2},
                [OP_IPVLAN] = {"ipvlan", 2, 2},
                [OP_PHYS] = {"phys", 1, 2},
                [OP_VE_MTU] = {"ve-mtu", 1, 1},
                [OP_VE_NO_RA] = {"ve-no-ra", 0, 0},
                [OP_VE_UP] = {"ve-up", 0, 0},
                [OP_VE_ADDRESS] = {"ve-address", 1, 1},
                [OP_VE_ROUTE] = {"ve-route", 2, 2},
};

const char *operation_name(OperationType type) {
        return types[type].name;
}

static void operation_done(Operation *operation) {
        free(operation->link);
        free(operation->what);
        free(operation->with);
}

void operations_done(Operations *operations) {
        for (size_t i = 0; i < operations->n; i++)
                operation_done(&operations->list[i]);
        free(operations->list);
        *operations = (Operations){};
}

int operations_add(Operations *operations, OperationType type, const char *link, const char *what,
                const char *with) {
        Operation operation = {.type = type};
        Operation *grown = reallocarray(operations->list, operations->n + 1, sizeof(Operation));

        if (!grown)
                return -ENOMEM;
        operations->list = grown;
        if (text_replace(&operation.link, link) < 0 || text_replace(&operation.what, what) < 0 ||
                        text_replace(&operation.with, with) < 0) {
                operation_done(&operation);
                return -ENOMEM;
        }
        operations->list[operations->n++] = operation;
        return 0;
}

bool operations_contain(const Operations *operations, const Operation *operation) {
        for (size_t i = 0; i < operations->n; i++) {
                const Operation *other = &operations->list[i];

                if (other->type == operation->type && streq_ptr(other->link, operation->link) &&
                                streq_ptr(other->what, operation->what) &&
                                streq_ptr(other->with, operation->with))
                        return true;
        }
        return false;
}

char *operation_format(const Operation *operation) {
        return text_format("%s %s%s%s%s%s", operation_name(operation->type), operation->link,
                        operation->what ? " " : "", operation->what ?: "",
                        operation->with ? " " : "", operation->with ?: "");
}

int operations_parse(Operations *operations, const char *line) {
        _cleanup_free_ char *copy = strdup(line);
        char *rest = copy, *words[4] = {}, *word;
        unsigned n = 0;

        if (!copy)
                return -ENOMEM;
        while ((word = strsep(&rest, " "))) {
                if (!*word || n >= ELEMENTSOF(words))
                        return -EINVAL;
                words[n++] = word;
        }
        /* Handlers take it for granted that what their operation is about is there. */
        for (OperationType type = 0; type < _OPERATION_TYPE_MAX; type++)
                if (streq(types[type].name, words[0]))
                        return n < 2 + types[type].min || n > 2 + types[type].max
                                               ? -EINVAL
                                               : operations_add(operations, type, words[1],
                                                                 words[2], words[3]);
        return -EINVAL;
}
