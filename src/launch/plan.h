/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The plan of a start: definition -> an array of typed steps, purely.
 *
 * The steps run in order, each by the handler of its type (launch/steps.h). Those before STEP_FORK
 * run in the launcher, on the host; those after it in the process that becomes the VE's PID 1.
 * systemd's Container Interface (https://systemd.io/CONTAINER_INTERFACE) decides what a VE finds;
 * its points are named where they are planned.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"
#include "ve/definition.h"

typedef enum StepType {
        /* On the host. */
        STEP_USER_NAMESPACE,  /* the VE's ids */
        STEP_JOIN_NETWORK,    /* the network namespace `source`, for what is forked */
        STEP_DELEGATE_CGROUP, /* hand the unit's cgroup to the VE's root */
        STEP_STAGE,        /* a mount namespace of our own with a tmpfs to put things together in */
        STEP_ATTACH_ROOT,  /* storage puts the root together; we place it */
        STEP_ATTACH_USR,   /* the host's /usr, read-only, for the template "host" */
        STEP_TEMPORARY_FS, /* an empty filesystem `fs` with `options` at `path` of the root */
        STEP_BIND, /* the host's `source`, with the VE's ids (MOUNT_ATTR_IDMAP), at `path` of the
                      root */
        STEP_DISK, /* a further disk, number `disk` of the definition, `source`, at `path` of the
                      root */
        STEP_READ_ONLY,  /* make what is mounted at `path` read-only */
        STEP_FIND_INIT,  /* check that there is something to execute */
        STEP_HOLD,       /* keep a detached clone of the host's `source`, checked, for STEP_PLACE */
        STEP_HOLD_FRESH, /* keep a new filesystem `fs`, as `source`, for STEP_PLACE */
        STEP_FRESH,      /* a filesystem `fs` of our own at `path` of the staging directory */
        STEP_CREDENTIALS, /* hold a copy of the unit's credentials that the VE may read */
        STEP_FORK,        /* the VE's PID 1 and its new `namespaces` */
        /* In the VE's PID 1. */
        STEP_ENTER_ROOT, /* take the root for this mount namespace */
        STEP_MOUNT,      /* mount a new `fs` with `options` on `path` */
        STEP_DIRECTORY,  /* make directory `path` with `mode` */
        STEP_SYMLINK,    /* make a link `path` to `source` */
        STEP_FILE,       /* write `source` to a file `path` with `mode` */
        STEP_PLACE,      /* attach what was held for `source` on a new `path` of kind `mode` */
        STEP_COVER,      /* bind file `source` of base `from`, read-only, over `path` */
        STEP_COVER_UNLESS_OWNED, /* the same, unless it is a file that the VE sees to */
        STEP_SEAL,               /* make the filesystem of `base` read-only */
        STEP_PIVOT,              /* make it the root, and drop the host */
        STEP_HOSTNAME,           /* set `source` */
        STEP_LOOPBACK,           /* bring lo up */
        STEP_NO_SUBVOLUMES,      /* let none be made */
        STEP_CAPABILITIES,
        _STEP_TYPE_MAX
} StepType;

/* What a `path` is relative to: the root, or the filesystem that an earlier step opened. */
typedef enum StepBase {
        BASE_ROOT,
        BASE_DEV,
        BASE_RUN,
        BASE_RUN_HOST,
        BASE_SYS,
        BASE_PROC,
        _BASE_MAX
} StepBase;

enum { STEP_OPTIONS_MAX = 4 };

typedef struct StepOption {
        const char *key;
        const char *value;
} StepOption;

typedef struct Step {
        StepType type;
        StepBase base;  /* what `path` is relative to */
        StepBase opens; /* STEP_MOUNT, STEP_PLACE: what it is as a base; BASE_ROOT: none */
        const char *path;
        const char *source;
        StepBase from;  /* STEP_COVER…: what `source` is relative to */
        const char *fs; /* filesystem type */
        StepOption options[STEP_OPTIONS_MAX];
        uint64_t attributes; /* MOUNT_ATTR_* */
        mode_t mode;         /* permissions, or the kind of file (S_IFMT) held and placed */
        bool create;         /* STEP_BIND: make a directory of what is missing */
        bool exposed;        /* STEP_BIND: never mind who of the host can get at it */
        size_t disk;         /* STEP_DISK */
        dev_t device;        /* STEP_HOLD: the device that it must be */
        uint64_t namespaces; /* STEP_FORK: CLONE_NEW* */
} Step;

typedef enum LaunchFileKind {
        LAUNCH_FILE_RUN,  /* in the VE's new /run, which `path` is relative to */
        LAUNCH_FILE_COVER /* over the VE's own `path`, relative to its root, unless that has
                             something of its own there (launch/owned-file.h) */
} LaunchFileKind;

/* A text file that the VE finds when its init starts. */
typedef struct LaunchFile {
        const char *path; /* "systemd/network/10-host0.network", "etc/resolv.conf" */
        const char *text;
        LaunchFileKind kind;
} LaunchFile;

/* What a plan depends on besides the definition. */
typedef struct LaunchFacts {
        bool host_template;        /* the template is the built-in "host" */
        bool no_subvolumes;        /* the root is on btrfs */
        const char *notify_socket; /* path of the service manager's, on the host */
        const char *uuid;          /* the VE's, 32 hex digits */
        const char *boot_id;       /* of this start, as the kernel prints one, without newline */
        const char *os_release;    /* path of the host's, no link; or NULL */
        const char *inaccessible;  /* path of the host systemd's inaccessible nodes, or NULL */
        char *const *host_env;     /* variables that tell about the host */
        bool credentials;          /* the unit has some ($CREDENTIALS_DIRECTORY) */
        bool own_network;          /* make a network namespace; else the VE is in the host's */
        const char *network_path;  /* of a network namespace to be in instead, or NULL */
        const LaunchFile *files;   /* no two of a name */
        size_t n_files;
        unsigned listen_fds;      /* sockets that activated the unit, from descriptor 3 on */
        const char *listen_names; /* their $LISTEN_FDNAMES, or NULL */
} LaunchFacts;

typedef struct LaunchPlan {
        Step *steps;
        size_t n;
        char **env;          /* environment of the VE's PID 1 */
        unsigned listen_fds; /* descriptors from 3 on that it inherits */
        char **owned;        /* strings that steps point to */
} LaunchPlan;

void launch_plan_done(LaunchPlan *plan);

/* Plans the start of DEFINITION, which must outlive the plan, as FACTS must. Returns 0 or -ENOMEM.
 */
int launch_plan(const Definition *definition, const LaunchFacts *facts, LaunchPlan *ret);

/* What STEP_CREDENTIALS holds its copy under. */
#define STEP_SOURCE_CREDENTIALS "credentials"

/* The capabilities that a VE's processes may have, in their own user namespace: a mask of 1 <<
 * CAP_*. */
uint64_t launch_capabilities(void);

/* What STEP_FIND_INIT tries, in order, when the definition names no init. NULL-terminated. */
extern const char *const launch_init_candidates[];

/* The name of a step's type, for messages: "mount", "pivot"… */
const char *step_type_name(StepType type);
