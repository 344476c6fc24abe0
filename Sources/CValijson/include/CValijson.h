// A C face of valijson over nlohmann-json (Debian's libvalijson-dev, nlohmann-json3-dev): JSON Schema draft 7.
//
// Nothing throws across this border. A schema may be used by several threads at once; compiled regular expressions are
// kept per thread.
//
// Narrower than draft 7, and said so when a schema is compiled: references stay inside the schema, keywords that are
// not checked are refused, `format` knows date, time and date-time.
// Limit: where a schema has `pattern`, `patternProperties` or `format`, strings and keys of a payload may have at most
// CVALIJSON_PATTERN_BYTES bytes, since std::regex recurses with the text's length.
#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CVALIJSON_PATTERN_BYTES = 2048 };

/// At most so many problems are told for one payload.
enum { CVALIJSON_PROBLEMS_MAX = 5 };

typedef struct cvalijson_schema cvalijson_schema;

/// Compiles a schema's JSON text. On failure returns NULL, and `problem` says why: release it with free().
cvalijson_schema *cvalijson_compile(const char *text, size_t count, char **problem);

void cvalijson_release(cvalijson_schema *schema);

typedef enum {
    cvalijson_valid = 0,
    /// `problems` holds them, a line each: release it with free().
    cvalijson_invalid = 1,
    /// The payload could not be checked: `problems` says why.
    cvalijson_failed = 2,
} cvalijson_outcome;

cvalijson_outcome cvalijson_validate(
    const cvalijson_schema *schema, const void *payload, size_t count, char **problems);

#ifdef __cplusplus
}
#endif
