// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/database.h"

#include <limits>
#include <sqlite3.h>

namespace qw::store {

bool Row::isNull(int column) const { return sqlite3_column_type(m_statement, column) == SQLITE_NULL; }
int64_t Row::integer(int column) const { return sqlite3_column_int64(m_statement, column); }
double Row::real(int column) const {
    return isNull(column) ? std::numeric_limits<double>::quiet_NaN() : sqlite3_column_double(m_statement, column);
}
std::string Row::text(int column) const {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(m_statement, column));
    return text ? std::string(text, static_cast<size_t>(sqlite3_column_bytes(m_statement, column))) : std::string();
}
std::string_view Row::blob(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(m_statement, column));
    return bytes ? std::string_view(bytes, static_cast<size_t>(sqlite3_column_bytes(m_statement, column))) : std::string_view();
}

Database::~Database() { close(); }

void Database::close() {
    for (const auto& [sql, statement] : m_statements) sqlite3_finalize(statement);
    m_statements.clear();
    if (m_db) sqlite3_close_v2(m_db);
    m_db = nullptr;
}

Status Database::open(const std::filesystem::path& file, bool readOnly, bool immutable) {
    m_file = file;
    std::string name = file.string();
    if (immutable) {
        name = "file:";
        for (const char c : file.string()) // the characters that mean something in a URI
            name += c == '?' ? "%3f" : c == '#' ? "%23" : c == '%' ? "%25" : std::string(1, c);
        name += "?immutable=1";
    }
    const int flags = (readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | (immutable ? SQLITE_OPEN_URI : 0) |
                      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (const int code = sqlite3_open_v2(name.c_str(), &m_db, flags, nullptr); code != SQLITE_OK) {
        Error e = error(code);
        close();
        return e;
    }
    return {};
}

Error Database::error(int code) const {
    const std::string what = m_file.string() + ": " + (m_db ? sqlite3_errmsg(m_db) : sqlite3_errstr(code));
    switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return {"store.locked", what, "another program is writing to the project; try again when it is done", {}, true};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return {"store.corrupt", what, "run 'qatw store rebuild': it makes the store again from the run folders", {}, false};
    case SQLITE_FULL:
        return {"disk.full", what, "free some space and try again", {}, true};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
        return {"file.permission", what, "the project folder must exist and be writable; choose another with --project", {}, false};
    case SQLITE_IOERR:
        return {"file.io", what, "check the disk that holds the project", {}, false};
    default:
        return {"engine.internal", what, {}, {}, false};
    }
}

Status Database::script(const std::string& sql) {
    if (const int code = sqlite3_exec(m_db, sql.c_str(), nullptr, nullptr, nullptr); code != SQLITE_OK) return error(code);
    return {};
}

Result<sqlite3_stmt*> Database::prepared(const char* sql) {
    if (const auto found = m_statements.find(std::string_view(sql)); found != m_statements.end()) return found->second;
    sqlite3_stmt* statement = nullptr;
    if (const int code = sqlite3_prepare_v3(m_db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr); code != SQLITE_OK)
        return error(code);
    m_statements.emplace(sql, statement);
    return statement;
}

Status Database::bind(sqlite3_stmt* statement, std::initializer_list<Value> values) {
    int index = 0;
    for (const Value& value : values) {
        ++index;
        const int code = std::visit(
            [&](const auto& v) {
                using T = std::decay_t<decltype(v)>;
                if constexpr (std::is_same_v<T, int64_t>)
                    return sqlite3_bind_int64(statement, index, v);
                else if constexpr (std::is_same_v<T, double>)
                    return sqlite3_bind_double(statement, index, v);
                else if constexpr (std::is_same_v<T, std::string_view>)
                    return sqlite3_bind_text64(statement, index, v.data() ? v.data() : "", v.size(), SQLITE_STATIC, SQLITE_UTF8);
                else if constexpr (std::is_same_v<T, Blob>)
                    return sqlite3_bind_blob64(statement, index, v.bytes.data() ? v.bytes.data() : "", v.bytes.size(), SQLITE_STATIC);
                else
                    return sqlite3_bind_null(statement, index);
            },
            value.get());
        if (code != SQLITE_OK) return error(code);
    }
    return {};
}

Status Database::query(const char* sql, std::initializer_list<Value> values, const std::function<void(const Row&)>& each) {
    QW_TRY(sqlite3_stmt * statement, prepared(sql));
    // Values point into the caller's strings, so nothing may stay bound.
    struct Done {
        sqlite3_stmt* statement;
        ~Done() {
            sqlite3_reset(statement);
            sqlite3_clear_bindings(statement);
        }
    } done{statement};
    QW_CHECK(bind(statement, values));
    for (;;) {
        const int code = sqlite3_step(statement);
        if (code == SQLITE_DONE) return {};
        if (code != SQLITE_ROW) return error(code);
        if (each) each(Row(statement));
    }
}

Status Database::run(const char* sql, std::initializer_list<Value> values) { return query(sql, values, {}); }

Result<std::optional<int64_t>> Database::integer(const char* sql, std::initializer_list<Value> values) {
    std::optional<int64_t> value;
    QW_CHECK(query(sql, values, [&](const Row& row) {
        if (!row.isNull(0)) value = row.integer(0);
    }));
    return value;
}

Result<std::string> Database::text(const char* sql, std::initializer_list<Value> values) {
    std::string value;
    QW_CHECK(query(sql, values, [&](const Row& row) { value = row.text(0); }));
    return value;
}

int64_t Database::lastId() const { return sqlite3_last_insert_rowid(m_db); }
int Database::changes() const { return sqlite3_changes(m_db); }

Transaction::~Transaction() {
    if (m_open) static_cast<void>(m_db.run("ROLLBACK")); // on an error SQLite may have rolled back already
}
Status Transaction::begin() {
    QW_CHECK(m_db.run("BEGIN IMMEDIATE"));
    m_open = true;
    return {};
}
Status Transaction::commit() {
    QW_CHECK(m_db.run("COMMIT"));
    m_open = false;
    return {};
}

} // namespace qw::store
