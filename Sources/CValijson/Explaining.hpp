// Constraints beside valijson's own that say what was expected and what was found, and the wording of its messages.
#pragma once
// Without it valijson aborts the process on a bad schema.
#define VALIJSON_USE_EXCEPTIONS 1
#include <nlohmann/json.hpp>
#include <string>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/constraint_builder.hpp>
#include <valijson/constraints/concrete_constraints.hpp>
#include <valijson/validation_results.hpp>
#include <vector>

namespace martlet {

/// Stands at the beginning of a finished message.
constexpr char finished = '\x01';

/// Tells of a broken `type` or `enum`. The verdict is valijson's; this only adds to the messages.
class ExplainingConstraint : public valijson::constraints::PolyConstraint {
public:
    ExplainingConstraint(std::string keyword, nlohmann::json value)
        : keyword(std::move(keyword)), value(std::move(value)) {}

    bool validate(
        const valijson::adapters::Adapter &target, const std::vector<std::string> &context,
        valijson::ValidationResults *results) const override;

private:
    std::string keyword;
    nlohmann::json value;

    Constraint *cloneInto(void *memory) const override { return new (memory) ExplainingConstraint(*this); }
    size_t sizeOf() const override { return sizeof(ExplainingConstraint); }
};

class ExplainingBuilder : public valijson::ConstraintBuilder {
public:
    explicit ExplainingBuilder(std::string keyword) : keyword(std::move(keyword)) {}
    valijson::constraints::Constraint *make(const valijson::adapters::Adapter &node) const override;

private:
    std::string keyword;
};

/// The problems of a payload as "`/post_id`: expected integer, found string", a line each, few of them.
std::string explain(const valijson::ValidationResults &results);

}  // namespace martlet
