#include "CSimdjson.h"
#include "Walker+Scalars.hpp"
#include "Walker+Structure.hpp"

using martlet::Scratch;
using martlet::Walker;

static_assert(CSIMDJSON_PADDING >= simdjson::SIMDJSON_PADDING, "simdjson reads further than payloads are padded");

namespace {

thread_local Scratch thread_scratch;

/// Runs a walk; the only place where an exception (of memory) can arrive, and it goes no further.
template <typename Prepare>
const char *walk(const void *payload, size_t count, Prepare prepare) {
    Scratch &scratch = thread_scratch;
    try {
        scratch.reset();
        if (count >= UINT32_MAX - CSIMDJSON_PADDING) {
            scratch.fail("larger than 4 GiB");
            return scratch.message;
        }
        Walker walker(scratch, static_cast<const uint8_t *>(payload), count);
        prepare(walker);
        return walker.run() ? nullptr : scratch.message;
    } catch (...) {
        scratch.fail("out of memory for a payload of %zu bytes", count);
        return scratch.message;
    }
}

}  // namespace

const char *csimdjson_find(
    const void *payload, size_t count, const csimdjson_lookup *lookup, csimdjson_token *tokens) {
    return walk(payload, count, [&](Walker &walker) {
        walker.lookup = lookup;
        walker.tokens = tokens;
        thread_scratch.visited.assign(lookup->node_count, 0);
    });
}

const char *csimdjson_check(const void *payload, size_t count) {
    return walk(payload, count, [](Walker &walker) { walker.checks_keys = true; });
}

const char *csimdjson_elements(
    const void *payload, size_t count, const csimdjson_range **ranges, size_t *range_count) {
    const char *problem = walk(payload, count, [](Walker &walker) {
        walker.checks_keys = true;
        walker.keeps_elements = true;
    });
    *ranges = thread_scratch.elements.data();
    *range_count = problem ? 0 : thread_scratch.elements.size();
    return problem;
}
