/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Attributes, clean-up on leaving a scope, and ownership transfer. */

#include <stddef.h>
#include <stdlib.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(at, first) __attribute__((format(printf, at, first)))
#define _unused_ __attribute__((unused))

#define ELEMENTSOF(array) (sizeof(array) / sizeof((array)[0]))

/* Takes the value out of a variable, so that its clean-up finds nothing. */
#define TAKE_PTR(ptr)                               \
        ({                                          \
                __typeof__(ptr) *_take_p = &(ptr);  \
                __typeof__(ptr) _take_v = *_take_p; \
                *_take_p = NULL;                    \
                _take_v;                            \
        })
#define TAKE_FD(fd)                     \
        ({                              \
                int *_take_p = &(fd);   \
                int _take_v = *_take_p; \
                *_take_p = -EBADF;      \
                _take_v;                \
        })

/* Defines func##p(), for _cleanup_, from a destructor that accepts NULL. */
#define DEFINE_CLEANUP(type, func)                     \
        static inline _unused_ void func##p(type *p) { \
                if (*p)                                \
                        func(*p);                      \
        }

static inline void freep(void *p) {
        free(*(void **) p);
}
#define _cleanup_free_ _cleanup_(freep)
