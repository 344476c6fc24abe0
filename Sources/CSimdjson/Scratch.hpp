// Memory that one thread reuses from payload to payload.
#pragma once
#include "CSimdjson.h"
#include <cstdarg>
#include <cstdio>
#include <memory>
#include <simdjson.h>
#include <vector>

namespace martlet {

/// Payloads above this size get scratch memory of their own, so that a large one does not stay in memory.
constexpr size_t kept_payload_bytes = 1 << 20;

/// A key of an object, unescaped.
struct Key {
    const uint8_t *text;
    uint32_t count;
    /// Where it stands in the payload.
    uint32_t offset;
};

struct Scratch {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
    /// The keys of all objects that are open.
    std::vector<Key> keys;
    /// Unescaped keys, each on its own so that `Key::text` stays where it is.
    std::vector<std::unique_ptr<uint8_t[]>> unescaped;
    std::vector<uint8_t> visited;
    std::vector<csimdjson_range> elements;
    char message[320];

    /// Writes an error; returns false so that callers can pass it on.
    __attribute__((format(printf, 2, 3))) bool fail(const char *format, ...) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(message, sizeof message, format, arguments);
        va_end(arguments);
        return false;
    }

    /// Makes room for the structural indexes of a payload.
    bool reserve(size_t count) {
        if (parser && parser->capacity() >= count) {
            return true;
        }
        size_t capacity = 4096;
        while (capacity < count) {
            capacity *= 2;
        }
        auto *active = static_cast<const simdjson::implementation *>(simdjson::get_active_implementation());
        auto error = parser ? parser->allocate(capacity, 1)
                            : active->create_dom_parser_implementation(capacity, 1, parser);
        return error ? fail("out of memory for a payload of %zu bytes", count) : true;
    }

    /// Forgets what the last payload left, and gives memory back that only a large payload needs.
    void reset() {
        keys.clear();
        unescaped.clear();
        elements.clear();
        if (parser && parser->capacity() > kept_payload_bytes) {
            parser.reset();
            keys.shrink_to_fit();
            elements.shrink_to_fit();
        }
    }
};

}  // namespace martlet
