// libevent, and the POSIX calls used beside it. A Swift file that imports CEvent takes POSIX from
// here and does not import Glibc: both together clash over `fd_set` in debug builds.
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// Wrappers for what Swift cannot import, and for GNU extensions. These are declared here: defining _GNU_SOURCE would
// give this module another `fd_set` than Glibc's, and a build that loads both may fail.
int accept4(int listener, struct sockaddr *address, socklen_t *count, int flags);
int pthread_setname_np(pthread_t thread, const char *name);

/// accept(2) of a non-blocking, close-on-exec socket; the peer's address is not asked for.
static inline int cevent_accept(int listener) {
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/// A non-blocking, close-on-exec TCP socket of the given family.
static inline int cevent_tcp_socket(int family) {
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
}

/// setsockopt(2) of an integer option.
static inline int cevent_set_option(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value);
}

/// send(2) that neither blocks nor raises SIGPIPE.
static inline ssize_t cevent_send(int fd, const void *bytes, size_t count) {
    return send(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/// writev(2) that neither blocks nor raises SIGPIPE.
static inline ssize_t cevent_send_vector(int fd, struct iovec *vectors, size_t count) {
    struct msghdr message = {0};
    message.msg_iov = vectors;
    message.msg_iovlen = count;
    return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/// recv(2) that does not block.
static inline ssize_t cevent_receive(int fd, void *bytes, size_t count) {
    return recv(fd, bytes, count, MSG_DONTWAIT);
}

/// Milliseconds of the monotonic clock, as of the kernel's last tick (at most 10 ms old, read without a system call).
static inline unsigned long long cevent_monotonic_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (unsigned long long)now.tv_sec * 1000 + (unsigned long long)now.tv_nsec / 1000000;
}

/// Seconds of the wall clock, as of the kernel's last tick.
static inline long long cevent_wall_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return now.tv_sec;
}

/// Names the calling thread for ps, top and debuggers.
static inline void cevent_name_thread(const char *name) {
    pthread_setname_np(pthread_self(), name);
}

/// The errno of the calling thread, read right behind the call that set it.
static inline int cevent_errno(void) {
    return errno;
}

/// bind(2), connect(2) and getsockname(2) without casts between the families of socket addresses.
static inline int cevent_bind(int fd, const void *address, socklen_t count) {
    return bind(fd, (const struct sockaddr *)address, count);
}

static inline int cevent_connect(int fd, const void *address, socklen_t count) {
    return connect(fd, (const struct sockaddr *)address, count);
}

static inline int cevent_local_address(int fd, struct sockaddr_storage *address) {
    socklen_t count = sizeof *address;
    return getsockname(fd, (struct sockaddr *)address, &count);
}

/// The address of the other end as text, without its port; an IPv4 address inside IPv6 as such. 0 on success.
static inline int cevent_peer_text(int fd, char *text, socklen_t capacity) {
    struct sockaddr_storage address;
    socklen_t count = sizeof address;
    if (getpeername(fd, (struct sockaddr *)&address, &count) != 0) return -1;
    if (address.ss_family == AF_INET) {
        return inet_ntop(AF_INET, &((struct sockaddr_in *)&address)->sin_addr, text, capacity) ? 0 : -1;
    }
    if (address.ss_family != AF_INET6) return -1;
    struct in6_addr *six = &((struct sockaddr_in6 *)&address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(six)) return inet_ntop(AF_INET, &six->s6_addr[12], text, capacity) ? 0 : -1;
    return inet_ntop(AF_INET6, six, text, capacity) ? 0 : -1;
}

/// getrlimit(2) and setrlimit(2) of the number of open descriptors.
static inline int cevent_open_file_limit(struct rlimit *limit) {
    return getrlimit(RLIMIT_NOFILE, limit);
}

static inline int cevent_set_open_file_limit(const struct rlimit *limit) {
    return setrlimit(RLIMIT_NOFILE, limit);
}
