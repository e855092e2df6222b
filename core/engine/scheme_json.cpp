// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/scheme_json.h"

#include "config/reader.h"

namespace qw::engine {

Result<records::QatBlock> firstNativeScheme(const std::string& schemesJson) {
    const auto source = std::make_shared<const config::Source>(config::Source{"schemes of the quantized folder", {}});
    QW_TRY(const config::Node list, config::parseYaml(schemesJson, source));
    if (list.kind != config::Node::Kind::List || list.items.size() != 1 || list.items.front().kind != config::Node::Kind::Map)
        return Error{"model.format", "the quantized folder does not name exactly one scheme", "write it again with 'qatw ptq'", "", false};
    records::QatBlock block;
    config::Issues issues;
    config::readFields(list.items.front(), "", issues, [&](config::Fields& fields) { config::describe(fields, block); });
    if (!issues.empty()) return config::issuesError(std::move(issues));
    return block;
}

} // namespace qw::engine
