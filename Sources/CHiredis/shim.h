// hiredis 0.14: connecting, and the parser of replies.
#pragma once
#include <hiredis/hiredis.h>
#include <stddef.h>

/// Bytes that wait to be sent.
static inline size_t chiredis_output_count(const redisContext *context) {
    return sdslen((const sds)context->obuf);
}

/// Bytes that were received and not yet parsed.
static inline size_t chiredis_input_count(const redisContext *context) {
    return context->reader->len - context->reader->pos;
}

/// What `redisReader.privdata` points to.
struct chiredis_limits {
    int element_count_max;
    redisReplyObjectFunctions make;
    void *(*make_array)(const redisReadTask *, int);
};

static inline void *chiredis_make_bounded_array(const redisReadTask *task, int count) {
    const struct chiredis_limits *limits = (const struct chiredis_limits *)task->privdata;
    return count > limits->element_count_max ? NULL : limits->make_array(task, count);
}

/// Has the parser refuse arrays of more elements, for which it would otherwise allocate at once what the server says.
/// `limits` must outlive the context.
static inline void chiredis_limit_arrays(redisContext *context, struct chiredis_limits *limits, int element_count_max) {
    limits->element_count_max = element_count_max;
    limits->make = *context->reader->fn;
    limits->make_array = limits->make.createArray;
    limits->make.createArray = chiredis_make_bounded_array;
    context->reader->fn = &limits->make;
    context->reader->privdata = limits;
}
