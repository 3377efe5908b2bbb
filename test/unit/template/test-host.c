/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "fixture.h"
#include "template/host.h"
#include "template/store.h"

TestSuite(host, .init = fixture_set_up, .fini = fixture_tear_down, .timeout = 60);

#define SKELETON "/var/lib/ve/templates/host/root"
/* In every file of the host that is a secret, or says which host it is. */
#define MARK "TOP-SECRET"

static const struct {
        const char *path;
        mode_t mode;
        const char *text;
} secrets[] = {
                {"/etc/shadow", 0640, "root:$y$j9T$" MARK ":19000:0:99999:7:::\n"},
                {"/etc/shadow-", 0600, MARK},
                {"/etc/gshadow", 0640, "root:$6$" MARK "::\n"},
                {"/etc/gshadow-", 0600, MARK},
                {"/etc/passwd-", 0644, MARK},
                {"/etc/group-", 0644, MARK},
                {"/etc/subuid-", 0644, MARK},
                {"/etc/.pwd.lock", 0600, MARK},
                {"/etc/security/opasswd", 0644, MARK},
                {"/etc/machine-id", 0444, MARK},
                {"/etc/hostname", 0644, MARK},
                {"/etc/hosts", 0644, MARK},
                {"/etc/mailname", 0644, MARK},
                {"/etc/motd", 0644, MARK},
                {"/etc/issue", 0644, MARK},
                {"/etc/fstab", 0644, MARK},
                {"/etc/crypttab", 0644, MARK},
                {"/etc/resolv.conf", 0644, MARK},
                {"/etc/environment", 0644, "http_proxy=http://u:" MARK "@proxy\n"},
                {"/etc/profile", 0644, MARK},
                {"/etc/profile.d/proxy.sh", 0644, MARK},
                {"/etc/bash.bashrc", 0644, MARK},
                {"/etc/security/pam_env.conf", 0644, MARK},
                {"/etc/security/limits.conf", 0644, MARK},
                {"/etc/security/limits.d/x.conf", 0644, MARK},
                {"/etc/sudoers", 0440, MARK},
                {"/etc/sudoers.d/x", 0644, MARK},
                {"/etc/subuid", 0644, MARK},
                {"/etc/subgid", 0644, MARK},
                {"/etc/ssh/ssh_host_ed25519_key", 0600, MARK},
                {"/etc/ssh/ssh_host_ed25519_key.pub", 0644, MARK},
                {"/etc/ssh/sshd_config", 0644, MARK},
                {"/etc/ssl/private/host.key", 0644, MARK},
                {"/etc/ssl/certs/host.pem", 0644, MARK},
                {"/etc/ssl/certs/private/host.pem", 0644, MARK},
                {"/etc/pki/tls/private/localhost.key", 0644, MARK},
                {"/etc/pki/tls/certs/localhost.crt", 0644, MARK},
                {"/etc/letsencrypt/live/x/privkey.pem", 0644, MARK},
                {"/etc/krb5.keytab", 0600, MARK},
                {"/etc/NetworkManager/system-connections/wifi.nmconnection", 0600, "psk=" MARK},
                {"/etc/wpa_supplicant/wpa_supplicant.conf", 0644, "psk=" MARK},
                {"/etc/netplan/50-wifi.yaml", 0644, MARK},
                {"/etc/network/interfaces", 0644, MARK},
                {"/etc/wireguard/wg0.conf", 0644, MARK},
                {"/etc/ppp/chap-secrets", 0600, MARK},
                {"/etc/cron.d/backup", 0644, MARK},
                {"/etc/systemd/system/backup.service", 0644, MARK},
                {"/etc/systemd/system/multi-user.target.wants/backup.service", 0644, MARK},
                {"/etc/systemd/system-preset/90-host.preset", 0644, MARK},
                {"/etc/credstore/token", 0600, MARK},
                {"/etc/ve/web1.ve", 0644, MARK},
                {"/etc/apt/auth.conf", 0600, MARK},
                {"/etc/apt/sources.list", 0644, "deb https://u:" MARK "@x\n"},
                {"/etc/skel/.netrc", 0644, MARK},
                {"/etc/skel/.ssh/authorized_keys", 0644, MARK},
                {"/etc/init.d/backup", 0755, MARK},
                {"/etc/rc.local", 0755, MARK},
                {"/etc/" MARK, 0644, MARK},
                /* Listed, but not for everybody's eyes, a left-over, or a key. */
                {"/etc/nsswitch.conf", 0640, MARK},
                {"/etc/pam.d/secret", 0600, MARK},
                {"/etc/pam.d/login~", 0644, MARK},
                {"/etc/pam.d/login.dpkg-old", 0644, MARK},
                {"/etc/pam.d/.login.swp", 0644, MARK},
                {"/etc/dbus-1/system.d/x.key", 0644, MARK},
                {"/etc/terminfo/k", 0644, "-----BEGIN PRIVATE KEY-----\n" MARK "\n"},
                {"/etc/ca-certificates/extracted/k", 0644,
                                "-----BEGIN RSA PRIVATE KEY-----\n" MARK},
                {"/var/lib/systemd/random-seed", 0600, MARK},
                {"/var/lib/dbus/machine-id", 0444, MARK},
                {"/var/lib/NetworkManager/secret_key", 0600, MARK},
                {"/var/log/auth.log", 0640, MARK},
                {"/root/.ssh/id_ed25519", 0600, MARK},
                {"/root/.bash_history", 0600, MARK},
                {"/usr/local/etc/token", 0600, MARK},
                {"/boot/loader/random-seed", 0600, MARK},
};

/* What a VE needs, in the sizes of a test. */
static const struct {
        const char *path;
        mode_t mode;
        const char *text;
} needed[] = {
                {"/etc/passwd", 0644,
                                "root:x:0:0:" MARK ":/root:/bin/zsh\n"
                                "toor:x:0:0::/root:/bin/sh\n"
                                "www-data:x:33:33:" MARK ":/var/www:/bin/bash\n"
                                "sync:x:4:65534:sync:/bin:/bin/sync\n"
                                "stray:x:50:4242::/:/bin/sh\n"
                                "inline:$6$" MARK ":51:33::/:/bin/sh\n"
                                "short:x:52\n"
                                "+::::::\n"
                                "bad name:x:53:33::/:/bin/sh\n"
                                "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
                                "alice" MARK ":x:1000:1000:Alice:/people/alice:/bin/bash\n"},
                {"/etc/group", 0644,
                                "root:x:0:\nsudo:x:27:alice" MARK ",www-data\nwww-data:x:33:\n"
                                "shadow:" MARK ":42:\nnogroup:x:65534:\nalice" MARK ":x:1000:\n"
                                "mail:x:8:\nsystemd-journal:x:999:\n"},
                {"/etc/login.defs", 0644, "UID_MIN 1000\n"},
                {"/etc/pam.d/login", 0644, "auth required pam_unix.so\n"},
                {"/etc/ld.so.cache", 0644, "cache"},
                {"/etc/ld.so.conf.d/libc.conf", 0644, "/usr/local/lib\n"},
                {"/etc/ssl/certs/ca-certificates.crt", 0644, "-----BEGIN CERTIFICATE-----\n"},
                {"/etc/skel/.bashrc", 0644, "#\n"},
                {"/etc/security/namespace.init", 04755, "#!/bin/sh\n"},
                {"/etc/terminfo/x/xterm", 0644, "terminfo"},
};

static const struct {
        const char *path;
        const char *target;
} linked[] = {
                {"/bin", "usr/bin"},
                {"/sbin", "usr/sbin"},
                {"/lib", "/usr/lib"},
                {"/lib64", "usr/lib64"},
                {"/etc/os-release", "../usr/lib/os-release"},
                {"/etc/localtime", "/usr/share/zoneinfo/Europe/Berlin"},
                {"/etc/alternatives/awk", "/usr/bin/mawk"},
                {"/etc/alternatives/x", "/opt/" MARK},
                {"/etc/ssl/certs/A.pem", "/usr/share/ca-certificates/A.crt"},
                {"/etc/ssl/certs/0000.0", "A.pem"},
                {"/etc/ssl/certs/1111.0", "host.pem"},
                {"/etc/shells", "/people/" MARK},
                {"/etc/locale.alias", "/etc/shadow"},
};

/* The whole of it: what is not here must not be there. */
static const char expected[] =
                "bin\nboot\ndev\netc\netc/.updated\netc/alternatives\netc/alternatives/awk\n"
                "etc/bash.bashrc\netc/ca-certificates\netc/ca-certificates/extracted\n"
                "etc/dbus-1\netc/dbus-1/system.d\netc/default\netc/default/locale\n"
                "etc/environment\netc/group\netc/gshadow\netc/hosts\netc/ld.so.cache\n"
                "etc/ld.so.conf.d\netc/ld.so.conf.d/libc.conf\netc/locale.alias\n"
                "etc/locale.conf\netc/localtime\netc/login.defs\netc/machine-id\netc/mtab\n"
                "etc/os-release\netc/pam.d\netc/pam.d/login\netc/passwd\netc/pki\netc/pki/"
                "ca-trust\netc/pki/tls\n"
                "etc/pki/tls/certs\netc/profile\n"
                "etc/security\netc/security/limits.conf\netc/security/namespace.init\n"
                "etc/security/pam_env.conf\netc/shadow\netc/skel\netc/skel/.bashrc\netc/ssl\n"
                "etc/ssl/certs\netc/ssl/certs/0000.0\netc/ssl/certs/A.pem\n"
                "etc/ssl/certs/ca-certificates.crt\netc/systemd\netc/systemd/system\n"
                "etc/systemd/system-generators\netc/systemd/system-generators/ve-generator\n"
                "etc/systemd/system-preset\netc/systemd/system-preset/00-ve.preset\n"
                "etc/systemd/system/default.target\netc/terminfo\netc/terminfo/x\n"
                "etc/terminfo/x/xterm\nhome\nlib\nlib64\nmedia\nmnt\nopt\nproc\nroot\nrun\nsbin\n"
                "srv\nsys\ntmp\nusr\nvar\nvar/.updated\nvar/cache\nvar/lib\nvar/local\nvar/lock\n"
                "var/log\nvar/log/journal\nvar/mail\nvar/opt\nvar/run\nvar/spool\nvar/tmp\n";

static void make_host(void) {
        for (size_t i = 0; i < ELEMENTSOF(secrets); i++)
                make_file(secrets[i].path, secrets[i].mode, secrets[i].text);
        for (size_t i = 0; i < ELEMENTSOF(needed); i++)
                make_file(needed[i].path, needed[i].mode, needed[i].text);
        for (size_t i = 0; i < ELEMENTSOF(linked); i++)
                make_link(linked[i].path, linked[i].target);
        make_dir("/usr/bin", 0755);
        make_dir("/etc/xdg", 0755);
        /* Somebody else's file under a listed name. */
        make_file("/etc/protocols", 0644, MARK);
        cr_assert_eq(chown(on_host("/etc/protocols"), 1000, 0), 0);
        /* A listed directory that others must not look into. */
        make_file("/etc/pki/ca-trust/extracted/x", 0644, MARK);
        make_dir("/etc/pki/ca-trust/extracted", 0700);
}

static int build(void) {
        return host_template_build(fixture_root, fixture_users, NULL);
}

static void expect_text(const char *path, const char *text) {
        _cleanup_free_ char *found = content(path);

        cr_assert_str_eq(found ?: "(absent)", text, "%s", path);
}

static mode_t mode_of(const char *path) {
        struct stat st;

        cr_assert_eq(lstat(on_host(path), &st), 0, "%s", path);
        return st.st_mode & 07777;
}

Test(host, holds_nothing_but_what_is_listed) {
        _cleanup_free_ char *found = NULL;

        make_host();
        cr_assert_eq(build(), 0);
        found = listing(SKELETON);
        cr_assert_str_eq(found, expected);
}

Test(host, holds_no_secret) {
        _cleanup_free_ char *found = NULL;
        char *next, *line;

        make_host();
        cr_assert_eq(build(), 0);
        next = found = listing(SKELETON);
        cr_assert_null(strstr(found, MARK));
        while ((line = strsep(&next, "\n")) && *line) {
                _cleanup_free_ char *path = text_format("%s/%s", SKELETON, line);
                char target[4096] = "";
                char *text;

                if (readlink(on_host(path), target, sizeof(target) - 1) >= 0) {
                        cr_assert_null(strstr(target, MARK), "%s", path);
                        continue;
                }
                text = content(path);
                cr_assert(!text || !strstr(text, MARK), "%s", path);
                free(text);
        }
}

/* The control: with the same eyes, the secrets are found where nobody sanitized. */
Test(host, would_find_a_secret) {
        _cleanup_free_ char *text = NULL;

        make_host();
        text = content("/etc/shadow");
        cr_assert_not_null(strstr(text, MARK));
}

Test(host, writes_accounts_anew) {
        make_host();
        cr_assert_eq(build(), 0);
        expect_text(SKELETON "/etc/passwd",
                        "root:x:0:0::/root:/bin/sh\n"
                        "www-data:x:33:33::/var/www:/usr/sbin/nologin\n"
                        "sync:x:4:65534::/bin:/bin/sync\n"
                        "stray:x:50:65534::/:/usr/sbin/nologin\n"
                        "inline:x:51:33::/:/usr/sbin/nologin\n"
                        "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n");
        expect_text(SKELETON "/etc/group",
                        "root:x:0:\nsudo:x:27:www-data\nwww-data:x:33:\nshadow:x:42:\n"
                        "nogroup:x:65534:\nmail:x:8:\nsystemd-journal:x:999:\n");
        expect_text(SKELETON "/etc/shadow",
                        "root:!*:::::::\nwww-data:*:::::::\nsync:*:::::::\nstray:*:::::::\n"
                        "inline:*:::::::\nnobody:*:::::::\n");
        expect_text(SKELETON "/etc/gshadow",
                        "root:*::\nsudo:*::www-data\nwww-data:*::\nshadow:*::\nnogroup:*::\n"
                        "mail:*::\nsystemd-journal:*::\n");
        cr_assert_eq(mode_of(SKELETON "/etc/shadow"), 0640);
        cr_assert_eq(mode_of(SKELETON "/etc/passwd"), 0644);
}

Test(host, keeps_roots_shell_where_there_is_one) {
        _cleanup_free_ char *passwd = NULL;

        make_host();
        make_file("/usr/bin/zsh", 0755, "");
        cr_assert_eq(build(), 0);
        passwd = content(SKELETON "/etc/passwd");
        cr_assert_not_null(startswith(passwd, "root:x:0:0::/root:/bin/zsh\n"));
}

Test(host, makes_accounts_where_the_host_has_none) {
        make_host();
        cr_assert_eq(unlink(on_host("/etc/passwd")), 0);
        cr_assert_eq(unlink(on_host("/etc/group")), 0);
        cr_assert_eq(build(), 0);
        expect_text(SKELETON "/etc/group", "root:x:0:\nnogroup:x:65534:\n");
        cr_assert_eq(mode_of(SKELETON "/etc/shadow"), 0600);
}

Test(host, is_what_a_boot_needs) {
        static const struct {
                const char *path;
                mode_t mode;
        } modes[] = {
                        {"/var/lib/ve/templates/host", 0700},
                        {SKELETON, 0755},
                        {SKELETON "/etc/machine-id", 0444},
                        {SKELETON "/root", 0700},
                        {SKELETON "/tmp", 01777},
                        {SKELETON "/var/tmp", 01777},
                        {SKELETON "/var/log/journal", 02755},
                        {SKELETON "/etc/security/namespace.init", 0755},
        };
        Template *template = NULL;
        char target[64] = "";
        mode_t mask;

        make_host();
        mask = umask(0077);
        cr_assert_eq(build(), 0);
        (void) umask(mask);
        for (size_t i = 0; i < ELEMENTSOF(modes); i++)
                cr_assert_eq(mode_of(modes[i].path), modes[i].mode, "%s: %o", modes[i].path,
                                (unsigned) mode_of(modes[i].path));
        expect_text(SKELETON "/etc/machine-id", "");
        cr_assert_gt(readlink(on_host(SKELETON "/lib"), target, sizeof(target) - 1), 0);
        cr_assert_str_eq(target, "usr/lib");
        cr_assert_eq(template_open_below(fixture_root, "host", &template), 0);
        cr_assert_geq(template->usr_fd, 0);
        template_free(template);
}

Test(host, is_replaced_unless_used) {
        make_host();
        cr_assert_eq(build(), 0);
        make_file(SKELETON "/old", 0644, "");
        cr_assert_eq(host_template_build(fixture_root, fixture_users, (char *) "web1"), -EBUSY);
        cr_assert_not_null(strstr(log_last_error(), "web1"));
        cr_assert(exists(SKELETON "/old"));
        cr_assert(store_is_clean());
        cr_assert_eq(build(), 0);
        cr_assert_not(exists(SKELETON "/old"));
        cr_assert(store_is_clean());
}

Test(host, is_refused_without_a_merged_usr) {
        make_host();
        cr_assert_eq(unlink(on_host("/sbin")), 0);
        make_dir("/sbin", 0755);
        cr_assert_eq(build(), -EOPNOTSUPP);
        cr_assert_not_null(strstr(log_last_error(), "/sbin"));
        cr_assert_not(exists("/var/lib/ve/templates/host"));
        cr_assert(store_is_clean());
}
