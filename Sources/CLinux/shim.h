// Linux calls that Swift's Glibc module lacks: epoll, timers as descriptors, child processes that die with their parent.
// A Swift file that imports CLinux takes POSIX from here and does not import Glibc.
#pragma once
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <pwd.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern void *memmem(const void *, size_t, const void *, size_t);
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *, const char *);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);

// Declared only with _GNU_SOURCE, which the importer does not set.
extern int pthread_setname_np(pthread_t, const char *);
extern int sync_file_range(int, off_t, off_t, unsigned int);

/// Names the calling thread, with at most 15 bytes.
static inline void clinux_name_thread(const char *name) {
    pthread_setname_np(pthread_self(), name);
}

/// Starts writing a file's dirty pages to the disk and does not wait for it; errors show in the next sync.
static inline void clinux_start_writing(int fd) {
    sync_file_range(fd, 0, 0, 2 /* SYNC_FILE_RANGE_WRITE */);
}

/// Nanoseconds of the monotonic clock.
static inline int64_t clinux_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/// Waits until a time of the monotonic clock, in nanoseconds.
static inline void clinux_sleep_until(int64_t deadline) {
    struct timespec when = {deadline / 1000000000, deadline % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR) {}
}

/// Lets the calling thread's sleeps end to the microsecond instead of 50 µs late.
static inline void clinux_sharpen_sleep(void) {
    prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
}

/// The errno of the calling thread, read right behind the call that set it.
static inline int clinux_errno(void) {
    return errno;
}

// epoll(7). Descriptors are known by a number that the caller gives.

static inline int clinux_epoll_create(void) {
    return epoll_create1(EPOLL_CLOEXEC);
}

static inline int clinux_epoll_control(int epoll, int operation, int fd, uint32_t events, uint32_t number) {
    struct epoll_event event = {.events = events, .data.u64 = number};
    return epoll_ctl(epoll, operation, fd, &event);
}

/// Fills `numbers` and `events` with at most 256 ready descriptors.
static inline int clinux_epoll_wait(int epoll, uint32_t *numbers, uint32_t *events, int timeout_ms) {
    struct epoll_event ready[256];
    int count = epoll_wait(epoll, ready, 256, timeout_ms);
    for (int i = 0; i < count; i++) {
        numbers[i] = (uint32_t)ready[i].data.u64;
        events[i] = ready[i].events;
    }
    return count;
}

static inline int clinux_timer_create(void) {
    return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

/// Makes the timer readable at a time of the monotonic clock, in nanoseconds; never if 0.
static inline void clinux_timer_set(int timer, int64_t deadline) {
    struct itimerspec when = {{0, 0}, {deadline / 1000000000, deadline % 1000000000}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/// sem_timedwait(3): whether the semaphore was raised in time.
static inline bool clinux_wait_semaphore(sem_t *semaphore, int seconds) {
    struct timespec when;
    clock_gettime(CLOCK_REALTIME, &when);
    when.tv_sec += seconds;
    int result;
    do { result = sem_timedwait(semaphore, &when); } while (result != 0 && errno == EINTR);
    return result == 0;
}

// Sockets on loopback.

static inline int clinux_connect_loopback(uint16_t port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {5, 0};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        int code = errno;
        close(fd);
        errno = code;
        return -1;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

/// A port of loopback that nobody uses at the moment; 0 on failure.
static inline uint16_t clinux_free_port(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return 0;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t count = sizeof address;
    uint16_t port = 0;
    if (bind(fd, (struct sockaddr *)&address, count) == 0 && getsockname(fd, (struct sockaddr *)&address, &count) == 0) {
        port = ntohs(address.sin_port);
    }
    close(fd);
    return port;
}

/// Listens on a port of loopback and lets nobody in: its backlog is full, so that whoever connects waits. Fills in the port and
/// both ends to close; -1 on failure.
static inline int clinux_listen_full(uint16_t *port, int ends[2]) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t count = sizeof address;
    // A backlog of 0 has room for one.
    if (bind(fd, (struct sockaddr *)&address, count) == 0 && listen(fd, 0) == 0
        && getsockname(fd, (struct sockaddr *)&address, &count) == 0) {
        *port = ntohs(address.sin_port);
        ends[0] = fd;
        ends[1] = clinux_connect_loopback(*port);
        if (ends[1] >= 0) return 0;
    }
    close(fd);
    return -1;
}

/// Listens on a free port of loopback without blocking, and fills in the port; -1 on failure. Connections inherit TCP_NODELAY.
static inline int clinux_listen_loopback(uint16_t *port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t count = sizeof address;
    if (bind(fd, (struct sockaddr *)&address, count) != 0 || listen(fd, 4096) != 0
        || getsockname(fd, (struct sockaddr *)&address, &count) != 0) {
        close(fd);
        return -1;
    }
    *port = ntohs(address.sin_port);
    return fd;
}

static inline int clinux_accept(int fd) {
    return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static inline int clinux_set_nonblocking(int fd) {
    return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static inline ssize_t clinux_send(int fd, const void *bytes, size_t count) {
    return send(fd, bytes, count, MSG_NOSIGNAL);
}

// Files.

/// Sets blocks aside and writes zeros into them, so that later writes only overwrite.
static inline bool clinux_fill_with_zeros(int fd, int64_t count) {
    static const char zeros[1 << 20];
    for (int64_t done = 0; done < count; done += (int64_t)sizeof zeros) {
        if (pwrite(fd, zeros, sizeof zeros, done) != (ssize_t)sizeof zeros) return false;
    }
    return fsync(fd) == 0;
}

static inline int clinux_open_for_reading(const char *path) {
    return open(path, O_RDONLY | O_CLOEXEC);
}

static inline int clinux_create_file(const char *path) {
    return open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

/// Removes a folder with all it holds.
static inline int clinux_remove_tree(const char *path) {
    DIR *folder = opendir(path);
    if (folder == NULL) return errno == ENOTDIR ? unlink(path) : -1;
    struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        char child[4096];
        if (snprintf(child, sizeof child, "%s/%s", path, entry->d_name) >= (int)sizeof child) continue;
        struct stat status;
        if (lstat(child, &status) == 0 && S_ISDIR(status.st_mode)) clinux_remove_tree(child);
        else unlink(child);
    }
    closedir(folder);
    return rmdir(path);
}

// Processes.

/// Runs a program with both outputs in `output`; `death_signal` reaches it when the calling thread ends, however it ends.
static inline pid_t clinux_spawn(const char *path, char *const arguments[], int output, int death_signal) {
    pid_t parent = getpid();
    pid_t child = fork();
    if (child != 0) return child;
    prctl(PR_SET_PDEATHSIG, death_signal);
    if (getppid() != parent) _exit(127);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    int input = open("/dev/null", O_RDONLY);
    dup2(input, 0);
    dup2(output, 1);
    dup2(output, 2);
    execv(path, arguments);
    _exit(127);
}

/// Whether the child is gone, and reaped.
static inline bool clinux_has_ended(pid_t child, int *status) {
    return waitpid(child, status, WNOHANG) != 0;
}

static inline int clinux_exit_code(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Raises the limit of open descriptors as far as it goes, for this process and its children; returns it.
static inline long long clinux_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return (long long)limit.rlim_cur;
}

/// Runs a program in a folder as the leader of a process group of its own, with these descriptors as its standard streams, no
/// other one, no signal blocked or ignored. Returns 0, or the number of the error.
static inline int clinux_spawn_leader(
    pid_t *child, char *const arguments[], char *const environment[], const char *folder, const int streams[3]) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    for (int i = 0; i < 3; i++) posix_spawn_file_actions_adddup2(&actions, streams[i], i);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int result = posix_spawnp(child, arguments[0], &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return result;
}
