// SPDX-License-Identifier: GPL-3.0-or-later
// What: one SQLite connection: prepared statements kept by their text, values bound, errors as qw::Error. Internal to core/store.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

struct sqlite3;
struct sqlite3_stmt;

namespace qw::store {

struct Blob {
    std::string_view bytes;
};
// A double that is not a number is stored as NULL, as SQLite does.
class Value {
public:
    Value(std::nullptr_t) {}
    Value(int v) : m_value(int64_t{v}) {}
    Value(int64_t v) : m_value(v) {}
    Value(bool v) : m_value(int64_t{v}) {}
    Value(double v) : m_value(v) {}
    Value(const char* v) : m_value(std::string_view(v)) {}
    Value(std::string_view v) : m_value(v) {}
    Value(const std::string& v) : m_value(std::string_view(v)) {}
    Value(Blob v) : m_value(v) {}
    template<class T> Value(const std::optional<T>& v) {
        if (v) *this = Value(*v);
    }
    [[nodiscard]] const auto& get() const { return m_value; }

private:
    std::variant<std::monostate, int64_t, double, std::string_view, Blob> m_value;
};

class Row {
public:
    explicit Row(sqlite3_stmt* statement) : m_statement(statement) {}
    [[nodiscard]] bool isNull(int column) const;
    [[nodiscard]] int64_t integer(int column) const;
    [[nodiscard]] double real(int column) const; // NULL: not a number
    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] std::string_view blob(int column) const; // valid inside the callback

private:
    sqlite3_stmt* m_statement;
};

class Database {
public:
    Database() = default;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database();

    // immutable: nothing beside the file is made or looked at; for folders that cannot be written.
    [[nodiscard]] Status open(const std::filesystem::path& file, bool readOnly, bool immutable = false);
    void close();
    [[nodiscard]] bool isOpen() const { return m_db != nullptr; }
    [[nodiscard]] sqlite3* handle() const { return m_db; }

    [[nodiscard]] Status script(const std::string& sql); // several statements of ours
    [[nodiscard]] Status run(const char* sql, std::initializer_list<Value> values = {});
    [[nodiscard]] Status query(const char* sql, std::initializer_list<Value> values, const std::function<void(const Row&)>& each);
    [[nodiscard]] Result<std::optional<int64_t>> integer(const char* sql, std::initializer_list<Value> values = {});
    [[nodiscard]] Result<std::string> text(const char* sql, std::initializer_list<Value> values = {}); // empty without a row
    [[nodiscard]] int64_t lastId() const;
    [[nodiscard]] int changes() const;
    [[nodiscard]] Error error(int code) const; // of the last failed call

private:
    [[nodiscard]] Result<sqlite3_stmt*> prepared(const char* sql);
    [[nodiscard]] Status bind(sqlite3_stmt* statement, std::initializer_list<Value> values);

    sqlite3* m_db = nullptr;
    std::filesystem::path m_file;
    std::map<std::string, sqlite3_stmt*, std::less<>> m_statements;
};

// BEGIN IMMEDIATE, and ROLLBACK unless committed.
class Transaction {
public:
    explicit Transaction(Database& db) : m_db(db) {}
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    [[nodiscard]] Status begin();
    [[nodiscard]] Status commit();

private:
    Database& m_db;
    bool m_open = false;
};

} // namespace qw::store
