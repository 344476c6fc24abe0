#include "SchemaCheck.hpp"
#include <algorithm>
#include <regex>

using nlohmann::json;

namespace martlet {

std::string escaped_step(const std::string &key) {
    std::string step;
    for (char byte : key) {
        if (byte == '~') {
            step += "~0";
        } else if (byte == '/') {
            step += "~1";
        } else {
            step += byte;
        }
    }
    return step;
}

static bool is_one_of(const std::string &word, std::initializer_list<const char *> words) {
    return std::any_of(words.begin(), words.end(), [&](const char *candidate) { return word == candidate; });
}

void SchemaCheck::check(const json &schema, const std::string &place) {
    std::string shown = place.empty() ? "the schema" : "`" + place + "`";
    if (!schema.is_object() && !schema.is_boolean()) {
        throw SchemaProblem(shown + " must be a schema: an object, true or false");
    }
    if (schema.is_boolean()) {
        return;
    }
    std::vector<const json *> open;
    check_circle(schema, place, open);
    if (schema.contains("$ref")) {
        return;  // Draft 7: what stands beside a reference is ignored.
    }
    for (const auto &member : schema.items()) {
        check_keyword(member.key(), member.value(), place + "/" + escaped_step(member.key()));
    }
}

void SchemaCheck::check_keyword(const std::string &keyword, const json &value, const std::string &place) {
    auto must = [&](bool is_good, const char *what) {
        if (!is_good) {
            throw SchemaProblem("`" + place + "` must be " + what);
        }
    };
    if (is_one_of(keyword, {"additionalItems", "additionalProperties", "contains", "else", "if", "not",
                            "propertyNames", "then"})) {
        check(value, place);
    } else if (keyword == "items") {
        value.is_array() ? check_all(value, place) : check(value, place);
    } else if (is_one_of(keyword, {"allOf", "anyOf", "oneOf"})) {
        must(value.is_array() && !value.empty(), "a list of schemas");
        check_all(value, place);
    } else if (is_one_of(keyword, {"definitions", "$defs", "properties"})) {
        must(value.is_object(), "an object of schemas");
        check_all(value, place);
    } else if (keyword == "patternProperties") {
        must(value.is_object(), "an object of schemas");
        for (const auto &member : value.items()) {
            check_expression(member.key(), place);
        }
        check_all(value, place);
    } else if (keyword == "dependencies") {
        must(value.is_object(), "an object of schemas or lists of names");
        for (const auto &member : value.items()) {
            if (!member.value().is_array()) {
                check(member.value(), place + "/" + escaped_step(member.key()));
            }
        }
    } else if (keyword == "pattern") {
        check_expression(value, place);
    } else if (keyword == "format") {
        has_patterns = true;
        must(value.is_string() && is_one_of(value.get<std::string>(), {"date", "time", "date-time"}),
             "date, time or date-time: no other format is checked");
    } else if (keyword == "required") {
        must(value.is_array() && std::all_of(value.begin(), value.end(), [](auto &name) { return name.is_string(); }),
             "a list of names");
    } else if (keyword == "enum") {
        must(value.is_array() && !value.empty(), "a list of values");
    } else if (!is_one_of(keyword, {"$schema", "$id", "$comment", "title", "description", "default", "examples",
                                    "deprecated", "readOnly", "writeOnly", "const", "type", "uniqueItems",
                                    "maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "multipleOf",
                                    "maxItems", "minItems", "maxLength", "minLength", "maxProperties",
                                    "minProperties"})) {
        throw SchemaProblem("`" + place + "` is no keyword of JSON Schema draft 7 that can be checked");
    }
}

void SchemaCheck::check_all(const json &schemas, const std::string &place) {
    for (const auto &member : schemas.items()) {
        check(member.value(), place + "/" + escaped_step(member.key()));
    }
}

void SchemaCheck::check_expression(const json &expression, const std::string &place) {
    has_patterns = true;
    if (!expression.is_string()) {
        throw SchemaProblem("`" + place + "` must be a regular expression");
    }
    try {
        std::regex compiled(expression.get<std::string>());
    } catch (const std::regex_error &error) {
        throw SchemaProblem(
            "`" + place + "` has a bad regular expression `" + expression.get<std::string>() + "`: " + error.what());
    }
}

const json &SchemaCheck::referenced(const json &reference, const std::string &place) const {
    std::string shown = "`" + place + "/$ref`";
    if (!reference.is_string()) {
        throw SchemaProblem(shown + " must be a string");
    }
    auto text = reference.get<std::string>();
    if (text != "#" && text.rfind("#/", 0) != 0) {
        throw SchemaProblem(shown + " is `" + text + "`, but a reference must stay inside the schema: `#/definitions/…`");
    }
    try {
        return root.at(json::json_pointer(text.substr(1)));
    } catch (const json::exception &) {
        throw SchemaProblem(shown + " is `" + text + "`, which is not there");
    }
}

/// Follows what applies to the same value of the payload: coming back to a schema would never end.
void SchemaCheck::check_circle(const json &schema, const std::string &place, std::vector<const json *> &open) {
    if (!schema.is_object() || finite.count(&schema)) {
        return;
    }
    if (std::find(open.begin(), open.end(), &schema) != open.end()) {
        throw SchemaProblem(
            (place.empty() ? std::string("the schema") : "`" + place + "`") + " refers to itself without end");
    }
    open.push_back(&schema);
    if (schema.contains("$ref")) {
        check_circle(referenced(schema["$ref"], place), place, open);
    } else {
        for (const char *keyword : {"allOf", "anyOf", "oneOf", "if", "then", "else", "not", "dependencies"}) {
            auto found = schema.find(keyword);
            if (found == schema.end()) {
                continue;
            }
            bool is_single = is_one_of(keyword, {"if", "then", "else", "not"});
            if (is_single) {
                check_circle(*found, place, open);
            } else if (found->is_structured()) {
                for (const auto &child : *found) {
                    check_circle(child, place, open);
                }
            }
        }
    }
    open.pop_back();
    finite.insert(&schema);
}

}  // namespace martlet
