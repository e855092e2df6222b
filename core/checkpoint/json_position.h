// SPDX-License-Identifier: GPL-3.0-or-later
// What: an input iterator that tells how far a parser has read, so that our own refusals can name a byte position too.
#pragma once

#include <cstddef>
#include <iterator>

namespace qw::checkpoint {

struct CountingIterator {
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;
    const char* at;
    const char** seen; // one past the last character taken
    reference operator*() const { return *at; }
    CountingIterator& operator++() {
        *seen = ++at;
        return *this;
    }
    CountingIterator operator++(int) {
        const CountingIterator old = *this;
        ++*this;
        return old;
    }
    bool operator==(const CountingIterator& other) const { return at == other.at; }
    bool operator!=(const CountingIterator& other) const { return at != other.at; }
};

} // namespace qw::checkpoint
