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

    // Contexts of one batch, then their endings by length; the first token of an ending is predicted by its context's last.
    void contexts(std::span<const SharedRequest* const> batch) {
        std::vector<std::span<const int32_t>> ids;
        std::vector<int64_t> lengths;
        std::vector<Ending> endings;
        Targets first;
        const auto longest = static_cast<int64_t>(batch.front()->context.size());
        for (size_t b = 0; b < batch.size(); ++b) {
            const SharedRequest& request = *batch[b];
            ids.emplace_back(request.context);
            lengths.push_back(static_cast<int64_t>(request.context.size()));
            for (size_t c = 0; c < request.endings.size(); ++c) {
                double* into = &sum(request.item, static_cast<int64_t>(c));
                first.add(static_cast<int64_t>(b) * longest + lengths.back() - 1, request.endings[c][0], into);
                if (request.endings[c].size() > 1) endings.push_back({static_cast<int64_t>(b), request.endings[c], into});
            }
        }
        model::Context context;
        add(m_decoder.contextHidden(padded(ids, longest, m_decoder.device()), lengths, context, m_options).flatten(0, 1), first);
        std::stable_sort(endings.begin(), endings.end(), [](const Ending& a, const Ending& b) { return a.ids.size() > b.ids.size(); });
        for (size_t from = 0; from < endings.size();) {
            const auto length = static_cast<int64_t>(endings[from].ids.size()) - 1;
            // Each ending also carries its context's keys and values, which cost memory though no arithmetic in the linears.
            const int64_t most = std::max<int64_t>(1, std::min(m_rules.tokens / length, 2 * m_rules.tokens / (length + longest)));
            const size_t size = std::min(endings.size() - from, static_cast<size_t>(most));
            continued(context, std::span(endings).subspan(from, size), length);
            from += size;
        }
    }

private:
    struct Ending {
        int64_t owner = 0;
        std::span<const int32_t> ids;
        double* into = nullptr;
    };

    void continued(const model::Context& context, std::span<const Ending> endings, int64_t length) {
        std::vector<std::span<const int32_t>> ids;
        std::vector<int64_t> owner;
        Targets targets;
        for (size_t e = 0; e < endings.size(); ++e) {
            const Ending& ending = endings[e];
            ids.push_back(ending.ids.first(ending.ids.size() - 1));
            owner.push_back(ending.owner);
            for (size_t t = 1; t < ending.ids.size(); ++t)
                targets.add(static_cast<int64_t>(e) * length + static_cast<int64_t>(t) - 1, ending.ids[t], ending.into);
        }
        add(m_decoder.continueHidden(context, owner, padded(ids, length, m_decoder.device()), m_options).flatten(0, 1), targets);
    }

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
    const auto batches = [&](const auto& requests, const auto& ids, const auto& run, const auto& parts) {
        const std::vector<size_t> order = ordered(requests.size(), [&](size_t i) -> const Ids& { return ids(requests[i]); });
        for (size_t from = 0; from < order.size();) {
            std::vector<decltype(&requests[0])> batch;
            const size_t length = ids(requests[order[from]]).size();
            const size_t most = rules.rowByRow ? 1 : std::max<size_t>(1, static_cast<size_t>(rules.tokens) / length);
            for (; from < order.size() && batch.size() < most; ++from) batch.push_back(&requests[order[from]]);
            run(batch);
            for (const auto* request : batch) done(request->item, parts(*request));
        }
    };
    batches(
        work.shared, [](const SharedRequest& r) -> const Ids& { return r.context; }, [&](const auto& batch) { scorer.contexts(batch); },
        [](const SharedRequest& r) { return static_cast<int64_t>(r.endings.size()); });
    batches(
        work.single, [](const Request& r) -> const Ids& { return r.input; }, [&](const auto& batch) { scorer.rows(batch); },
        [](const Request&) { return int64_t{1}; });
    return sums;
}

} // namespace qw::eval
