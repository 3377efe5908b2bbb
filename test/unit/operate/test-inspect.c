/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>

#include "operate/inspect.h"

Test(inspect, names_states_as_those_of_a_machine) {
        static const struct {
                const char *active, *sub, *freezer, *word;
        } cases[] = {
                        {"active", "running", "running", "running"},
                        {"active", "running", "frozen", "frozen"},
                        {"reloading", "reload", "running", "running"},
                        {"activating", "start", "running", "starting"},
                        {"activating", "auto-restart", "running", "restarting"},
                        {"deactivating", "stop-sigterm", "running", "stopping"},
                        {"inactive", "dead", "running", "stopped"},
                        {"failed", "failed", "running", "failed"},
                        {"of-the-future", "x", "", "unknown"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const UnitState state = {
                                .active = (char *) cases[i].active,
                                .sub = (char *) cases[i].sub,
                                .freezer = (char *) cases[i].freezer,
                };

                cr_assert_str_eq(ve_state_word(&state), cases[i].word);
        }
}
