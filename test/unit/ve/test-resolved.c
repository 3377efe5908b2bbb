/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ve/definition.h"

static int read_text(const char *text, Definition **ret) {
        char path[] = "/tmp/veneer-resolved-XXXXXX";
        int fd = mkstemp(path), r;

        cr_assert_geq(fd, 0);
        cr_assert_eq(file_write_fd(fd, text, strlen(text)), 0);
        fd_close(fd);
        r = definition_read_resolved(path, ret);
        unlink(path);
        return r;
}

Test(resolved, reads) {
        _cleanup_(definition_freep) Definition *d = NULL;

        cr_assert_eq(read_text("[Service]\nTemplate=not-this\n[X-VE]\nName=web1\nTemplate=host\n"
                               "Init=/sbin/init \"a b\"\nStopSignal=SIGPWR\nNotifyReady=no\n"
                               "StorageType=overlay\nFromTheFuture=1\n",
                                     &d),
                        0);
        cr_assert_str_eq(d->name, "web1");
        cr_assert_str_eq(d->hostname, "web1");
        cr_assert_str_eq(d->template, "host");
        cr_assert_str_eq(d->init[1], "a b");
        cr_assert_eq(d->stop_signal, SIGPWR);
        cr_assert_eq(d->notify_ready, NOTIFY_READY_NO);
        cr_assert_null(d->error);
}

Test(resolved, reads_what_is_repeated_in_order) {
        _cleanup_(definition_freep) Definition *d = NULL;

        cr_assert_eq(read_text("[X-VE]\nName=web1\nTemplate=host\n[X-VE-Mount]\nWhat=/srv/a.img\n"
                               "Where=/a\n[X-VE-Network]\nMode=none\n[X-VE-Mount]\nWhat=UUID=0a\n"
                               "Where=/b\nOptions=ro noexec\nSize=67108864\n",
                                     &d),
                        0);
        cr_assert_eq(d->n_interfaces, 1);
        cr_assert_eq(d->n_disks, 2);
        cr_assert_str_eq(d->disks[0]->where, "/a");
        cr_assert_null(d->disks[0]->options);
        cr_assert_str_eq(d->disks[1]->what, "UUID=0a");
        cr_assert_str_eq(d->disks[1]->options[1], "noexec");
        cr_assert_eq(d->disks[1]->size, UINT64_C(64) << 20);
}

Test(resolved, reads_errors) {
        _cleanup_(definition_freep) Definition *d = NULL;

        cr_assert_eq(read_text("[X-VE]\nName=web1\nError=\"a \\\"b\\\" \\\\ 100% \\x0a\"\n", &d),
                        0);
        cr_assert_str_eq(d->error, "a \"b\" \\ 100% \n");
}

Test(resolved, refuses_what_is_damaged) {
        static const char *const damaged[] = {
                        "",
                        "[Service]\nSlice=a.slice\n",
                        "[X-VE]\n",
                        "[X-VE]\nName=web1\n",
                        "[X-VE]\nTemplate=host\n",
                        "[X-VE]\nName=../x\nTemplate=host\n",
                        "[X-VE]\nName=web1\nTemplate=../../etc\n",
                        "[X-VE]\nName=web1\nTemplate=host\nInit=relative\n",
                        "[X-VE]\nName=web1\nTemplate=host\n[X-VE-Mount]\nWhat=/srv/a.img\n",
                        "[X-VE]\nName=web1\nTemplate=host\n[X-VE-Mount]\nWhere=/srv/a\n",
                        "[X-VE]\nName=web1\nTemplate=host\nStorageType=wibble\n",
                        "[X-VE]\nName=web1\nTemplate=host\nline\n",
                        "[X-VE]\nName=web1\nError=\"open\n",
                        "[X-VE]\nName=web1\nError=two words\n",
        };
        Definition *d;

        for (size_t i = 0; i < ELEMENTSOF(damaged); i++)
                cr_assert_eq(read_text(damaged[i], &d), -EBADMSG, "%s", damaged[i]);
        cr_assert_eq(definition_read_resolved("/nonexistent/file", &d), -ENOENT);
}
