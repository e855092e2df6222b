// SPDX-License-Identifier: GPL-3.0-or-later
// What: who may look at whom (causal, sliding window, documents in a pack, endings after a context, a growing text), and the attention
// itself.
#pragma once

#include <ATen/core/Tensor.h>
#include <cstdint>
#include <map>
#include <vector>

namespace qw::model {

// The plan of one forward pass; masks are made once per window width and shared by layers.
class AttentionPlan {
public:
    // Rows of length S. starts as in Rows.
    AttentionPlan(int64_t rows, int64_t length, const std::vector<std::vector<int64_t>>& starts, at::Device device);
    // One row per ending, of length S, behind a context of its own length, padded on the right to T.
    AttentionPlan(const std::vector<int64_t>& contextLengths, int64_t padded, int64_t length, at::Device device);
    // One row of length S behind `before` cached tokens of the same text.
    [[nodiscard]] static AttentionPlan cached(int64_t before, int64_t length, at::Device device);

    [[nodiscard]] at::Tensor positions() const; // int64 [R or 1, S]
    [[nodiscard]] int64_t lastPosition() const; // highest position + 1
    // q [R, A, S, D], k and v [R, K, T, D]; window 0 = none; returns [R, A, S, D].
    [[nodiscard]] at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t window, double scale);

private:
    [[nodiscard]] at::Tensor mask(int64_t window); // bool, true = visible; undefined = plain causal
    [[nodiscard]] at::Tensor endingMask(int64_t window) const;
    [[nodiscard]] at::Tensor attendSpans(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale) const;
    [[nodiscard]] static at::Tensor attendNewest(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t window,
                                                 double scale);

    int64_t m_rows = 1, m_length = 0;
    int64_t m_context = 0; // T
    int64_t m_longestContext = 0;
    bool m_newest = false;                      // one token behind a cache
    at::Tensor m_contextLengths;                // int64 [R, 1]; undefined without contexts
    std::vector<std::vector<int64_t>> m_starts; // empty: one document a row
    at::Device m_device;
    at::Tensor m_document; // int64 [R, S]: start of each token's document
    std::map<int64_t, at::Tensor> m_masks;
};

} // namespace qw::model
