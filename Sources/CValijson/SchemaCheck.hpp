// What valijson leaves unchecked in a schema: unknown keywords, bad regular expressions, references that go in circles.
#pragma once
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace martlet {

/// A problem of the schema, with its place.
struct SchemaProblem : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class SchemaCheck {
public:
    explicit SchemaCheck(const nlohmann::json &root) : root(root) {}

    /// Throws SchemaProblem.
    void run() { check(root, ""); }

    /// Whether the schema matches regular expressions.
    bool has_patterns = false;

private:
    const nlohmann::json &root;
    /// Schemas that were seen not to lead back to themselves without descending into the payload.
    std::set<const nlohmann::json *> finite;

    void check(const nlohmann::json &schema, const std::string &place);
    void check_keyword(const std::string &keyword, const nlohmann::json &value, const std::string &place);
    void check_all(const nlohmann::json &schemas, const std::string &place);
    void check_expression(const nlohmann::json &expression, const std::string &place);
    void check_circle(
        const nlohmann::json &schema, const std::string &place, std::vector<const nlohmann::json *> &open);
    const nlohmann::json &referenced(const nlohmann::json &reference, const std::string &place) const;
};

/// A step of a JSON Pointer.
std::string escaped_step(const std::string &key);

}  // namespace martlet
