// SPDX-License-Identifier: GPL-3.0-or-later
// What: value or error. Every function that can fail on input, disk or a process returns one of these.
#pragma once

#include "base/error.h"

#include <optional>
#include <utility>
#include <variant>

namespace qw {

template<class T> class [[nodiscard]] Result {
public:
    Result(T value) : m_state(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : m_state(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return m_state.index() == 0; }
    [[nodiscard]] bool ok() const { return m_state.index() == 0; }
    T& operator*() & { return std::get<0>(m_state); }
    const T& operator*() const& { return std::get<0>(m_state); }
    T&& operator*() && { return std::get<0>(std::move(m_state)); }
    T* operator->() { return &std::get<0>(m_state); }
    const T* operator->() const { return &std::get<0>(m_state); }
    Error& error() & { return std::get<1>(m_state); }
    const Error& error() const& { return std::get<1>(m_state); }
    Error&& error() && { return std::get<1>(std::move(m_state)); }

private:
    std::variant<T, Error> m_state;
};

template<> class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : m_error(std::move(error)) {}

    explicit operator bool() const { return !m_error; }
    [[nodiscard]] bool ok() const { return !m_error; }
    Error& error() & { return *m_error; }
    const Error& error() const& { return *m_error; }
    Error&& error() && { return std::move(*m_error); }

private:
    std::optional<Error> m_error;
};

using Status = Result<void>;

} // namespace qw

#define QW_CONCAT_(a, b) a##b
#define QW_CONCAT(a, b) QW_CONCAT_(a, b)
// QW_TRY(auto value, call());  declares value, or returns the error of call().
#define QW_TRY(declaration, ...) QW_TRY_(QW_CONCAT(qwResult, __LINE__), declaration, __VA_ARGS__)
#define QW_TRY_(temporary, declaration, ...)                                                                                               \
    auto temporary = (__VA_ARGS__);                                                                                                        \
    if (!temporary) return std::move(temporary).error();                                                                                   \
    declaration = *std::move(temporary)
// QW_CHECK(call());  returns the error of call(), if any.
#define QW_CHECK(...)                                                                                                                      \
    do {                                                                                                                                   \
        if (auto qwStatus = (__VA_ARGS__); !qwStatus) return std::move(qwStatus).error();                                                  \
    } while (false)
