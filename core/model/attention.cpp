// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bitwise_and.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <algorithm>

namespace qw::model {
namespace {

// A dense [S, S] mask is allowed up to here; longer packs go document by document (training.md 2.3).
constexpr int64_t kDenseMaskLength = 1024;

at::Tensor repeatHeads(const at::Tensor& x, int64_t heads) {
    const int64_t have = x.size(1);
    if (have == heads) return x;
    const int64_t times = heads / have;
    return x.unsqueeze(2).expand({x.size(0), have, times, x.size(2), x.size(3)}).reshape({x.size(0), heads, x.size(2), x.size(3)});
}

} // namespace

AttentionPlan::AttentionPlan(int64_t rows, int64_t length, const std::vector<std::vector<int64_t>>& starts, at::Device device)
    : m_rows(rows), m_length(length), m_device(device) {
    const bool packed = std::ranges::any_of(starts, [](const auto& row) { return row.size() > 1; });
    if (!packed) return;
    m_starts = starts;
    at::Tensor document = at::empty({rows, length}, at::TensorOptions().dtype(at::kLong));
    auto* data = document.mutable_data_ptr<int64_t>();
    for (int64_t r = 0; r < rows; ++r) {
        const auto& row = starts[static_cast<size_t>(r)];
        for (size_t d = 0; d < row.size(); ++d) {
            const int64_t end = d + 1 < row.size() ? row[d + 1] : length;
            std::fill(data + r * length + row[d], data + r * length + end, row[d]);
        }
    }
    m_document = document.to(device);
}

AttentionPlan::AttentionPlan(const std::vector<int64_t>& contextLengths, int64_t padded, int64_t length, at::Device device)
    : m_rows(static_cast<int64_t>(contextLengths.size())),
      m_length(length),
      m_context(padded),
      m_longestContext(*std::ranges::max_element(contextLengths)),
      m_device(device) {
    at::Tensor lengths = at::empty({m_rows, 1}, at::TensorOptions().dtype(at::kLong));
    std::ranges::copy(contextLengths, lengths.mutable_data_ptr<int64_t>());
    m_contextLengths = lengths.to(device);
}

AttentionPlan AttentionPlan::cached(int64_t before, int64_t length, at::Device device) {
    if (before == 0) return {1, length, {}, device};
    AttentionPlan plan({before}, before, length, device);
    plan.m_newest = length == 1;
    return plan;
}

at::Tensor AttentionPlan::positions() const {
    const at::Tensor count = at::arange(m_length, at::TensorOptions().dtype(at::kLong).device(m_device)).unsqueeze(0);
    if (m_contextLengths.defined()) return count + m_contextLengths;
    return m_document.defined() ? count - m_document : count;
}

int64_t AttentionPlan::lastPosition() const {
    if (m_starts.empty()) return m_longestContext + m_length;
    int64_t longest = 0;
    for (const auto& row : m_starts)
        for (size_t d = 0; d < row.size(); ++d) longest = std::max(longest, (d + 1 < row.size() ? row[d + 1] : m_length) - row[d]);
    return longest;
}

// [R, 1, S, T + S]: the real tokens of the context, then the ending itself, causally.
at::Tensor AttentionPlan::endingMask(int64_t window) const {
    const auto options = at::TensorOptions().dtype(at::kLong).device(m_device);
    const at::Tensor before = at::arange(m_context, options).unsqueeze(0);
    const at::Tensor query = positions();                                                        // [R, S]
    const at::Tensor key = at::cat({before.expand({m_rows, m_context}), query}, 1).unsqueeze(1); // [R, 1, T + S]
    const at::Tensor real = at::cat({before < m_contextLengths, query >= 0}, 1).unsqueeze(1);
    at::Tensor visible = at::bitwise_and(real, key <= query.unsqueeze(2));
    if (window > 0) visible = at::bitwise_and(visible, key > query.unsqueeze(2) - window);
    return visible.unsqueeze(1);
}

at::Tensor AttentionPlan::mask(int64_t window) {
    const bool windowCuts = window > 0 && m_longestContext + m_length > window;
    if (!windowCuts && !m_contextLengths.defined() && !m_document.defined()) return {};
    const int64_t key = windowCuts ? window : 0;
    if (const auto found = m_masks.find(key); found != m_masks.end()) return found->second;
    if (m_contextLengths.defined()) return m_masks[key] = endingMask(key);
    const auto options = at::TensorOptions().dtype(at::kLong).device(m_device);
    const at::Tensor query = at::arange(m_length, options).unsqueeze(1);
    const at::Tensor target = at::arange(m_length, options).unsqueeze(0);
    at::Tensor visible = target <= query;
    if (windowCuts) visible = at::bitwise_and(visible, target > query - window);
    if (m_document.defined())
        visible = at::bitwise_and(visible.unsqueeze(0), m_document.unsqueeze(2) == m_document.unsqueeze(1)).unsqueeze(1);
    return m_masks[key] = visible;
}

at::Tensor AttentionPlan::attendSpans(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale) const {
    std::vector<at::Tensor> rows;
    for (int64_t r = 0; r < m_rows; ++r) {
        const auto& starts = m_starts[static_cast<size_t>(r)];
        std::vector<at::Tensor> spans;
        for (size_t d = 0; d < starts.size(); ++d) {
            const int64_t begin = starts[d], size = (d + 1 < starts.size() ? starts[d + 1] : m_length) - begin;
            const auto cut = [&](const at::Tensor& x) { return x.narrow(0, r, 1).narrow(2, begin, size); };
            spans.push_back(at::scaled_dot_product_attention(cut(q), cut(k), cut(v), {}, 0.0, true, scale));
        }
        rows.push_back(at::cat(spans, 2));
    }
    return at::cat(rows, 0);
}

// The newest token sees all keys of its window: no mask, and the queries that share a key head are the rows of one product.
at::Tensor AttentionPlan::attendNewest(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t window, double scale) {
    const int64_t length = k.size(2), seen = window > 0 ? std::min(window, length) : length;
    const at::Tensor grouped = q.reshape({1, k.size(1), q.size(1) / k.size(1), q.size(3)});
    const auto newest = [&](const at::Tensor& x) { return x.narrow(2, length - seen, seen); };
    return at::scaled_dot_product_attention(grouped, newest(k), newest(v), {}, 0.0, false, scale).reshape(q.sizes());
}

at::Tensor AttentionPlan::attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t window, double scale) {
    if (m_newest) return attendNewest(q, k, v, window, scale);
    const at::Tensor keys = repeatHeads(k, q.size(1)), values = repeatHeads(v, q.size(1));
    const bool windowCuts = window > 0 && m_length > window;
    if (m_document.defined() && m_length > kDenseMaskLength && !windowCuts) return attendSpans(q, keys, values, scale);
    const at::Tensor visible = mask(window);
    if (!visible.defined()) return at::scaled_dot_product_attention(q, keys, values, {}, 0.0, true, scale);
    return at::scaled_dot_product_attention(q, keys, values, visible, 0.0, false, scale);
}

} // namespace qw::model
