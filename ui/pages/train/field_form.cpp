// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/train/field_form.h"

#include "client/project.h"
#include "pages/train/real_edit.h"
#include "theme/theme.h"
#include "widgets/action_registry.h"

#include <QCheckBox>
#include <QComboBox>
#include <QEvent>
#include <QGridLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QStyle>
#include <QToolButton>
#include <algorithm>

namespace qw::ui {
namespace {

// A wheel that scrolls the form must not turn the number it happens to pass over.
class NoWheel final : public QObject {
public:
    using QObject::QObject;
    bool eventFilter(QObject* watched, QEvent* event) override {
        if (event->type() != QEvent::Wheel || static_cast<QWidget*>(watched)->hasFocus()) return false;
        event->ignore();
        return true;
    }
};

void setLook(QWidget* widget, const char* look) {
    if (widget->property("look").toString() == QLatin1String(look)) return;
    widget->setProperty("look", QString::fromLatin1(look));
    widget->style()->unpolish(widget);
    widget->style()->polish(widget);
}

void setChoices(QComboBox* box, const std::vector<FieldWord>& words) {
    box->clear();
    for (const FieldWord& word : words) box->addItem(word.text, word.value);
}

void setUnit(QSpinBox* box, const RecipeField& field) {
    const QString& unit = box->value() == 1 ? field.unitOfOne : field.unit;
    box->setSuffix(unit.isEmpty() ? QString() : QLatin1Char(' ') + unit);
}

void setChoice(QComboBox* box, const QVariant& value) {
    int at = box->findData(value);
    if (at < 0) { // of a file: shown as it is
        box->addItem(value.toString(), value);
        at = box->count() - 1;
    }
    box->setCurrentIndex(at);
}

} // namespace

QString sentences(const config::Finding& finding, const QString& subject) {
    QString message = text(finding.message);
    static constexpr const char* kVerbs[] = {"is ", "must ", "never ", "needs ", "conflicts ", "neither "};
    const bool bare = std::ranges::any_of(kVerbs, [&](const char* verb) { return message.startsWith(QLatin1String(verb)); });
    if (bare && !subject.isEmpty()) message = subject + QLatin1Char(' ') + message;
    const QString kind = finding.isError ? FieldForm::tr("Error") : FieldForm::tr("Note");
    return finding.hint.empty() ? FieldForm::tr("%1: %2.").arg(kind, message)
                                : FieldForm::tr("%1: %2. Fix: %3.").arg(kind, message, text(finding.hint));
}

bool belongsTo(const config::Finding& finding, const QString& key) {
    QString found = text(finding.key);
    if (found.startsWith(QLatin1String("schemes["))) found = found.mid(found.indexOf(QLatin1String("].")) + 2);
    return found == key;
}

FieldForm::FieldForm(const QString& section, RecipeDraft& draft, QWidget* parent) : QWidget(parent), m_draft(draft) {
    m_grid = new QGridLayout(this);
    m_grid->setContentsMargins(0, 0, 0, 0);
    m_grid->setColumnStretch(1, 1);
    m_grid->setVerticalSpacing(fontMetrics().height() / 3);
    for (const RecipeField& field : recipeFields())
        if (field.section == section) addRow(field);
    connect(&m_draft, &RecipeDraft::changed, this, [this] { show(m_draft.recipe()); });
    show(m_draft.recipe());
}

void FieldForm::addRow(const RecipeField& field) {
    const size_t index = m_rows.size();
    m_rows.push_back({&field, new QLabel(field.label, this), nullptr, new QToolButton(this), new QLabel(this), {}});
    QWidget* editor = makeEditor(index, field);
    Row& row = m_rows[index];
    row.editor = editor;
    editor->setObjectName(field.name);
    editor->setAccessibleName(field.label);
    editor->setToolTip(field.help);
    row.label->setBuddy(editor);
    row.label->setToolTip(field.help);
    row.reset->setObjectName(field.name + QStringLiteral("Reset"));
    row.reset->setAutoRaise(true);
    row.reset->setAccessibleName(tr("Reset %1").arg(field.label));
    const auto icon = [button = row.reset] { button->setIcon(Theme::instance().icon(QStringLiteral("reset"), Token::Accent)); };
    icon();
    connect(&Theme::instance(), &Theme::changed, row.reset, icon);
    QSizePolicy keep = row.reset->sizePolicy();
    keep.setRetainSizeWhenHidden(true);
    row.reset->setSizePolicy(keep);
    connect(row.reset, &QToolButton::clicked, this, [this, &field] { put(field, defaultOf(field)); });
    row.note->setObjectName(field.name + QStringLiteral("Note"));
    row.note->setWordWrap(true);
    row.note->setTextFormat(Qt::PlainText);
    row.note->hide();
    const int at = static_cast<int>(index) * 2;
    m_grid->addWidget(row.label, at, 0);
    m_grid->addWidget(row.editor, at, 1);
    m_grid->addWidget(row.reset, at, 2);
    m_grid->addWidget(row.note, at + 1, 1, 1, 2);
}

QWidget* FieldForm::makeEditor(size_t row, const RecipeField& field) {
    const auto still = [this](QWidget* editor) {
        editor->setFocusPolicy(Qt::StrongFocus);
        editor->installEventFilter(new NoWheel(editor));
        static_cast<void>(this);
    };
    switch (field.kind) {
    case FieldKind::Integer: {
        auto* box = new QSpinBox(this);
        box->setRange(static_cast<int>(field.least), static_cast<int>(std::min(field.most, 2e9)));
        box->setKeyboardTracking(false);
        box->setGroupSeparatorShown(true);
        for (const FieldWord& word : field.words)
            if (word.value.toInt() == box->minimum()) box->setSpecialValueText(word.text);
        still(box);
        connect(box, &QSpinBox::valueChanged, this, [this, &field](int value) { put(field, value); });
        return box;
    }
    case FieldKind::Real: {
        auto* edit = new RealEdit(field.words, field.least, field.most, this);
        connect(edit, &RealEdit::committed, this, [this, &field](const QVariant& value) { put(field, value); });
        connect(edit, &RealEdit::refused, this, [this, row](const QString& why) {
            if (row >= m_rows.size() || m_rows[row].wrong == why) return;
            m_rows[row].wrong = why;
            showNote(m_rows[row], why, true);
        });
        return edit;
    }
    case FieldKind::Choice: {
        auto* box = new QComboBox(this);
        setChoices(box, field.words);
        box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        box->setMinimumContentsLength(8);
        still(box);
        connect(box, &QComboBox::activated, this, [this, &field, box](int) { put(field, box->currentData()); });
        return box;
    }
    case FieldKind::Flag: {
        auto* box = new QCheckBox(tr("on"), this);
        connect(box, &QCheckBox::toggled, this, [this, &field](bool on) { put(field, on); });
        return box;
    }
    case FieldKind::Text:
        break;
    }
    auto* edit = new QLineEdit(this);
    connect(edit, &QLineEdit::editingFinished, this, [this, &field, edit] {
        put(field, edit->text());
        edit->setText(field.get(m_draft.recipe()).toString()); // what was understood
    });
    return edit;
}

void FieldForm::put(const RecipeField& field, const QVariant& value) {
    if (field.get(m_draft.recipe()) == value) return;
    m_draft.edit(
        tr("change %1").arg(field.label), [&](records::Recipe& recipe) { field.set(recipe, value); },
        QStringLiteral("train/") + field.name);
}

void FieldForm::show(const records::Recipe& recipe) {
    for (Row& row : m_rows) {
        const QVariant value = row.field->get(recipe);
        const QSignalBlocker quiet(row.editor);
        if (auto* box = qobject_cast<QSpinBox*>(row.editor)) {
            box->setValue(static_cast<int>(std::min<qlonglong>(value.toLongLong(), box->maximum())));
            setUnit(box, *row.field);
        } else if (auto* real = qobject_cast<RealEdit*>(row.editor))
            real->setValue(value);
        else if (auto* choice = qobject_cast<QComboBox*>(row.editor)) {
            if (row.field->name == QLatin1String("verdictMetric")) {
                choice->clear();
                for (const QString& metric : verdictMetrics(recipe)) choice->addItem(metric.isEmpty() ? tr("automatic") : metric, metric);
            }
            setChoice(choice, value);
        } else if (auto* flag = qobject_cast<QCheckBox*>(row.editor))
            flag->setChecked(value.toBool());
        else if (auto* line = qobject_cast<QLineEdit*>(row.editor); line && !line->hasFocus())
            line->setText(value.toString());
        row.wrong.clear();
        const bool changed = isChanged(*row.field, recipe);
        row.reset->setVisible(changed);
        row.editor->setProperty("changed", changed);
        setLook(row.label, changed ? "heading" : "");
        row.reset->setToolTip(tr("Changed. Back to the default: %1")
                                  .arg(qobject_cast<RealEdit*>(row.editor)
                                           ? static_cast<RealEdit*>(row.editor)->textFor(defaultOf(*row.field))
                                           : defaultOf(*row.field).toString()));
        setDisabledReason(row.editor, whyWithoutEffect(*row.field, recipe));
    }
}

void FieldForm::showNote(Row& row, const QString& text, bool isError) {
    row.note->setText(text);
    row.note->setVisible(!text.isEmpty());
    row.note->setProperty("code", text.isEmpty() ? QVariant() : QVariant(QStringLiteral("config.invalid")));
    setLook(row.note, isError ? "error" : "warning");
    row.editor->setAccessibleDescription(text);
}

int FieldForm::showFindings(const std::vector<config::Finding>& findings, const std::map<QString, QString>& notes) {
    int shown = 0;
    for (Row& row : m_rows) {
        QStringList lines;
        bool isError = false;
        for (const config::Finding& finding : findings)
            if (belongsTo(finding, row.field->key)) {
                lines << sentences(finding, row.field->label);
                isError = isError || finding.isError;
                ++shown;
            }
        if (const auto own = notes.find(row.field->name); own != notes.end() && lines.isEmpty()) lines << own->second;
        if (!row.wrong.isEmpty()) continue; // the editor's own word stands
        if (row.editor->isEnabled() || !lines.isEmpty()) showNote(row, lines.join(QLatin1Char('\n')), isError);
    }
    return shown;
}

int FieldForm::labelWidth() const {
    int width = 0;
    for (const Row& row : m_rows) {
        QFont bold = row.label->font();
        bold.setBold(true); // a changed field must not widen the column
        width = std::max(width, QFontMetrics(bold).horizontalAdvance(row.label->text()));
    }
    return width;
}

void FieldForm::setLabelWidth(int width) { m_grid->setColumnMinimumWidth(0, width); }

} // namespace qw::ui
