/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/mount.h>

#include "base/text.h"
#include "launch/planner.h"
#include "ve/mount-words.h"

/* A device node that the VE makes, or finds, in what it shares must be no way to the device. */
#define ALWAYS MOUNT_ATTR_NODEV

static int plan_bind(LaunchPlan *plan, const char *word, uint64_t attributes) {
        Bind bind;
        Step step = {STEP_BIND};
        int r = bind_parse(word, &bind);

        if (r < 0)
                return r;
        step.source = plan_own(plan, TAKE_PTR(bind.source));
        step.path = plan_own(plan, TAKE_PTR(bind.target));
        step.attributes = bind.attributes | attributes | ALWAYS |
                          (bind.idmap ? (uint64_t) MOUNT_ATTR_IDMAP : 0);
        step.create = bind.create;
        step.exposed = bind.exposed;
        bind_done(&bind);
        return step.source && step.path ? plan_add(plan, &step, 1) : -ENOMEM;
}

static void add_option(Step *step, size_t *n, const char *key, const char *value) {
        if (value)
                step->options[(*n)++] = (StepOption){key, value};
}

static int plan_temporary_fs(LaunchPlan *plan, const char *word) {
        TemporaryFs fs;
        Step step = {STEP_TEMPORARY_FS, .fs = "tmpfs"};
        size_t n = 0;
        int r = temporary_fs_parse(word, &fs);

        if (r < 0)
                return r;
        step.path = plan_own(plan, TAKE_PTR(fs.target));
        step.attributes = fs.attributes | ALWAYS;
        add_option(&step, &n, "mode", fs.mode ? plan_own(plan, TAKE_PTR(fs.mode)) : "0755");
        add_option(&step, &n, "size", plan_own(plan, TAKE_PTR(fs.size)));
        add_option(&step, &n, "nr_inodes", plan_own(plan, TAKE_PTR(fs.inodes)));
        temporary_fs_done(&fs);
        return step.path ? plan_add(plan, &step, 1) : -ENOMEM;
}

/* As systemd has it: what is bound may lie in what is temporary. */
int plan_mounts(LaunchPlan *plan, const Definition *definition) {
        int r = 0;

        STRV_FOREACH (word, definition->temporary_fs)
                if (r >= 0)
                        r = plan_temporary_fs(plan, *word);
        STRV_FOREACH (word, definition->binds)
                if (r >= 0)
                        r = plan_bind(plan, *word, 0);
        STRV_FOREACH (word, definition->binds_read_only)
                if (r >= 0)
                        r = plan_bind(plan, *word, MOUNT_ATTR_RDONLY);
        return r;
}
