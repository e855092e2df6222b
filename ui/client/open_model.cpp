// SPDX-License-Identifier: GPL-3.0-or-later
#include "client/open_model.h"

#include "client/project.h"

#include <QDir>
#include <QFileInfo>

namespace qw::ui {

QString OpenModel::whyNot(const QString& folder) {
    const QFileInfo info(folder);
    if (!info.exists()) return tr("%1 does not exist").arg(folder);
    if (!info.isDir()) return tr("%1 is not a folder").arg(info.fileName());
    const QDir dir(folder);
    if (!dir.exists(QStringLiteral("config.json"))) return tr("no config.json here");
    if (dir.entryList({QStringLiteral("*.safetensors")}, QDir::Files).isEmpty()) return tr("no *.safetensors here");
    return {};
}

void OpenModel::open(const QString& folder) {
    m_folder = QDir::cleanPath(folder);
    m_state = State::Loading;
    Q_EMIT changed();
    m_worker.request<Result<checkpoint::Inspection>>(
        QStringLiteral("open"), [dir = utf8(m_folder)](const CancelFlag&) { return checkpoint::inspectFolder(dir, false); }, this,
        [this](Result<checkpoint::Inspection> got) {
            m_inspection.reset();
            if (got)
                m_inspection = std::make_shared<const checkpoint::Inspection>(*std::move(got));
            else
                m_error = got.error();
            m_state = m_inspection ? State::Ready : State::Failed;
            Q_EMIT changed();
        });
}

void OpenModel::close() {
    m_worker.cancel(QStringLiteral("open"));
    m_inspection.reset();
    m_folder.clear();
    m_state = State::None;
    Q_EMIT changed();
}

} // namespace qw::ui
