#include "CValijson.h"
#include "Explaining.hpp"
#include "SchemaCheck.hpp"
#include <atomic>
#include <cstring>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

using nlohmann::json;
using valijson::adapters::NlohmannJsonAdapter;

struct cvalijson_schema {
    valijson::Schema schema;
    bool has_patterns = false;
};

namespace {

/// Counts compiled schemas: a thread drops its regular expressions when there is a new one, so that reloads do not pile
/// them up.
std::atomic<unsigned> generation{0};

valijson::Validator &thread_validator() {
    thread_local std::unique_ptr<valijson::Validator> validator;
    thread_local unsigned validator_generation = 0;
    unsigned current = generation.load(std::memory_order_relaxed);
    if (!validator || validator_generation != current) {
        validator = std::make_unique<valijson::Validator>();
        validator_generation = current;
    }
    return *validator;
}

char *copied(const std::string &text) {
    return strdup(text.c_str());
}

std::string too_long(const std::string &pointer) {
    return "`" + pointer + "`: longer than " + std::to_string(CVALIJSON_PATTERN_BYTES)
           + " bytes, which a schema with patterns does not read";
}

/// The first text that is too long for regular expressions; empty if there is none.
std::string long_text(const json &value, const std::string &pointer) {
    if (value.is_string()) {
        return value.get_ref<const std::string &>().size() > CVALIJSON_PATTERN_BYTES ? too_long(pointer) : "";
    }
    if (!value.is_structured()) {
        return "";
    }
    for (const auto &member : value.items()) {
        if (value.is_object() && member.key().size() > CVALIJSON_PATTERN_BYTES) {
            return too_long(pointer + "/" + martlet::escaped_step(member.key().substr(0, 40)) + "…");
        }
        auto found = long_text(member.value(), pointer + "/" + martlet::escaped_step(member.key()));
        if (!found.empty()) {
            return found;
        }
    }
    return "";
}

}  // namespace

cvalijson_schema *cvalijson_compile(const char *text, size_t count, char **problem) {
    *problem = nullptr;
    try {
        auto document = json::parse(text, text + count);
        martlet::SchemaCheck check(document);
        check.run();
        auto schema = std::make_unique<cvalijson_schema>();
        schema->has_patterns = check.has_patterns;
        valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
        parser.addConstraintBuilder("type", new martlet::ExplainingBuilder("type"));
        parser.addConstraintBuilder("enum", new martlet::ExplainingBuilder("enum"));
        parser.populateSchema(NlohmannJsonAdapter(document), schema->schema);
        generation.fetch_add(1, std::memory_order_relaxed);
        return schema.release();
    } catch (const std::exception &error) {
        *problem = copied(error.what());
    } catch (...) {
        *problem = copied("an unknown failure");
    }
    return nullptr;
}

void cvalijson_release(cvalijson_schema *schema) {
    delete schema;
}

cvalijson_outcome cvalijson_validate(
    const cvalijson_schema *schema, const void *payload, size_t count, char **problems) {
    *problems = nullptr;
    try {
        auto *bytes = static_cast<const char *>(payload);
        auto document = json::parse(bytes, bytes + count);
        if (schema->has_patterns) {
            auto problem = long_text(document, "");
            if (!problem.empty()) {
                *problems = copied(problem);
                return cvalijson_invalid;
            }
        }
        auto &validator = thread_validator();
        NlohmannJsonAdapter target(document);
        // The verdict comes first and stops at the first problem; only a bad payload pays for messages.
        if (validator.validate<NlohmannJsonAdapter>(schema->schema, target, nullptr)) {
            return cvalijson_valid;
        }
        valijson::ValidationResults results;
        validator.validate<NlohmannJsonAdapter>(schema->schema, target, &results);
        *problems = copied(martlet::explain(results));
        return cvalijson_invalid;
    } catch (const std::exception &error) {
        *problems = copied(error.what());
    } catch (...) {
        *problems = copied("an unknown failure");
    }
    return cvalijson_failed;
}
