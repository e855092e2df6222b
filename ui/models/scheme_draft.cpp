// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/scheme_draft.h"

#include "checkpoint/module_plan.h"
#include "config/recipe_file.h"

#include <algorithm>

namespace qw::ui {

SchemeDraft::SchemeDraft(Session& session, QObject* parent) : QObject(parent), m_session(session) {
    m_own = session.draft.currentScheme() >= 0;
    connect(&session.draft, &RecipeDraft::changed, this, [this] {
        if (m_session.draft.currentScheme() < 0 && m_own) m_own = false, m_entry = {};
        Q_EMIT schemesChanged();
        read();
    });
    connect(&session.draft, &RecipeDraft::schemeSelected, this, [this](int index) {
        m_own = index >= 0;
        if (!m_own) m_entry = {};
        read();
    });
    read();
}

void SchemeDraft::read() {
    const auto& schemes = recipe().schemes;
    const int at = m_session.draft.currentScheme();
    if (m_own && at >= 0 && at < static_cast<int>(schemes.size())) m_entry = schemes[static_cast<size_t>(at)];
    m_reading = m_entry.name.empty() ? config::SchemeReading{} : config::readScheme(recipe(), m_entry);
    Q_EMIT changed();
}

QString SchemeDraft::name() const { return text(m_entry.name); }
QString SchemeDraft::yaml() const { return isEmpty() ? QString() : text(config::schemeYaml(m_entry)); }
records::DType SchemeDraft::type() const { return checkpoint::memberType(recipe().precision.exportDtype, recipe().precision.mode); }

void SchemeDraft::showOwn(int index) {
    if (index < 0 || index >= static_cast<int>(recipe().schemes.size())) return;
    const bool same = m_session.draft.currentScheme() == index;
    m_own = true;
    m_session.draft.selectScheme(index); // tells when it is another one
    if (same) read();
}

void SchemeDraft::showEntry(const records::SchemeEntry& entry) {
    m_own = false;
    m_entry = entry;
    read();
}

void SchemeDraft::showPreset(const QString& name) {
    if (const auto entry = config::makeScheme(utf8(name), "{preset: " + utf8(name) + "}")) showEntry(*entry);
}

void SchemeDraft::showSaved(const QString& name) {
    if (const auto entry = m_saved.read(name)) showEntry(*entry);
}

std::string SchemeDraft::freeName(const std::string& wanted, int except) const {
    const auto taken = [&](const std::string& name) {
        const auto& all = recipe().schemes;
        for (size_t i = 0; i < all.size(); ++i)
            if (static_cast<int>(i) != except && all[i].name == name) return true;
        return name == "verdict" || name == "all"; // words with a meaning of their own under export
    };
    std::string name = wanted;
    for (int n = 2; taken(name); ++n) name = wanted + "-" + std::to_string(n);
    return name;
}

void SchemeDraft::append(const QString& what, const records::SchemeEntry& entry) {
    records::SchemeEntry made = entry;
    made.name = freeName(entry.name, -1);
    m_own = true;
    m_session.draft.edit(what, [&](records::Recipe& r) { r.schemes.push_back(made); });
    m_session.draft.selectScheme(static_cast<int>(recipe().schemes.size()) - 1);
    read();
}

int SchemeDraft::add(const QString& what) {
    if (isEmpty()) return -1;
    append(what, m_entry);
    return index();
}

void SchemeDraft::edit(const QString& what, const std::function<void(records::QatBlock&)>& change, const QString& mergeKey) {
    if (isEmpty()) return;
    records::QatBlock block = m_reading.qat;
    change(block);
    if (block == m_reading.qat) return;
    const auto entry = config::withQat(recipe(), m_entry, block);
    if (!entry) return;
    if (!m_own) return append(what, *entry);
    const auto at = static_cast<size_t>(index());
    m_session.draft.edit(
        what, [&](records::Recipe& r) { r.schemes[at] = *entry; }, mergeKey);
}

void SchemeDraft::duplicate() {
    if (!isEmpty()) append(tr("duplicate %1").arg(name()), m_entry);
}

void SchemeDraft::rename(int index, const QString& name) {
    const std::string wanted = utf8(name.trimmed());
    if (wanted.empty() || index < 0 || index >= static_cast<int>(recipe().schemes.size())) return;
    const std::string free = freeName(wanted, index);
    m_session.draft.edit(tr("rename %1").arg(text(recipe().schemes[static_cast<size_t>(index)].name)),
                         [&](records::Recipe& r) { r.schemes[static_cast<size_t>(index)].name = free; });
}

void SchemeDraft::remove(int index) {
    if (index < 0 || index >= static_cast<int>(recipe().schemes.size())) return;
    m_session.draft.edit(tr("delete %1").arg(text(recipe().schemes[static_cast<size_t>(index)].name)),
                         [&](records::Recipe& r) { r.schemes.erase(r.schemes.begin() + index); });
}

Status SchemeDraft::import(const QString& yaml, const QString& fallbackName) {
    QW_TRY(const auto entry, config::parseScheme(utf8(yaml), utf8(fallbackName)));
    append(tr("import %1").arg(text(entry.name)), entry);
    return {};
}

Status SchemeDraft::saveAsPreset(const QString& name) {
    records::SchemeEntry entry = m_entry;
    entry.name = utf8(name.trimmed());
    QW_CHECK(m_saved.write(entry));
    Q_EMIT schemesChanged();
    return {};
}

Status SchemeDraft::removeSaved(const QString& name) {
    QW_CHECK(m_saved.remove(name));
    m_own = m_session.draft.currentScheme() >= 0;
    m_entry = {};
    Q_EMIT schemesChanged();
    read();
    return {};
}

} // namespace qw::ui
