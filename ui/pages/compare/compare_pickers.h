// SPDX-License-Identifier: GPL-3.0-or-later
// What: what is compared: study, baseline, the PTQ and QAT runs whose difference is looked at closely, one more run, swap.
#pragma once

#include "client/session.h"
#include "models/comparison.h"

#include <QWidget>

class QComboBox;
class QMenu;
class QPushButton;
class QToolButton;

namespace qw::ui {

class ComparePickers : public QWidget {
    Q_OBJECT
public:
    explicit ComparePickers(Session& session, QWidget* parent = nullptr);
    void refresh(const ComparisonPtr& comparison); // null: nothing compared yet
    [[nodiscard]] QString ptq() const { return m_ptqUid; }
    [[nodiscard]] QString qat() const { return m_qatUid; }
    void chooseStudy(const QString& uid);

Q_SIGNALS:
    void pairChanged();

private:
    QComboBox* combo(const QString& name, const QString& label, const QString& help);
    void wire();
    void fillRuns(QComboBox* box, records::RowRole role, const QString& current);
    void choosePair(const Comparison& comparison);
    void fillAddMenu();
    void include(const QString& uid);
    void swap();

    Session& m_session;
    ComparisonPtr m_comparison;
    QString m_ptqUid, m_qatUid;
    QComboBox* m_study = nullptr;
    QComboBox* m_baseline = nullptr;
    QComboBox* m_ptq = nullptr;
    QComboBox* m_qat = nullptr;
    QToolButton* m_add = nullptr;
    QPushButton* m_swap = nullptr;
    QMenu* m_addMenu = nullptr;
};

} // namespace qw::ui
