// SPDX-License-Identifier: GPL-3.0-or-later
// What: every key of a recipe, described once; the reader and the writer both walk these descriptions.
// Limits: an allowed value list, range or neutral value stands beside its key and nowhere else.
#pragma once

#include "records/recipe.h"

#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>

namespace qw::config {

using Words = std::initializer_list<const char*>;
constexpr int64_t kMaxInteger = int64_t{1} << 53; // what every JSON reader keeps exactly
constexpr double kNoLimit = std::numeric_limits<double>::max();

class Fields {
public:
    virtual ~Fields() = default;
    virtual bool writing() const = 0;
    virtual bool given(const char* key) const = 0;  // reading: the key is there (null counts); writing: always
    virtual bool isNull(const char* key) const = 0; // reading: the key is there and null
    virtual void problem(const char* key, const std::string& what) = 0;

    virtual void text(const char* key, std::string& value) = 0;
    virtual void path(const char* key, std::string& value) = 0; // absolute after reading
    // refused: words that pages name and this build does not do; they get a sentence of their own.
    virtual void choice(const char* key, std::string& value, Words allowed, Words refused = {}) = 0;
    virtual void flag(const char* key, bool& value) = 0;
    virtual void flag(const char* key, std::optional<bool>& value) = 0;
    virtual void integer(const char* key, int64_t& value, int64_t least, int64_t most = kMaxInteger) = 0;
    virtual void integer(const char* key, std::optional<int64_t>& value, int64_t least) = 0;
    virtual void autoInteger(const char* key, int64_t& value) = 0; // "auto" is 0
    virtual void real(const char* key, double& value, double least, double most = kNoLimit) = 0;
    virtual void real(const char* key, std::optional<double>& value, double least, bool infinityToo) = 0;
    virtual void pair(const char* key, std::array<double, 2>& value, double least, double most) = 0;
    virtual void texts(const char* key, std::vector<std::string>& value) = 0;
    virtual void choices(const char* key, std::vector<std::string>& value, Words allowed, Words refused) = 0;
    virtual void seeds(const char* key, std::vector<uint64_t>& value) = 0;
    // A key whose only value is the neutral one (shown as its JSON text); anything else is not supported.
    virtual void neutral(const char* key, Words allowed) = 0;
    virtual void null(const char* key) = 0;                                            // writing: null; reading: the key is known
    virtual void group(const char* key, const std::function<void(Fields&)>& body) = 0; // a map; null leaves all defaults
    virtual void list(const char* key, size_t count, const std::function<void(size_t)>& resize,
                      const std::function<void(Fields&, size_t)>& item) = 0;
};

void describe(Fields& f, records::QuantBlock& block, records::Role role, bool fresh);
void describe(Fields& f, records::QatBlock& block);
void describe(Fields& f, records::TrainBlock& block);
void describe(Fields& f, records::OptimBlock& block);
void describe(Fields& f, records::ScheduleBlock& block);
// Everything but `recipe`, `preset` and `schemes`, which the file reader handles.
void describe(Fields& f, records::Recipe& recipe);
// Keys that only a scheme entry has besides those of QatBlock: name, train, optim, schedule.
void describeScheme(Fields& f, std::string& name, records::QatBlock& qat, records::Recipe& overrides);

} // namespace qw::config
