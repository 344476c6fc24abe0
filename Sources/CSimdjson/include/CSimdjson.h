// A C face for JSON payloads over simdjson (Debian's libsimdjson-dev).
//
// simdjson's first stage (vectorised: UTF-8, strings, structural characters) runs over the payload; a walk over the
// structural characters then checks the whole grammar and, in the same pass, finds values, array elements or duplicate
// keys. Every place that is returned is a range of the payload itself, so nothing is ever serialised again.
//
// Every function returns NULL, or what is wrong with the payload: a text that belongs to the calling thread and lives
// until its next call. Scratch memory is kept per thread; nothing throws across this border.
//
// Limits: payloads below 4 GiB, CSIMDJSON_DEPTH_MAX levels of nesting, numbers within a double's range.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The deepest nesting that is accepted: as deep as libjq 1.6 reads.
enum { CSIMDJSON_DEPTH_MAX = 256 };

/// Readable bytes that must follow a payload.
enum { CSIMDJSON_PADDING = 64 };

/// "None" in a csimdjson_node.
#define CSIMDJSON_NONE UINT32_MAX

typedef enum csimdjson_kind : uint8_t {
    csimdjson_missing = 0,
    csimdjson_null = 1,
    csimdjson_false = 2,
    csimdjson_true = 3,
    /// A whole number in 64 bits; `bits` holds it.
    csimdjson_integer = 4,
    /// Any other number; `bits` holds the double.
    csimdjson_double = 5,
    /// A string without escapes.
    csimdjson_string = 6,
    /// A string with at least one escape.
    csimdjson_escaped_string = 7,
    csimdjson_object = 8,
    csimdjson_array = 9,
    /// A whole number past 64 bits with sign.
    csimdjson_big_integer = 10,
} csimdjson_kind;

/// A value in a payload.
typedef struct {
    uint64_t bits;
    /// The value's JSON text, quotes included.
    uint32_t offset;
    uint32_t count;
    csimdjson_kind kind;
} csimdjson_token;

/// A range of a payload.
typedef struct {
    uint32_t offset;
    uint32_t count;
} csimdjson_range;

/// One step of the JSON Pointers to look up, which form a tree; node 0 is the whole document.
typedef struct {
    /// The key that leads here: a range of the lookup's keys.
    uint32_t key_offset;
    uint32_t key_count;
    /// The array index that leads here, or CSIMDJSON_NONE.
    uint32_t array_index;
    /// The steps that follow: a range of the nodes.
    uint32_t first_child;
    uint32_t child_count;
    /// Which token takes the value here, or CSIMDJSON_NONE.
    uint32_t target;
} csimdjson_node;

typedef struct {
    const csimdjson_node *nodes;
    size_t node_count;
    const uint8_t *keys;
} csimdjson_lookup;

/// Checks the payload and fills `tokens`, which must all be csimdjson_missing before. A key on the way to a value that
/// is there twice is an error, since readers disagree about which one counts.
const char *csimdjson_find(
    const void *payload, size_t count, const csimdjson_lookup *lookup, csimdjson_token *tokens);

/// Checks that the payload is one JSON value and that no object in it has a key twice.
const char *csimdjson_check(const void *payload, size_t count);

/// Checks as csimdjson_check does, and gives the elements of the array that the payload must be.
/// The ranges belong to the calling thread until its next call.
const char *csimdjson_elements(
    const void *payload, size_t count, const csimdjson_range **ranges, size_t *range_count);

#ifdef __cplusplus
}
#endif
