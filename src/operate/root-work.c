/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operate/root-work.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "base/socket.h"
#include "base/text.h"
#include "base/tree.h"
#include "kernel/capability.h"
#include "operate/leader.h"
#include "operate/lock.h"
#include "operate/offline-root.h"
#include "storage/storage.h"
#include "ve/uid-range.h"

#define CAPABILITY(cap) (UINT64_C(1) << (cap))
#define CAPABILITIES                                                                              \
        (CAPABILITY(CAP_DAC_OVERRIDE) | CAPABILITY(CAP_DAC_READ_SEARCH) | CAPABILITY(CAP_CHOWN) | \
                        CAPABILITY(CAP_FOWNER) | CAPABILITY(CAP_FSETID))

typedef struct Session {
        const char *name;
        Systemd *systemd;
        Definition *definition;
        VeLock lock; /* held when the VE is down */
        int claim_fd;
        Leader leader; /* when it runs */
        RootWork work;
        void *userdata;
} Session;

static void session_done(Session *session) {
        leader_done(&session->leader);
        session->claim_fd = fd_close(session->claim_fd);
        ve_lock_done(&session->lock);
        definition_free(session->definition);
        systemd_free(session->systemd);
}

/* --- running or not */

static ExitCode load(Session *session) {
        if (ve_is_defined(session->name))
                return offline_definition(session->name, &session->definition);
        /* It runs, and its definition was removed meanwhile. */
        session->definition = definition_new(session->name);
        return session->definition ? EXIT_DONE : operation_oom();
}

/* Takes the claim, and says whether the VE is up since. */
static ExitCode claim(Session *session, bool *ret_up) {
        _cleanup_(unit_state_done) UnitState state = {};
        ExitCode code;

        session->claim_fd = fd_close(session->claim_fd);
        if (offline_prepare(session->definition) < 0)
                return EXIT_FAILED;
        session->claim_fd = storage_claim(session->definition, STORAGE_CLAIM_SHARED);
        if (session->claim_fd < 0)
                return EXIT_FAILED;
        code = operation_state(session->systemd, session->name, &state);
        if (code == EXIT_DONE)
                *ret_up = unit_is_up(&state);
        return code;
}

/*
 * The lock keeps two from putting the root of a stopped VE together. It is not waited for with the
 * claim: who has it may itself wait for a start, which waits for the claim.
 */
static ExitCode settle(Session *session) {
        bool up = false;
        ExitCode code = claim(session, &up);

        if (code == EXIT_DONE && !up) {
                session->claim_fd = fd_close(session->claim_fd);
                code = ve_lock(session->name, &session->lock);
                if (code == EXIT_DONE)
                        code = claim(session, &up);
        }
        if (code == EXIT_DONE && !up)
                code = offline_check_mounted(session->name);
        if (code != EXIT_DONE || !up)
                return code;
        ve_lock_done(&session->lock);
        return leader_find(session->systemd, session->name, &session->leader);
}

/* --- the child that works */

int root_limit(uint32_t id) {
        int r = fsid_set(id);

        if (r >= 0)
                r = capability_bound(CAPABILITIES);
        /* A change of ids has undone it. */
        if (r >= 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                r = -errno;
        return r;
}

int root_check_writable(const Root *root, int dir_fd) {
        struct stat st;

        if (fstat(dir_fd, &st) < 0)
                return -errno;
        /* Those that the VE has a number for are below its root. */
        return st.st_uid - root->uid_base < UID_RANGE_SIZE || (st.st_mode & S_IWOTH) ? 0 : -EACCES;
}

int root_keep_tidy(const Root *root, int dir_fd, const char *name) {
        char packet[ROOT_NAME_SIZE] = {};

        if (strlen(name) >= sizeof(packet))
                return -ENAMETOOLONG;
        memcpy(packet, name, strlen(name));
        return socket_send_fd(root->keeper, packet, sizeof(packet), dir_fd);
}

static int open_root(const Session *session, Root *root) {
        int r;

        if (session->leader.pidfd >= 0) {
                r = uid_range_lookup("", session->name, &root->uid_base);
                if (r >= 0)
                        r = root->fd = leader_open_root(&session->leader);
                if (r < 0)
                        return log_error_errno(
                                        r, "The root of VE %s can't be opened: %m.", session->name);
                return 0;
        }
        r = root->fd = offline_root_make(session->definition);
        return r < 0 ? r : offline_root_enter(session->definition, root->fd);
}

static _Noreturn void be_worker(const Session *session, pid_t keeper, int socket) {
        Root root = {.name = session->name, .fd = -EBADF, .keeper = socket};
        ExitCode code;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != keeper)
                _exit(EXIT_FAILED);
        code = open_root(session, &root) < 0 ? EXIT_FAILED
                                             : session->work(&root, session->userdata);
        _exit((int) code);
}

/* --- the process between */

typedef struct Keeper {
        const Session *session;
        int caller, worker, socket; /* the former two: pidfds */
        pid_t worker_pid;
        int dir_fd; /* of what is to be removed */
        char leftover[ROOT_NAME_SIZE];
} Keeper;

/* Returns true as long as there may be more to hear. */
static bool hear(Keeper *keeper) {
        char packet[ROOT_NAME_SIZE];
        int fd, r = socket_receive_fd(keeper->socket, packet, sizeof(packet), &fd);

        if (r <= 0)
                return false;
        fd_close(keeper->dir_fd);
        keeper->dir_fd = fd;
        memcpy(keeper->leftover, packet, sizeof(packet));
        keeper->leftover[sizeof(packet) - 1] = 0;
        return true;
}

/* Waits for the worker, or for a reason to end it. Returns its exit code. */
static ExitCode watch(Keeper *keeper) {
        struct pollfd items[] = {
                        {.fd = keeper->worker, .events = POLLIN},
                        {.fd = keeper->session->leader.pidfd, .events = POLLIN},
                        {.fd = keeper->caller, .events = POLLIN},
                        {.fd = keeper->socket, .events = POLLIN},
        };
        int status;

        while (!(items[0].revents | items[1].revents | items[2].revents)) {
                if (poll(items, ELEMENTSOF(items), -1) < 0)
                        for (size_t i = 0; i < ELEMENTSOF(items); i++)
                                items[i].revents = 0;
                if ((items[3].revents & POLLIN) && !hear(keeper))
                        items[3].fd = -EBADF;
        }
        if (!items[0].revents)
                (void) kill(keeper->worker_pid, SIGKILL);
        status = process_wait(keeper->worker_pid);
        if (status >= 0 && WIFEXITED(status))
                return (ExitCode) WEXITSTATUS(status);
        while (hear(keeper))
                ;
        if (keeper->dir_fd >= 0)
                (void) tree_remove_at(keeper->dir_fd, keeper->leftover);
        if (items[1].revents)
                log_error("VE %s has stopped meanwhile: not all was done.", keeper->session->name);
        else if (!items[2].revents)
                log_error("What worked on the files of VE %s was killed: not all was done.",
                                keeper->session->name);
        return items[1].revents ? EXIT_BUSY : EXIT_FAILED;
}

/*
 * Stands apart from the caller's terminal: if Ctrl-Z stopped the work, a VE that ends meanwhile
 * could not be started again. Outlives a caller that is killed, to remove what the worker leaves.
 */
static _Noreturn void be_keeper(const Session *session, int caller) {
        Keeper keeper = {.session = session, .caller = caller, .dir_fd = -EBADF};
        pid_t own = getpid();
        int pair[2];

        (void) setsid();
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                _exit(EXIT_FAILED);
        keeper.worker_pid = fork();
        if (keeper.worker_pid == 0) {
                fd_close(pair[0]);
                be_worker(session, own, pair[1]);
        }
        fd_close(pair[1]);
        keeper.socket = pair[0];
        keeper.worker = keeper.worker_pid < 0 ? -EBADF : pidfd_open(keeper.worker_pid, 0);
        /* The end of the keeper is the worker's. */
        if (keeper.worker < 0)
                _exit(EXIT_FAILED);
        _exit((int) watch(&keeper));
}

static ExitCode run(const Session *session) {
        _cleanup_close_ int caller = pidfd_open(getpid(), 0);
        int status = caller < 0 ? -errno : 0;
        pid_t keeper;

        (void) fflush(stdout);
        keeper = status < 0 ? status : fork();
        if (keeper == 0)
                be_keeper(session, caller);
        if (status >= 0)
                status = keeper < 0 ? -errno : process_wait(keeper);
        if (status < 0)
                log_error_errno(status, "No process can be made for VE %s: %m.", session->name);
        return status >= 0 && WIFEXITED(status) ? (ExitCode) WEXITSTATUS(status) : EXIT_FAILED;
}

ExitCode root_work(const char *name, RootWork work, void *userdata) {
        _cleanup_(session_done) Session session = {
                        .name = name,
                        .claim_fd = -EBADF,
                        .leader = LEADER_NULL,
                        .work = work,
                        .userdata = userdata,
        };
        _cleanup_(unit_state_done) UnitState state = {};
        ExitCode code = operation_check_name(name);

        if (code == EXIT_DONE)
                code = operation_connect(&session.systemd);
        if (code == EXIT_DONE)
                code = operation_state(session.systemd, name, &state);
        if (code == EXIT_DONE)
                code = load(&session);
        if (code == EXIT_DONE)
                code = settle(&session);
        return code == EXIT_DONE ? run(&session) : code;
}
