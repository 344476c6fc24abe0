#include "Explaining.hpp"
#include "CValijson.h"
#include "SchemaCheck.hpp"
#include <algorithm>

using nlohmann::json;
using valijson::adapters::Adapter;

namespace martlet {

static const char *type_name(const Adapter &target) {
    return target.isObject()    ? "object"
           : target.isArray()   ? "array"
           : target.isString()  ? "string"
           : target.isBool()    ? "boolean"
           : target.isNull()    ? "null"
           : target.isInteger() ? "integer"
                                : "number";
}

bool ExplainingConstraint::validate(
    const Adapter &target, const std::vector<std::string> &context, valijson::ValidationResults *results) const {
    if (!results) {
        return true;
    }
    json choices = value.is_array() ? value : json::array({value});
    std::string found = type_name(target);
    std::string list;
    for (const auto &choice : choices) {
        bool is_same = keyword == "type"
                           ? choice == found || (choice == "number" && found == "integer") || choice == "any"
                           : target.equalTo(valijson::adapters::NlohmannJsonAdapter(choice), true);
        if (is_same) {
            return true;
        }
        list += (list.empty() ? "" : keyword == "type" ? " or " : ", ");
        list += keyword == "type" ? choice.get<std::string>() : choice.dump();
    }
    if (list.size() > 200) {
        list = list.substr(0, list.rfind(", ", 200)) + ", …";
    }
    std::string text = keyword == "type" ? "expected " + list + ", found " + found : "expected one of " + list;
    results->pushError(context, finished + text);
    return true;
}

static json copied(const Adapter &node) {
    json copy;
    if (node.isObject()) {
        copy = json::object();
        node.applyToObject([&](const std::string &key, const Adapter &member) {
            copy[key] = copied(member);
            return true;
        });
    } else if (node.isArray()) {
        copy = json::array();
        node.applyToArray([&](const Adapter &element) {
            copy.push_back(copied(element));
            return true;
        });
    } else if (node.isString()) {
        copy = node.getString();
    } else if (node.isBool()) {
        copy = node.getBool();
    } else if (node.isInteger()) {
        copy = node.getInteger();
    } else if (node.isDouble()) {
        copy = node.getDouble();
    }
    return copy;
}

valijson::constraints::Constraint *ExplainingBuilder::make(const Adapter &node) const {
    return new ExplainingConstraint(keyword, copied(node));
}

/// valijson's context is `<root>`, then a step in brackets each.
static std::string pointer(const std::vector<std::string> &context) {
    std::string pointer;
    for (size_t index = 1; index < context.size(); index++) {
        const auto &step = context[index];
        bool is_bracketed = step.size() >= 2 && step.front() == '[' && step.back() == ']';
        pointer += "/" + escaped_step(is_bracketed ? step.substr(1, step.size() - 2) : step);
    }
    return pointer;
}

/// What is between the first quote and the last.
static std::string quoted_name(const std::string &text) {
    auto first = text.find('\'');
    auto last = text.rfind('\'');
    return first < last ? text.substr(first + 1, last - first - 1) : "";
}

/// "Expected number less than 5.000000." becomes "expected number less than 5".
static std::string reworded(std::string text) {
    if (text.size() > 3 && text.compare(text.size() - 3, 3, "000") == 0 && text.find('.') != std::string::npos) {
        text.erase(text.find_last_not_of('0') + 1);
    }
    if (!text.empty() && text.back() == '.') {
        text.pop_back();
    }
    if (!text.empty()) {
        text[0] = static_cast<char>(tolower(text[0]));
    }
    return text;
}

/// Messages that only repeat that a part is wrong, or for which there is a better one.
static bool is_repetition(const std::string &text) {
    for (const char *start : {
             "Failed to validate against schema associated with", "Failed to validate item #",
             "Failed to validate against child schema #", "Failed to validate against additional properties schema",
             "Value type not permitted by 'type' constraint", "Failed to match against any enum values"}) {
        if (text.rfind(start, 0) == 0) {
            return true;
        }
    }
    return false;
}

static std::string told(const valijson::ValidationResults::Error &error) {
    const auto &text = error.description;
    std::string place = pointer(error.context);
    std::string message;
    if (text[0] == finished) {
        message = text.substr(1);
    } else if (text.rfind("Missing required property", 0) == 0) {
        place += "/" + escaped_step(quoted_name(text));
        message = "is missing";
    } else if (text.rfind("Object contains a property that could not be validated", 0) == 0) {
        place += "/" + escaped_step(quoted_name(text.substr(text.rfind(": ") + 1)));
        message = "is not expected";
    } else if (text.rfind("Failed to match regex", 0) == 0) {
        message = "does not match the pattern";
    } else {
        message = reworded(text);
    }
    if (place.size() > 200) {
        place = place.substr(0, 200) + "…";
    }
    return (place.empty() ? "the payload: " : "`" + place + "`: ") + message;
}

std::string explain(const valijson::ValidationResults &results) {
    std::vector<std::string> lines;
    for (bool with_repetitions : {false, true}) {
        for (const auto &error : results) {
            if (error.description.empty() || is_repetition(error.description) != with_repetitions) {
                continue;
            }
            auto line = told(error);
            std::replace_if(line.begin(), line.end(), [](char byte) { return byte >= 0 && byte < ' '; }, ' ');
            bool is_new = std::find(lines.begin(), lines.end(), line) == lines.end();
            if (is_new && lines.size() < CVALIJSON_PROBLEMS_MAX) {
                lines.push_back(line);
            }
        }
        if (!lines.empty()) {
            break;
        }
    }
    std::string text;
    for (const auto &line : lines) {
        text += (text.empty() ? "" : "\n") + line;
    }
    return text.empty() ? "the payload does not match the schema" : text;
}

}  // namespace martlet
