// SPDX-License-Identifier: GPL-3.0-or-later
// What: the fields of a scheme. Shows a block, and asks for edits; it keeps nothing itself.
#pragma once

#include "models/scheme_facts.h"
#include "pages/scheme/scheme_fields.h"

#include <QWidget>

class QComboBox;
class QFormLayout;
class QFrame;
class QLabel;
class QPushButton;
class QSlider;
class QSpinBox;

namespace qw::ui {

class SchemeForm : public QWidget {
    Q_OBJECT
public:
    using Change = std::function<void(records::QatBlock&)>;
    explicit SchemeForm(QWidget* parent = nullptr);

    // widest: columns of the widest layer, for the group slider.
    void show(const records::QatBlock& block, const SchemeFacts& facts, int64_t widest);
    using QWidget::show;
    // What stands in the way, at the top; fixable: the button can repair it. Empty: nothing.
    void showConflict(const QString& code, const QString& words, bool fixable);

Q_SIGNALS:
    void editWanted(const QString& what, const qw::ui::SchemeForm::Change& change, const QString& mergeKey);
    void fixWanted();

private:
    QWidget* buildConflict();
    void buildWeights(QFormLayout* form);
    void buildTraining(QFormLayout* form);
    void addChoices(QFormLayout* form, const std::vector<SchemeField>& fields);
    QWidget* sliderWith(QSlider* slider, QWidget* number);
    void wireSliders();
    void bitsMoved(int bits);
    void groupMoved(int at);
    struct Row {
        SchemeField field;
        QComboBox* box;
    };
    std::vector<Row> m_rows;
    QFrame* m_conflict = nullptr;
    QLabel* m_conflictText = nullptr;
    QPushButton* m_fix = nullptr;
    QSlider* m_bits = nullptr;
    QSpinBox* m_bitsBox = nullptr;
    QSlider* m_group = nullptr;
    QLabel* m_groupText = nullptr;
    QLabel* m_indivisible = nullptr;
    QSpinBox* m_after = nullptr;
    std::vector<int64_t> m_sizes;
    int m_drag = 0; // one undo step a drag
    bool m_showing = false;
};

} // namespace qw::ui
