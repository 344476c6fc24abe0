// libcurl for Swift: its variadic calls as functions with fixed types.

#ifndef MARTLET_CCURL_SHIM_H
#define MARTLET_CCURL_SHIM_H

#include <curl/curl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/// What libcurl calls with a piece of an answer; it returns how many bytes it took.
typedef size_t (*martlet_curl_sink)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode martlet_curl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

static inline CURLcode martlet_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode martlet_curl_set_size(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

/// The string is copied by libcurl.
static inline CURLcode martlet_curl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

/// The pointer is kept by libcurl, not what it points to.
static inline CURLcode martlet_curl_set_pointer(CURL *handle, CURLoption option, const void *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode martlet_curl_set_headers(CURL *handle, struct curl_slist *headers) {
    return curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
}

static inline CURLcode martlet_curl_set_sinks(
    CURL *handle, martlet_curl_sink header, martlet_curl_sink body, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, header);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_HEADERDATA, context);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, body);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
    return code;
}

/// What libcurl calls before it connects, with the address that the name led to; -1 refuses.
typedef curl_socket_t (*martlet_curl_opener)(void *context, curlsocktype purpose, struct curl_sockaddr *peer);

static inline CURLcode martlet_curl_set_opener(CURL *handle, martlet_curl_opener opener, void *context) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, opener);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, context);
    return code;
}

/// Writes the address as the 16 bytes of IPv6, an IPv4 one as ::ffff:a.b.c.d; 0 if it is neither.
static inline int martlet_curl_address(const struct curl_sockaddr *peer, void *bytes) {
    unsigned char *target = (unsigned char *)bytes;
    if (peer->family == AF_INET) {
        memset(target, 0, 10);
        memset(target + 10, 0xFF, 2);
        memcpy(target + 12, &((const struct sockaddr_in *)(const void *)&peer->addr)->sin_addr, 4);
        return 1;
    }
    if (peer->family == AF_INET6) {
        memcpy(target, &((const struct sockaddr_in6 *)(const void *)&peer->addr)->sin6_addr, 16);
        return 1;
    }
    return 0;
}

static inline curl_socket_t martlet_curl_socket(const struct curl_sockaddr *peer) {
    return socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
}

static inline long martlet_curl_status(CURL *handle) {
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static inline CURLMcode martlet_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

// The multi interface over epoll(7): a turn costs what is ready, not what is open.

/// A multi handle with the descriptor that watches its sockets.
typedef struct {
    CURLM *multi;
    int epoll;
    /// When libcurl wants a call, in milliseconds of the monotonic clock; -1 for never.
    int64_t deadline;
} martlet_curl_loop;

static inline int64_t martlet_curl_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline int martlet_curl_watch(CURL *easy, curl_socket_t fd, int what, void *context, void *known) {
    martlet_curl_loop *loop = (martlet_curl_loop *)context;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    struct epoll_event event = {.events = 0, .data.fd = fd};
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    epoll_ctl(loop->epoll, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
    if (known == NULL) curl_multi_assign(loop->multi, fd, loop);
    return 0;
}

static inline int martlet_curl_schedule(CURLM *multi, long milliseconds, void *context) {
    (void)multi;
    ((martlet_curl_loop *)context)->deadline = milliseconds < 0 ? -1 : martlet_curl_now() + milliseconds;
    return 0;
}

/// Prepares a loop that also wakes when `wake` becomes readable. False if the system refuses.
static inline int martlet_curl_loop_open(martlet_curl_loop *loop, int wake) {
    loop->multi = curl_multi_init();
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->deadline = -1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = -1};
    if (loop->multi == NULL || loop->epoll < 0 || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, wake, &event) != 0) {
        if (loop->multi != NULL) curl_multi_cleanup(loop->multi);
        if (loop->epoll >= 0) close(loop->epoll);
        return 0;
    }
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, martlet_curl_watch);
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, martlet_curl_schedule);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
    return 1;
}

static inline void martlet_curl_loop_close(martlet_curl_loop *loop) {
    curl_multi_cleanup(loop->multi);
    close(loop->epoll);
}

/// Waits until something is ready, and lets libcurl work on it.
static inline void martlet_curl_loop_turn(martlet_curl_loop *loop, int idle_ms) {
    int64_t wait = idle_ms;
    if (loop->deadline >= 0) {
        int64_t left = loop->deadline - martlet_curl_now();
        wait = left < 0 ? 0 : left < wait ? left : wait;
    }
    struct epoll_event ready[256];
    int running = 0;
    int count = epoll_wait(loop->epoll, ready, 256, (int)wait);
    for (int i = 0; i < count; i++) {
        if (ready[i].data.fd < 0) continue;
        int what = 0;
        if (ready[i].events & EPOLLIN) what |= CURL_CSELECT_IN;
        if (ready[i].events & EPOLLOUT) what |= CURL_CSELECT_OUT;
        if (ready[i].events & (EPOLLERR | EPOLLHUP)) what |= CURL_CSELECT_ERR;
        curl_multi_socket_action(loop->multi, ready[i].data.fd, what, &running);
    }
    if (loop->deadline >= 0 && loop->deadline <= martlet_curl_now()) {
        loop->deadline = -1;
        curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
}

/// The next transfer that has ended, or null; its result in `result`.
static inline CURL *martlet_curl_multi_next_done(CURLM *multi, CURLcode *result) {
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            *result = message->data.result;
            return message->easy_handle;
        }
    }
    return NULL;
}

#endif
