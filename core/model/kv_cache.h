// SPDX-License-Identifier: GPL-3.0-or-later
// What: keys and values of one text that grows; Decoder::extendHidden fills it.
// Limits: one row; what lies before a sliding window is kept too.
#pragma once

#include <ATen/core/Tensor.h>
#include <cstdint>
#include <utility>
#include <vector>

namespace qw::model {

class KvCache {
public:
    [[nodiscard]] int64_t length() const { return m_length; } // tokens whose keys and values are in
    // Writes k and v [1, K, S, D] of a layer behind its length() tokens; views of all of them, [1, K, length() + S, D].
    [[nodiscard]] std::pair<at::Tensor, at::Tensor> put(size_t layer, const at::Tensor& k, const at::Tensor& v);
    void advance(const at::Tensor& ids);                          // [1, S]; once every layer has put its part
    [[nodiscard]] const at::Tensor& ids() const { return m_ids; } // [1, length()]

private:
    int64_t m_length = 0;
    at::Tensor m_ids;
    std::vector<at::Tensor> m_keys, m_values; // [layer] -> [1, K, capacity, D]
};

} // namespace qw::model
