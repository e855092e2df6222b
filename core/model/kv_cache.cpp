// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/kv_cache.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <algorithm>

namespace qw::model {
namespace {

constexpr int64_t kFirstCapacity = 256; // tokens; doubled when full

at::Tensor grown(const at::Tensor& have, int64_t length, int64_t needed, const at::Tensor& like) {
    if (have.defined() && have.size(2) >= needed) return have;
    const int64_t before = have.defined() ? have.size(2) : kFirstCapacity / 2;
    at::Tensor out = at::empty({1, like.size(1), std::max(needed, 2 * before), like.size(3)}, like.options());
    if (length > 0) out.narrow(2, 0, length).copy_(have.narrow(2, 0, length));
    return out;
}

} // namespace

std::pair<at::Tensor, at::Tensor> KvCache::put(size_t layer, const at::Tensor& k, const at::Tensor& v) {
    if (m_keys.size() <= layer) {
        m_keys.resize(layer + 1);
        m_values.resize(layer + 1);
    }
    const int64_t added = k.size(2), all = m_length + added;
    const auto append = [&](at::Tensor& store, const at::Tensor& part) {
        store = grown(store, m_length, all, part);
        store.narrow(2, m_length, added).copy_(part);
        return store.narrow(2, 0, all);
    };
    return {append(m_keys[layer], k), append(m_values[layer], v)};
}

void KvCache::advance(const at::Tensor& ids) {
    m_ids = m_ids.defined() ? at::cat({m_ids, ids}, 1) : ids;
    m_length += ids.size(1);
}

} // namespace qw::model
