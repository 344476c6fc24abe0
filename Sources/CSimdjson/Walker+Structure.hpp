// Objects, arrays and keys.
#pragma once
#include "Walker.hpp"
#include <algorithm>
#include <cstring>

namespace martlet {

inline bool is_space(uint8_t byte) {
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

inline bool Walker::run() {
    if (count == 0) {
        return scratch.fail("not JSON: it is empty");
    }
    if (!scratch.reserve(count)) {
        return false;
    }
    auto &parser = *scratch.parser;
    if (auto error = parser.stage1(payload, count, simdjson::stage1_mode::regular)) {
        return first_stage_failed(error);
    }
    next = parser.structural_indexes.get();
    end = next + parser.n_structural_indexes;
    has_backslash = memchr(payload, '\\', count) != nullptr;
    if (keeps_elements && peek() != '[') {
        return expected("an array `[`", place());
    }
    uint32_t root = lookup ? 0 : CSIMDJSON_NONE;
    if (!value(root, 0)) {
        return false;
    }
    return next == end ? true : expected("the end", *next);
}

/// Where the token at hand ends: white space before the next structural character belongs to nobody.
inline uint32_t Walker::token_end() const {
    uint32_t stop = next + 1 < end ? next[1] : count;
    while (is_space(payload[stop - 1])) {
        stop--;
    }
    return stop;
}

inline bool Walker::value(uint32_t node, uint32_t depth) {
    if (next == end) {
        return expected("a value", count);
    }
    switch (payload[*next]) {
    case '{':
        return object(node, depth + 1);
    case '[':
        return array(node, depth + 1);
    default:
        return scalar(node);
    }
}

inline bool Walker::object(uint32_t node, uint32_t depth) {
    if (depth > CSIMDJSON_DEPTH_MAX) {
        return scratch.fail("nested deeper than %d levels at byte %u", CSIMDJSON_DEPTH_MAX, *next);
    }
    uint32_t start = *next++;
    size_t first_key = scratch.keys.size();
    if (peek() != '}') {
        for (;;) {
            uint32_t child = CSIMDJSON_NONE;
            if (!key(node, child)) {
                return false;
            }
            if (peek() != ':') {
                return expected("`:`", place());
            }
            next++;
            if (!value(child, depth)) {
                return false;
            }
            if (peek() != ',') {
                break;
            }
            next++;
        }
        if (peek() != '}') {
            return expected("`,` or `}`", place());
        }
    }
    keep(node, csimdjson_object, start, *next + 1);
    next++;
    return checks_keys ? no_key_twice(first_key) : true;
}

inline bool Walker::array(uint32_t node, uint32_t depth) {
    if (depth > CSIMDJSON_DEPTH_MAX) {
        return scratch.fail("nested deeper than %d levels at byte %u", CSIMDJSON_DEPTH_MAX, *next);
    }
    uint32_t start = *next++;
    bool keeps = keeps_elements && depth == 1;
    if (peek() != ']') {
        for (uint32_t index = 0;; index++) {
            uint32_t element = place();
            if (!value(child_for_index(node, index), depth)) {
                return false;
            }
            if (keeps) {
                uint32_t stop = place();
                while (is_space(payload[stop - 1])) {
                    stop--;
                }
                scratch.elements.push_back({element, stop - element});
            }
            if (peek() != ',') {
                break;
            }
            next++;
        }
        if (peek() != ']') {
            return expected("`,` or `]`", place());
        }
    }
    keep(node, csimdjson_array, start, *next + 1);
    next++;
    return true;
}

inline bool Walker::key(uint32_t node, uint32_t &child) {
    if (peek() != '"') {
        return expected("a key in quotes", place());
    }
    uint32_t start = *next;
    uint32_t stop = token_end();
    bool is_escaped = false;
    if (!check_string(start, stop, is_escaped)) {
        return false;
    }
    next++;
    bool is_looked_up = node != CSIMDJSON_NONE && lookup->nodes[node].child_count > 0;
    if (!checks_keys && !is_looked_up) {
        return true;
    }
    Key key{payload + start + 1, stop - start - 2, start};
    if (is_escaped) {
        auto text = std::make_unique<uint8_t[]>(key.count);
        key.count = static_cast<uint32_t>(unescape(key.text, key.count, text.get()));
        key.text = text.get();
        scratch.unescaped.push_back(std::move(text));
    }
    if (checks_keys) {
        scratch.keys.push_back(key);
    }
    if (is_looked_up) {
        child = child_for_key(node, key.text, key.count);
        if (child != CSIMDJSON_NONE && scratch.visited[child]++) {
            int shown = static_cast<int>(std::min(stop - start, 80u));
            return scratch.fail("the key %.*s is there twice, again at byte %u", shown, payload + start, start);
        }
    }
    return true;
}

/// Few keys are compared with each other; many are sorted, which no choice of keys can make slow.
inline bool Walker::no_key_twice(size_t first) {
    auto begin = scratch.keys.begin() + static_cast<ptrdiff_t>(first);
    auto end = scratch.keys.end();
    auto are_equal = [](const Key &left, const Key &right) {
        return left.count == right.count && memcmp(left.text, right.text, left.count) == 0;
    };
    const Key *twice = nullptr;
    if (end - begin <= 12) {
        for (auto right = begin; right < end && !twice; right++) {
            for (auto left = begin; left < right; left++) {
                if (are_equal(*left, *right)) {
                    twice = &*right;
                    break;
                }
            }
        }
    } else {
        std::sort(begin, end, [](const Key &left, const Key &right) {
            if (left.count != right.count) {
                return left.count < right.count;
            }
            int order = memcmp(left.text, right.text, left.count);
            return order != 0 ? order < 0 : left.offset < right.offset;
        });
        auto found = std::adjacent_find(begin, end, are_equal);
        twice = found == end ? nullptr : &found[1];
    }
    if (twice) {
        uint32_t stop = twice->offset + 1;
        while (payload[stop] != '"' && stop - twice->offset < 80) {
            stop += payload[stop] == '\\' ? 2 : 1;
        }
        int shown = static_cast<int>(stop + 1 - twice->offset);
        return scratch.fail(
            "the key %.*s is there twice, again at byte %u", shown, payload + twice->offset, twice->offset);
    }
    scratch.keys.resize(first);
    return true;
}

inline uint32_t Walker::child_for_key(uint32_t node, const uint8_t *text, uint32_t text_count) const {
    const auto &parent = lookup->nodes[node];
    for (uint32_t child = parent.first_child; child < parent.first_child + parent.child_count; child++) {
        const auto &candidate = lookup->nodes[child];
        if (candidate.key_count == text_count
            && memcmp(lookup->keys + candidate.key_offset, text, text_count) == 0) {
            return child;
        }
    }
    return CSIMDJSON_NONE;
}

inline uint32_t Walker::child_for_index(uint32_t node, uint32_t index) const {
    if (node == CSIMDJSON_NONE) {
        return CSIMDJSON_NONE;
    }
    const auto &parent = lookup->nodes[node];
    for (uint32_t child = parent.first_child; child < parent.first_child + parent.child_count; child++) {
        if (lookup->nodes[child].array_index == index) {
            return child;
        }
    }
    return CSIMDJSON_NONE;
}

inline void Walker::keep(uint32_t node, csimdjson_kind kind, uint32_t start, uint32_t stop, uint64_t bits) {
    if (node == CSIMDJSON_NONE || lookup->nodes[node].target == CSIMDJSON_NONE) {
        return;
    }
    tokens[lookup->nodes[node].target] = {bits, start, stop - start, kind};
}

}  // namespace martlet
