// libevent, and the POSIX calls used beside it. A Swift file that imports CEvent takes POSIX from
// here and does not import Glibc: both together clash over `fd_set` in debug builds.
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// Wrappers for what Swift cannot import, and for GNU extensions. These are declared here: defining _GNU_SOURCE would
// give this module another `fd_set` than Glibc's, and a build that loads both may fail.
long syscall(long number, ...);
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

// MARK: Many sends in one system call (io_uring)

/// A ring that sends only. Everything of it belongs to one thread.
struct cevent_ring {
    int fd;
    unsigned pending;
    unsigned *sq_head, *sq_tail, *sq_array, *cq_head, *cq_tail;
    unsigned sq_mask, cq_mask;
    struct io_uring_sqe *entries;
    struct io_uring_cqe *completions;
    void *sq_memory, *cq_memory;
    size_t sq_count, cq_count, entry_bytes;
};

/// Gives everything back.
static inline void cevent_ring_close(struct cevent_ring *ring) {
    if (ring->entries != NULL && ring->entries != MAP_FAILED) munmap(ring->entries, ring->entry_bytes);
    if (ring->cq_memory != NULL && ring->cq_memory != MAP_FAILED) munmap(ring->cq_memory, ring->cq_count);
    if (ring->sq_memory != NULL && ring->sq_memory != MAP_FAILED) munmap(ring->sq_memory, ring->sq_count);
    if (ring->fd >= 0) close(ring->fd);
    ring->fd = -1;
}

/// Makes a ring for so many sends at a time, a power of two. 0, or -1 if the system has none or does not allow it.
static inline int cevent_ring_open(struct cevent_ring *ring, unsigned count) {
    struct io_uring_params parameters;
    memset(ring, 0, sizeof *ring);
    memset(&parameters, 0, sizeof parameters);
    ring->fd = (int)syscall(__NR_io_uring_setup, count, &parameters);
    if (ring->fd < 0) return -1;
    fcntl(ring->fd, F_SETFD, FD_CLOEXEC);
    ring->sq_count = parameters.sq_off.array + parameters.sq_entries * sizeof(unsigned);
    ring->cq_count = parameters.cq_off.cqes + parameters.cq_entries * sizeof(struct io_uring_cqe);
    ring->entry_bytes = parameters.sq_entries * sizeof(struct io_uring_sqe);
    int protection = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_POPULATE;
    ring->sq_memory = mmap(NULL, ring->sq_count, protection, flags, ring->fd, IORING_OFF_SQ_RING);
    ring->cq_memory = mmap(NULL, ring->cq_count, protection, flags, ring->fd, IORING_OFF_CQ_RING);
    ring->entries = (struct io_uring_sqe *)mmap(NULL, ring->entry_bytes, protection, flags, ring->fd, IORING_OFF_SQES);
    if (ring->sq_memory == MAP_FAILED || ring->cq_memory == MAP_FAILED || (void *)ring->entries == MAP_FAILED) {
        cevent_ring_close(ring);
        return -1;
    }
    char *sq = (char *)ring->sq_memory, *cq = (char *)ring->cq_memory;
    ring->sq_head = (unsigned *)(sq + parameters.sq_off.head);
    ring->sq_tail = (unsigned *)(sq + parameters.sq_off.tail);
    ring->sq_mask = *(unsigned *)(sq + parameters.sq_off.ring_mask);
    ring->sq_array = (unsigned *)(sq + parameters.sq_off.array);
    ring->cq_head = (unsigned *)(cq + parameters.cq_off.head);
    ring->cq_tail = (unsigned *)(cq + parameters.cq_off.tail);
    ring->cq_mask = *(unsigned *)(cq + parameters.cq_off.ring_mask);
    ring->completions = (struct io_uring_cqe *)(cq + parameters.cq_off.cqes);
    return 0;
}

/// Adds a send(2) that neither blocks nor raises SIGPIPE. The caller adds no more than the ring was made for.
static inline void cevent_ring_send(struct cevent_ring *ring, int fd, const void *bytes, size_t count, unsigned number) {
    unsigned tail = *ring->sq_tail, index = tail & ring->sq_mask;
    struct io_uring_sqe *entry = &ring->entries[index];
    memset(entry, 0, sizeof *entry);
    entry->opcode = IORING_OP_SEND;
    entry->fd = fd;
    entry->addr = (unsigned long long)(size_t)bytes;
    entry->len = (unsigned)count;
    entry->msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    entry->user_data = number;
    ring->sq_array[index] = index;
    __atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
    ring->pending += 1;
}

/// Runs what was added. Each send is over when this returns, and has a result if the system took it up; one that it did
/// not take up is forgotten, and was not made.
static inline void cevent_ring_run(struct cevent_ring *ring) {
    unsigned count = ring->pending, before = *ring->cq_tail;
    ring->pending = 0;
    long taken = syscall(__NR_io_uring_enter, ring->fd, count, 0, 0, NULL, 0);
    // The kernel looks at the queue only inside the call.
    *ring->sq_tail = __atomic_load_n(ring->sq_head, __ATOMIC_ACQUIRE);
    // A send that does not block completes within the call. Should one be late all the same, it is waited for.
    while (taken > 0 && __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) - before < (unsigned)taken) {
        if (syscall(__NR_io_uring_enter, ring->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0 && errno != EINTR) return;
    }
}

/// Takes a result: the number given to it, and what send(2) would return, or an error as a negative number. 0 if none is left.
static inline int cevent_ring_next(struct cevent_ring *ring, unsigned *number, int *result) {
    unsigned head = *ring->cq_head;
    if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE)) return 0;
    struct io_uring_cqe *completion = &ring->completions[head & ring->cq_mask];
    *number = (unsigned)completion->user_data;
    *result = completion->res;
    __atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
    return 1;
}
