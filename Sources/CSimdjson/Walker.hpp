// One pass over a payload's structural characters: grammar, look-ups, elements, duplicate keys.
//
// Between two structural characters that the first stage found there is one token and white space, so a token's end is
// found by stepping back from the next structural character, without reading it.
#pragma once
#include "Scratch.hpp"

namespace martlet {

class Walker {
public:
    Walker(Scratch &scratch, const uint8_t *payload, size_t count)
        : scratch(scratch), payload(payload), count(static_cast<uint32_t>(count)) {}

    const csimdjson_lookup *lookup = nullptr;
    csimdjson_token *tokens = nullptr;
    /// Refuse objects that have a key twice.
    bool checks_keys = false;
    /// Expect an array and keep the ranges of its elements.
    bool keeps_elements = false;

    /// Runs both stages. False with a message in the scratch if anything is wrong.
    bool run();

private:
    Scratch &scratch;
    const uint8_t *const payload;
    const uint32_t count;
    const uint32_t *next = nullptr;
    const uint32_t *end = nullptr;
    bool has_backslash = false;

    bool value(uint32_t node, uint32_t depth);
    bool object(uint32_t node, uint32_t depth);
    bool array(uint32_t node, uint32_t depth);
    bool key(uint32_t node, uint32_t &child);
    bool scalar(uint32_t node);
    bool string(uint32_t start, uint32_t stop, uint32_t node);
    bool number(uint32_t start, uint32_t stop, uint32_t node);
    bool check_string(uint32_t start, uint32_t stop, bool &is_escaped);
    bool no_key_twice(size_t first);

    uint32_t token_end() const;
    uint32_t child_for_key(uint32_t node, const uint8_t *text, uint32_t text_count) const;
    uint32_t child_for_index(uint32_t node, uint32_t index) const;
    void keep(uint32_t node, csimdjson_kind kind, uint32_t start, uint32_t stop, uint64_t bits = 0);

    bool expected(const char *what, uint32_t offset);
    bool first_stage_failed(simdjson::error_code error);

    /// The structural character at hand, or 0 at the end.
    uint8_t peek() const { return next < end ? payload[*next] : 0; }
    uint32_t place() const { return next < end ? *next : count; }
};

/// Resolves the escapes of a string's inside. The target must hold as many bytes as the source.
/// Returns the length, or the complement of the offset of a bad escape.
inline int64_t unescape(const uint8_t *source, uint32_t count, uint8_t *target);

}  // namespace martlet
