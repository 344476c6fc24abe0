// Strings, numbers and words, and the message for what is none of them.
#pragma once
#include "Walker.hpp"
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

namespace martlet {

inline bool Walker::scalar(uint32_t node) {
    uint32_t start = *next;
    uint32_t stop = token_end();
    auto is = [&](const char *word, uint32_t length) {
        return stop - start == length && memcmp(payload + start, word, length) == 0;
    };
    switch (payload[start]) {
    case '"':
        if (!string(start, stop, node)) {
            return false;
        }
        break;
    case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        if (!number(start, stop, node)) {
            return false;
        }
        break;
    case 't':
        if (!is("true", 4)) {
            return expected("a value", start);
        }
        keep(node, csimdjson_true, start, stop);
        break;
    case 'f':
        if (!is("false", 5)) {
            return expected("a value", start);
        }
        keep(node, csimdjson_false, start, stop);
        break;
    case 'n':
        if (!is("null", 4)) {
            return expected("a value", start);
        }
        keep(node, csimdjson_null, start, stop);
        break;
    default:
        return expected("a value", start);
    }
    next++;
    return true;
}

inline bool Walker::string(uint32_t start, uint32_t stop, uint32_t node) {
    bool is_escaped = false;
    if (!check_string(start, stop, is_escaped)) {
        return false;
    }
    keep(node, is_escaped ? csimdjson_escaped_string : csimdjson_string, start, stop);
    return true;
}

/// The first stage has checked UTF-8, control characters and the closing quote; escapes are left.
inline bool Walker::check_string(uint32_t start, uint32_t stop, bool &is_escaped) {
    if (stop - start < 2 || payload[stop - 1] != '"') {
        return expected("the end of a string", start);
    }
    if (!has_backslash) {
        return true;
    }
    const uint8_t *inside = payload + start + 1;
    uint32_t inside_count = stop - start - 2;
    if (inside_count == 0 || memchr(inside, '\\', inside_count) == nullptr) {
        return true;
    }
    is_escaped = true;
    int64_t length = unescape(inside, inside_count, nullptr);
    if (length < 0) {
        return scratch.fail(
            "not JSON: a bad escape at byte %u; expected \\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u and four digits, "
            "surrogates in pairs", start + 1 + static_cast<uint32_t>(~length));
    }
    return true;
}

inline bool Walker::number(uint32_t start, uint32_t stop, uint32_t node) {
    uint32_t at = start;
    auto digits = [&] {
        uint32_t first = at;
        while (at < stop && payload[at] >= '0' && payload[at] <= '9') {
            at++;
        }
        return at - first;
    };
    bool is_negative = payload[at] == '-';
    at += is_negative;
    uint32_t first_digit = at;
    uint32_t whole = digits();
    bool is_good = whole > 0 && (whole == 1 || payload[first_digit] != '0');
    bool is_integer = true;
    bool may_overflow = whole > 300;
    if (is_good && at < stop && payload[at] == '.') {
        at++;
        is_integer = false;
        is_good = digits() > 0;
    }
    if (is_good && at < stop && (payload[at] == 'e' || payload[at] == 'E')) {
        at++;
        is_integer = false;
        may_overflow = true;
        if (at < stop && (payload[at] == '+' || payload[at] == '-')) {
            at++;
        }
        is_good = digits() > 0;
    }
    if (!is_good || at != stop) {
        return scratch.fail("not JSON: a malformed number at byte %u", start);
    }
    bool is_kept = node != CSIMDJSON_NONE && lookup->nodes[node].target != CSIMDJSON_NONE;
    if (!is_kept && !may_overflow) {
        return true;
    }
    auto *text = reinterpret_cast<const char *>(payload);
    if (is_integer) {
        int64_t integer = 0;
        if (std::from_chars(text + start, text + stop, integer).ec == std::errc()) {
            keep(node, csimdjson_integer, start, stop, static_cast<uint64_t>(integer));
            return true;
        }
    }
    double real = 0;
    if (std::from_chars(text + start, text + stop, real).ec != std::errc()) {
        // To from_chars an underflow is out of range too; to strtod it is zero.
        double nearest = strtod(std::string(text + start, stop - start).c_str(), nullptr);
        if (!std::isfinite(nearest)) {
            return scratch.fail("the number at byte %u is beyond a double's range", start);
        }
        real = nearest;
    }
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    keep(node, is_integer ? csimdjson_big_integer : csimdjson_double, start, stop, bits);
    return true;
}

inline int hex_digits(const uint8_t *text) {
    int code = 0;
    for (int index = 0; index < 4; index++) {
        uint8_t byte = text[index];
        int digit = byte >= '0' && byte <= '9'   ? byte - '0'
                    : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                    : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                                 : -1;
        if (digit < 0) {
            return -1;
        }
        code = code * 16 + digit;
    }
    return code;
}

inline int utf8(int code, uint8_t *target) {
    uint8_t bytes[4];
    int length;
    if (code < 0x80) {
        bytes[0] = static_cast<uint8_t>(code);
        length = 1;
    } else if (code < 0x800) {
        bytes[0] = static_cast<uint8_t>(0xC0 | code >> 6);
        length = 2;
    } else if (code < 0x10000) {
        bytes[0] = static_cast<uint8_t>(0xE0 | code >> 12);
        length = 3;
    } else {
        bytes[0] = static_cast<uint8_t>(0xF0 | code >> 18);
        length = 4;
    }
    for (int index = 1; index < length; index++) {
        bytes[index] = static_cast<uint8_t>(0x80 | (code >> 6 * (length - 1 - index) & 0x3F));
    }
    if (target) {
        memcpy(target, bytes, static_cast<size_t>(length));
    }
    return length;
}

/// The code point of the `\u` escape at `at`, moving `at` behind it; -1 if it is bad.
inline int escaped_code_point(const uint8_t *source, uint32_t count, uint32_t &at) {
    if (at + 6 > count) {
        return -1;
    }
    int code = hex_digits(source + at + 2);
    at += 6;
    if (code < 0xD800 || code > 0xDFFF) {
        return code;
    }
    if (code > 0xDBFF || at + 6 > count || source[at] != '\\' || source[at + 1] != 'u') {
        return -1;
    }
    int low = hex_digits(source + at + 2);
    at += 6;
    return low < 0xDC00 || low > 0xDFFF ? -1 : 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
}

inline int64_t unescape(const uint8_t *source, uint32_t count, uint8_t *target) {
    int64_t length = 0;
    uint32_t at = 0;
    while (at < count) {
        uint8_t byte = source[at];
        uint32_t escape = at;
        if (byte != '\\') {
            at++;
        } else if (at + 1 < count && source[at + 1] == 'u') {
            int code = escaped_code_point(source, count, at);
            if (code < 0) {
                return ~static_cast<int64_t>(escape);
            }
            length += utf8(code, target ? target + length : nullptr);
            continue;
        } else {
            static const char from[] = "\"\\/bfnrt";
            static const char to[] = "\"\\/\b\f\n\r\t";
            const char *found = at + 1 < count && source[at + 1] ? strchr(from, source[at + 1]) : nullptr;
            if (!found) {
                return ~static_cast<int64_t>(escape);
            }
            byte = static_cast<uint8_t>(to[found - from]);
            at += 2;
        }
        if (target) {
            target[length] = byte;
        }
        length++;
    }
    return length;
}

/// "not JSON: expected `:` at byte 7, found `,`".
inline bool Walker::expected(const char *what, uint32_t offset) {
    if (offset >= count) {
        return scratch.fail("not JSON: expected %s at byte %u, found the end", what, offset);
    }
    uint8_t byte = payload[offset];
    if (byte >= 0x20 && byte < 0x7F) {
        return scratch.fail("not JSON: expected %s at byte %u, found `%c`", what, offset, byte);
    }
    return scratch.fail("not JSON: expected %s at byte %u, found the byte 0x%02X", what, offset, byte);
}

/// How many bytes the UTF-8 sequence at hand takes; 0 if it is malformed (Unicode 15, table 3-7).
inline uint32_t utf8_length(const uint8_t *text, uint32_t count) {
    uint8_t lead = text[0];
    uint32_t length = lead < 0x80 ? 1 : lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3
                    : lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
    if (length == 0 || length > count) {
        return 0;
    }
    for (uint32_t index = 1; index < length; index++) {
        if ((text[index] & 0xC0) != 0x80) {
            return 0;
        }
    }
    bool is_bad = (lead == 0xE0 && text[1] < 0xA0) || (lead == 0xED && text[1] > 0x9F)
                  || (lead == 0xF0 && text[1] < 0x90) || (lead == 0xF4 && text[1] > 0x8F);
    return is_bad ? 0 : length;
}

/// The first stage says what is wrong, not where; this reads the payload once more to find it.
inline bool Walker::first_stage_failed(simdjson::error_code error) {
    if (error == simdjson::EMPTY) {
        return scratch.fail("not JSON: it holds only white space");
    }
    bool is_inside = false;
    uint32_t opened = 0;
    for (uint32_t at = 0; at < count;) {
        uint32_t length = utf8_length(payload + at, count - at);
        if (length == 0) {
            return scratch.fail("not JSON: it is not UTF-8 at byte %u", at);
        }
        uint8_t byte = payload[at];
        if (is_inside && byte < 0x20) {
            return scratch.fail("not JSON: a control character (0x%02X) in a string at byte %u", byte, at);
        }
        if (is_inside && byte == '\\' && at + 1 < count && (payload[at + 1] == '"' || payload[at + 1] == '\\')) {
            at++;
        } else if (byte == '"') {
            is_inside = !is_inside;
            opened = at;
        }
        at += length;
    }
    if (is_inside) {
        return scratch.fail("not JSON: the string that begins at byte %u never ends", opened);
    }
    return scratch.fail("not JSON: %s", simdjson::error_message(error));
}

}  // namespace martlet
