/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
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

/* Takes VALUE over; NULL is no option. Returns 0 or -ENOMEM. */
static int add_option(LaunchPlan *plan, Step *step, size_t *n, const char *key, char *value) {
        if (!value)
                return 0;
        step->options[*n] = (StepOption){key, plan_own(plan, value)};
        return step->options[(*n)++].value ? 0 : -ENOMEM;
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
        if (!step.path || (!fs.mode && !(fs.mode = strdup("0755"))))
                r = -ENOMEM;
        if (r >= 0)
                r = add_option(plan, &step, &n, "mode", TAKE_PTR(fs.mode));
        if (r >= 0)
                r = add_option(plan, &step, &n, "size", TAKE_PTR(fs.size));
        if (r >= 0)
                r = add_option(plan, &step, &n, "nr_inodes", TAKE_PTR(fs.inodes));
        temporary_fs_done(&fs);
        return r < 0 ? r : plan_add(plan, &step, 1);
}

static int plan_disk(LaunchPlan *plan, const Definition *definition, size_t index) {
        const Disk *disk = definition->disks[index];

        return plan_add(plan,
                        &(Step){STEP_DISK, .path = disk->where, .source = disk->what,
                                        .disk = index},
                        1);
}

static int compare_paths(const void *a, const void *b) {
        return strcmp(((const Step *) a)->path, ((const Step *) b)->path);
}

/* What is temporary and read-only may have to take places for what is mounted in it before. */
static int plan_read_only(LaunchPlan *plan, size_t first, size_t last) {
        int r = 0;

        for (size_t i = first; r >= 0 && i < last; i++) {
                Step step = {STEP_READ_ONLY, .path = plan->steps[i].path};

                if (plan->steps[i].type != STEP_TEMPORARY_FS ||
                                !(plan->steps[i].attributes & MOUNT_ATTR_RDONLY))
                        continue;
                plan->steps[i].attributes &= ~(uint64_t) MOUNT_ATTR_RDONLY;
                r = plan_add(plan, &step, 1);
        }
        return r;
}

/* In the order of their paths, for what is mounted in another to be seen. */
int plan_mounts(LaunchPlan *plan, const Definition *definition) {
        const size_t first = plan->n;
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
        for (size_t i = 0; r >= 0 && i < definition->n_disks; i++)
                r = plan_disk(plan, definition, i);
        if (r < 0 || plan->n == first)
                return r;
        qsort(plan->steps + first, plan->n - first, sizeof(Step), compare_paths);
        return plan_read_only(plan, first, plan->n);
}
