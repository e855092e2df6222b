// SPDX-License-Identifier: GPL-3.0-or-later
// What: the sheet that proves an export, as a tree: state, verdict, programs that load it, every check (ui.md 5 Export).
#pragma once

#include <QTreeWidget>

namespace qw::ui {

class ParityReport : public QTreeWidget {
    Q_OBJECT
public:
    explicit ParityReport(QWidget* parent = nullptr); // objectName parityReport; property verified
    // {"verified", "dir", "bytes", "hash", "verdict": {"fidelity", "why", "runs_on", "notes"}, "checks": [{"name", "value", "ok"}]}
    // gone: what was measured stays, but it is no longer on the disk.
    void showSheet(const QJsonObject& sheet, bool gone = false);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    QTreeWidgetItem* add(QTreeWidgetItem* parent, const QString& name, const QString& value);
};

} // namespace qw::ui
