// SPDX-License-Identifier: GPL-3.0-or-later
#include "eval/scorer.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>

#include <algorithm>
#include <numeric>
#include <span>

namespace qw::eval {
namespace {

at::Tensor longs(const std::vector<int64_t>& values, at::IntArrayRef shape, at::Device device) {
    at::Tensor tensor = at::empty(shape, at::TensorOptions().dtype(at::kLong));
    std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<int64_t>());
    return tensor.to(device);
}

// Right padding with id 0: padding never reaches a scored position.
at::Tensor padded(std::span<const std::span<const int32_t>> rows, int64_t length, at::Device device) {
    std::vector<int64_t> ids(rows.size() * static_cast<size_t>(length), 0);
    for (size_t r = 0; r < rows.size(); ++r)
        std::copy(rows[r].begin(), rows[r].end(), ids.begin() + static_cast<std::ptrdiff_t>(r * static_cast<size_t>(length)));
    return longs(ids, {static_cast<int64_t>(rows.size()), length}, device);
}

// Descending length, then token ids, then position in the work: the same batches in every run.
template<class Key> std::vector<size_t> ordered(size_t count, const Key& key) {
    std::vector<size_t> order(count);
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        const Ids &x = key(a), &y = key(b);
        if (x.size() != y.size()) return x.size() > y.size();
        if (x != y) return x < y;
        return a < b;
    });
    return order;
}

// One batch's scored positions: flat rows of hidden states and the tokens they predict.
struct Targets {
    std::vector<int64_t> at, token;
    std::vector<double*> into;
    void add(int64_t position, int32_t target, double* sum) {
        at.push_back(position);
        token.push_back(target);
        into.push_back(sum);
    }
};

class Scorer {
public:
    Scorer(const model::Decoder& decoder, const BatchRules& rules, Likelihoods& sums)
        : m_decoder(decoder), m_rules(rules), m_sums(sums), m_options{false, rules.cancel} {}

    // Adds log p of each target to its sum. hidden: [positions, H].
    void add(const at::Tensor& hidden, const Targets& targets) {
        const auto count = static_cast<int64_t>(targets.at.size());
        const at::Tensor weight = m_decoder.headWeight();
        const at::Tensor rows = hidden.index_select(0, longs(targets.at, {count}, m_decoder.device()));
        const at::Tensor ids = longs(targets.token, {count, 1}, m_decoder.device());
        const int64_t budget = m_decoder.device().is_cuda() ? int64_t{1} << 26 : int64_t{1} << 20; // logits of one chunk
        const int64_t chunk = std::max<int64_t>(64, budget / weight.size(0));
        for (int64_t from = 0; from < count; from += chunk) {
            const int64_t size = std::min(chunk, count - from);
            const at::Tensor logits = at::linear(m_decoder.headInput(rows.narrow(0, from, size)), weight);
            const at::Tensor logProbs =
                at::log_softmax(logits, -1, at::kFloat).gather(1, ids.narrow(0, from, size)).to(at::kCPU).contiguous();
            const float* values = logProbs.const_data_ptr<float>();
            for (int64_t i = 0; i < size; ++i) *targets.into[static_cast<size_t>(from + i)] += static_cast<double>(values[i]);
        }
    }

    void rows(std::span<const Request* const> batch) {
        std::vector<std::span<const int32_t>> ids;
        for (const Request* request : batch) ids.emplace_back(request->input);
        const auto length = static_cast<int64_t>(batch.front()->input.size());
        const at::Tensor hidden = m_decoder.hidden({padded(ids, length, m_decoder.device()), {}}, m_options);
        Targets targets;
        for (size_t r = 0; r < batch.size(); ++r) {
            const Request& request = *batch[r];
            const int64_t first = static_cast<int64_t>(r) * length + static_cast<int64_t>(request.input.size() - request.targets.size());
            for (size_t t = 0; t < request.targets.size(); ++t)
                targets.add(first + static_cast<int64_t>(t), request.targets[t], &sum(request.item, request.part));
        }
        add(hidden.flatten(0, 1), targets);
    }

    void group(const SharedRequest& request) {
        model::Context context;
        const at::Tensor before = m_decoder.contextHidden(
            longs({request.context.begin(), request.context.end()}, {static_cast<int64_t>(request.context.size())}, m_decoder.device()),
            context, m_options);
        Targets first;
        size_t longest = 0;
        for (size_t c = 0; c < request.endings.size(); ++c) {
            first.add(context.length - 1, request.endings[c][0], &sum(request.item, static_cast<int64_t>(c)));
            longest = std::max(longest, request.endings[c].size() - 1);
        }
        add(before, first);
        if (longest == 0) return;
        std::vector<std::span<const int32_t>> ids;
        Targets rest;
        for (size_t c = 0; c < request.endings.size(); ++c) {
            const Ids& ending = request.endings[c];
            ids.emplace_back(ending.data(), ending.size() - 1);
            for (size_t t = 1; t < ending.size(); ++t)
                rest.add(static_cast<int64_t>(c * longest + t) - 1, ending[t], &sum(request.item, static_cast<int64_t>(c)));
        }
        const at::Tensor hidden =
            m_decoder.continueHidden(context, padded(ids, static_cast<int64_t>(longest), m_decoder.device()), m_options);
        add(hidden.flatten(0, 1), rest);
    }

private:
    double& sum(int64_t item, int64_t part) { return m_sums[static_cast<size_t>(item)][static_cast<size_t>(part)]; }

    const model::Decoder& m_decoder;
    const BatchRules& m_rules;
    Likelihoods& m_sums;
    model::ForwardOptions m_options;
};

} // namespace

Likelihoods scoreWork(const model::Decoder& decoder, const Work& work, const BatchRules& rules,
                      const std::function<void(int64_t, int64_t)>& done) {
    Likelihoods sums;
    for (const int64_t parts : work.parts) sums.emplace_back(static_cast<size_t>(parts), 0.0);
    Scorer scorer(decoder, rules, sums);
    for (const size_t i : ordered(work.shared.size(), [&](size_t i) -> const Ids& { return work.shared[i].context; })) {
        scorer.group(work.shared[i]);
        done(work.shared[i].item, static_cast<int64_t>(work.shared[i].endings.size()));
    }
    const std::vector<size_t> order = ordered(work.single.size(), [&](size_t i) -> const Ids& { return work.single[i].input; });
    for (size_t from = 0; from < order.size();) {
        std::vector<const Request*> batch;
        const size_t length = work.single[order[from]].input.size();
        const size_t most = rules.rowByRow ? 1 : std::max<size_t>(1, static_cast<size_t>(rules.tokens) / length);
        for (; from < order.size() && batch.size() < most; ++from) batch.push_back(&work.single[order[from]]);
        scorer.rows(batch);
        for (const Request* request : batch) done(request->item, 1);
    }
    return sums;
}

} // namespace qw::eval
