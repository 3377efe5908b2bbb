/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/text.h"
#include "launch/planner.h"
#include "ve/paths.h"

bool network_is_own(const LaunchFacts *facts) {
        return facts->own_network && !facts->network_path;
}

int plan_join_network(LaunchPlan *plan, const LaunchFacts *facts) {
        if (!facts->network_path)
                return 0;
        return plan_add(plan, &(Step){STEP_JOIN_NETWORK, .source = facts->network_path}, 1);
}

/*
 * A sysfs shows the interfaces of the network namespace that it was mounted in, and takes
 * CAP_SYS_ADMIN over that: the VE's PID 1 has it over the VE's own only. Of another one the
 * launcher makes the VE's sysfs, once it has joined it.
 *
 * For a sysfs of its own, a user namespace must see another with nothing mounted over it; a host
 * that is a container itself has parts of its own covered. Ours is gone with the pivot.
 */
int plan_sys_on_host(LaunchPlan *plan, const LaunchFacts *facts) {
        static const Step visible = {STEP_FRESH, .path = "sys", .fs = "sysfs", .attributes = API};
        static const Step held = {STEP_HOLD_FRESH, .source = "sysfs", .fs = "sysfs",
                        .attributes = API | MOUNT_ATTR_RDONLY};

        return plan_add(plan, network_is_own(facts) ? &visible : &held, 1);
}

/* "Mount /sys read-only": the VE does not manage the hardware, and its udev stays off. */
int plan_sys_in_ve(LaunchPlan *plan, const LaunchFacts *facts) {
        static const Step mounted = {STEP_MOUNT, .path = "sys", .fs = "sysfs", .opens = BASE_SYS,
                        .attributes = API | MOUNT_ATTR_RDONLY};
        static const Step placed = {STEP_PLACE, .path = "sys", .source = "sysfs", .opens = BASE_SYS,
                        .mode = S_IFDIR};

        return plan_add(plan, network_is_own(facts) ? &mounted : &placed, 1);
}

static bool has_directory(const LaunchPlan *plan, StepBase base, const char *path) {
        for (size_t i = 0; i < plan->n; i++)
                if (plan->steps[i].type == STEP_DIRECTORY && plan->steps[i].base == base &&
                                streq(plan->steps[i].path, path))
                        return true;
        return false;
}

/* Plans the directories that PATH is in, each once: to make one that is there fails. */
static int plan_parents(LaunchPlan *plan, StepBase base, const char *path) {
        int r = 0;

        for (const char *end = strchr(path, '/'); r >= 0 && end; end = strchr(end + 1, '/')) {
                Step step = {STEP_DIRECTORY, .base = base, .mode = 0755,
                                .path = plan_own(plan, strndup(path, (size_t) (end - path)))};

                if (!step.path)
                        return -ENOMEM;
                if (!has_directory(plan, base, step.path))
                        r = plan_add(plan, &step, 1);
        }
        return r;
}

static int plan_file(
                LaunchPlan *plan, StepBase base, const char *path, const char *text, mode_t mode) {
        int r = plan_parents(plan, base, path);

        if (r < 0)
                return r;
        return plan_add(plan,
                        &(Step){STEP_FILE, .base = base, .path = path, .source = text,
                                        .mode = mode},
                        1);
}

/*
 * The VE finds its text below /run/host in any case, for a link of its own to lead there; over its
 * own file it comes only where nobody has written that.
 */
static int plan_cover(LaunchPlan *plan, const LaunchFile *file) {
        const char *slash = strrchr(file->path, '/');
        const char *source = plan_own(
                        plan, text_format(VE_COVERS "/%s", slash ? slash + 1 : file->path));
        int r;

        if (!source)
                return -ENOMEM;
        r = plan_file(plan, BASE_RUN_HOST, source, file->text, 0444);
        if (r < 0)
                return r;
        return plan_add(plan,
                        &(Step){STEP_COVER_UNLESS_OWNED, .path = file->path, .from = BASE_RUN_HOST,
                                        .source = source},
                        1);
}

int plan_files(LaunchPlan *plan, const LaunchFacts *facts) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < facts->n_files; i++) {
                const LaunchFile *file = &facts->files[i];

                r = file->kind == LAUNCH_FILE_COVER
                                    ? plan_cover(plan, file)
                                    : plan_file(plan, BASE_RUN, file->path, file->text, 0644);
        }
        return r;
}
