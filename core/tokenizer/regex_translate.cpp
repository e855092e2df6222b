// SPDX-License-Identifier: GPL-3.0-or-later
#include "tokenizer/regex.h"

#include <cctype>
#include <optional>

namespace qw::tokenizer {
namespace {

// \w of Oniguruma in Unicode; PCRE2's own lacks marks and connector punctuation.
constexpr std::string_view kWord = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
constexpr size_t kMaxPattern = 16 * 1024;

class Translator {
public:
    Translator(std::string_view in, std::vector<std::string>& warnings) : m_in(in), m_warnings(warnings) {}

    Result<std::string> run() {
        if (m_in.size() > kMaxPattern) return refuse("a pattern of more than 16 KiB");
        while (m_i < m_in.size())
            if (!step()) return refuse(m_reason);
        return std::move(m_out);
    }

private:
    Error refuse(const std::string& what) const {
        return {"tokenizer.unsupported",
                "regular expression '" + std::string(m_in.substr(0, 200)) + "' at offset " + std::to_string(m_i) + ": " + what +
                    " is not supported, because engines disagree about it",
                {},
                {},
                false};
    }
    bool no(std::string reason) {
        m_reason = std::move(reason);
        return false;
    }
    char at(size_t i) const { return i < m_in.size() ? m_in[i] : '\0'; }
    void atom(size_t start, bool single) {
        m_atom = start;
        m_single = single;
    }

    bool step() {
        const char c = m_in[m_i];
        switch (c) {
        case '\\': {
            const size_t start = m_out.size();
            if (!escape(false)) return false;
            atom(start, true);
            return true;
        }
        case '[': {
            const size_t start = m_out.size();
            if (!charClass()) return false;
            atom(start, true);
            return true;
        }
        case '(':
            return openGroup();
        case ')':
            m_out += c;
            ++m_i;
            if (!m_groups.empty()) {
                atom(m_groups.back(), false);
                m_groups.pop_back();
            } else
                m_atom.reset();
            return true;
        case '{':
            return counted();
        case '*':
        case '+':
        case '?':
        case '|':
        case '^':
        case '$':
            m_out += c;
            ++m_i;
            if (c == '|' || c == '^' || c == '$') m_atom.reset();
            return true;
        default:
            break;
        }
        const size_t start = m_out.size();
        do m_out += m_in[m_i++];
        while (m_i < m_in.size() && (static_cast<uint8_t>(m_in[m_i]) & 0xC0) == 0x80);
        atom(start, true);
        return true;
    }

    bool openGroup() {
        if (at(m_i + 1) == '*') return no("'(*'");
        m_groups.push_back(m_out.size());
        m_atom.reset();
        if (at(m_i + 1) != '?') {
            m_out += m_in[m_i++];
            return true;
        }
        for (const std::string_view known : {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!", "(?i:", "(?-i:", "(?i)"})
            if (m_in.substr(m_i).starts_with(known) && (known != "(?i)" || m_i == 0)) {
                m_out += known;
                m_i += known.size();
                if (known == "(?i)") m_groups.pop_back();
                return true;
            }
        return no("group '" + std::string(m_in.substr(m_i, 4)) + "'");
    }

    // X{n,m}+ repeats the repeat in Oniguruma, is possessive in PCRE2.
    bool counted() {
        const size_t close = m_in.find('}', m_i);
        const std::string_view body = close == std::string_view::npos ? std::string_view() : m_in.substr(m_i + 1, close - m_i - 1);
        bool number = !body.empty() && std::isdigit(static_cast<unsigned char>(body[0]));
        for (const char c : body) number = number && (std::isdigit(static_cast<unsigned char>(c)) || c == ',');
        if (!number || !m_atom) return no("'{' outside a counted repeat");
        const bool again = at(close + 1) == '+';
        if (!again) {
            if (at(close + 1) == '?' && body.find(',') == std::string_view::npos) return no("'{n}?'");
            m_out += m_in.substr(m_i, close + 1 - m_i);
            m_i = close + 1;
            return true;
        }
        m_warnings.push_back("'{" + std::string(body) + "}+' is a repeat of a repeat, as in tokenizers, not a possessive one");
        const std::string_view low = body.substr(0, body.find(','));
        // For a single character (X{1,m})+ is X+ and (X{0,m})+ is X*, without a stack frame a round.
        if (m_single && low == "1" && body != "1,0")
            m_out += '+';
        else if (m_single && low == "0" && body != "0" && body != "0,0")
            m_out += '*';
        else {
            m_out.insert(*m_atom, "(?:");
            m_out += m_in.substr(m_i, close + 1 - m_i);
            m_out += ")+";
        }
        m_i = close + 2;
        m_atom.reset();
        return true;
    }

    bool escape(bool inClass) {
        const char c = at(m_i + 1);
        switch (c) {
        case '\0':
            return no("a backslash at the end");
        case 's':
        case 'S':
            m_out += c == 's' ? "\\p{White_Space}" : "\\P{White_Space}";
            m_i += 2;
            return true;
        case 'w':
        case 'W':
            if (inClass && c == 'W') return no("'\\W' inside a class");
            if (inClass)
                m_out += kWord;
            else
                m_out += (c == 'w' ? "[" : "[^") + std::string(kWord) + "]";
            m_i += 2;
            return true;
        case 'p':
        case 'P': {
            const size_t close = at(m_i + 2) == '{' ? m_in.find('}', m_i) : std::string_view::npos;
            if (close == std::string_view::npos) return no(std::string("'\\") + c + "' without braces");
            m_out += m_in.substr(m_i, close + 1 - m_i);
            m_i = close + 1;
            return true;
        }
        case 'x': {
            const size_t close = at(m_i + 2) == '{' ? m_in.find('}', m_i) : m_i + 3;
            if (close == std::string_view::npos || close >= m_in.size()) return no("'\\x'");
            m_out += m_in.substr(m_i, close + 1 - m_i);
            m_i = close + 1;
            return true;
        }
        default:
            break;
        }
        const bool letterOrDigit = std::isalnum(static_cast<unsigned char>(c)) != 0;
        const bool known = std::string_view("dDnrtfv").find(c) != std::string_view::npos || (!inClass && (c == 'A' || c == 'z'));
        if (static_cast<uint8_t>(c) >= 0x80 || (letterOrDigit && !known)) return no(std::string("'\\") + c + "'");
        if (c == 'v')
            m_out += "\\x0b"; // PCRE2's \v is all vertical space
        else
            m_out += m_in.substr(m_i, 2);
        m_i += 2;
        return true;
    }

    bool charClass() {
        m_out += m_in[m_i++];
        if (at(m_i) == '^') m_out += m_in[m_i++];
        if (at(m_i) == ']') return no("']' as first of a class");
        while (m_i < m_in.size() && m_in[m_i] != ']') {
            const char c = m_in[m_i];
            if (c == '[') return no("'[' inside a class");
            if (c == '&' && at(m_i + 1) == '&') return no("'&&' in a class");
            if (c == '\\') {
                if (!escape(true)) return false;
            } else {
                m_out += c;
                ++m_i;
            }
        }
        if (m_i >= m_in.size()) return no("a class without end");
        m_out += m_in[m_i++];
        return true;
    }

    std::string_view m_in;
    std::vector<std::string>& m_warnings;
    size_t m_i = 0;
    std::string m_out, m_reason;
    std::optional<size_t> m_atom; // where the last atom starts in m_out
    bool m_single = false;        // it is one character
    std::vector<size_t> m_groups; // where open groups start in m_out
};

} // namespace

Result<std::string> translateRegex(std::string_view oniguruma, std::vector<std::string>& warnings) {
    return Translator(oniguruma, warnings).run();
}

} // namespace qw::tokenizer
