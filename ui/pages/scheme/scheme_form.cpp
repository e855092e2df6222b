// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/scheme/scheme_form.h"

#include "theme/theme.h"
#include "widgets/action_registry.h"

#include <QComboBox>
#include <QEvent>
#include <QFormLayout>
#include <QFrame>
#include <QGroupBox>
#include <QLabel>
#include <QPushButton>
#include <QScopedValueRollback>
#include <QSlider>
#include <QSpinBox>
#include <QVBoxLayout>
#include <algorithm>

namespace qw::ui {
namespace {

QFormLayout* section(QVBoxLayout* column, const QString& title) {
    auto* heading = new QLabel(title);
    heading->setProperty("look", QStringLiteral("heading"));
    column->addWidget(heading);
    auto* form = new QFormLayout;
    form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    form->setLabelAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    form->setRowWrapPolicy(QFormLayout::DontWrapRows);
    column->addLayout(form);
    column->addSpacing(heading->fontMetrics().height() / 2);
    return form;
}

// Wheels scroll the form; they must not change a value that the pointer happens to pass.
class NoWheel : public QObject {
public:
    using QObject::QObject;
    bool eventFilter(QObject* watched, QEvent* event) override {
        if (event->type() != QEvent::Wheel || static_cast<QWidget*>(watched)->hasFocus()) return false;
        event->ignore();
        return true;
    }
};

} // namespace

SchemeForm::SchemeForm(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("schemeForm"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, column->spacing(), column->spacing(), 0);
    column->addWidget(buildConflict());
    buildWeights(section(column, tr("Weights")));
    addChoices(section(column, tr("Activations")), schemeFields(SchemeSection::Activation));
    addChoices(section(column, tr("Embedding and head")), schemeFields(SchemeSection::Layers));
    buildTraining(section(column, tr("Training")));
    column->addStretch();
    wireSliders();
    // One width for the labels of all sections, so that the fields stand below each other.
    int wide = 0;
    const auto forms = findChildren<QFormLayout*>();
    const auto each = [&](const std::function<void(QWidget*)>& body) {
        for (QFormLayout* form : forms)
            for (int row = 0; row < form->rowCount(); ++row)
                if (QLayoutItem* label = form->itemAt(row, QFormLayout::LabelRole)) body(label->widget());
    };
    each([&](QWidget* label) { wide = std::max(wide, label->sizeHint().width()); });
    each([&](QWidget* label) { label->setMinimumWidth(wide); });
    auto* calm = new NoWheel(this);
    for (QWidget* widget : findChildren<QWidget*>())
        if (qobject_cast<QComboBox*>(widget) || qobject_cast<QSlider*>(widget) || qobject_cast<QSpinBox*>(widget)) {
            widget->setFocusPolicy(Qt::StrongFocus);
            widget->installEventFilter(calm);
        }
}

QWidget* SchemeForm::buildConflict() {
    m_conflict = new QFrame(this);
    m_conflict->setObjectName(QStringLiteral("schemeConflict"));
    m_conflict->setProperty("banner", QStringLiteral("warning"));
    m_conflictText = new QLabel(m_conflict);
    m_conflictText->setObjectName(QStringLiteral("schemeConflictText"));
    m_conflictText->setWordWrap(true);
    m_conflictText->setTextFormat(Qt::PlainText);
    m_fix = new QPushButton(tr("Fix"), m_conflict);
    m_fix->setObjectName(QStringLiteral("fixButton"));
    m_fix->setToolTip(tr("Change the other field so that the two fit; can be undone"));
    connect(m_fix, &QPushButton::clicked, this, &SchemeForm::fixWanted);
    auto* row = new QHBoxLayout(m_conflict);
    row->addWidget(m_conflictText, 1);
    row->addWidget(m_fix, 0, Qt::AlignTop);
    m_conflict->hide();
    return m_conflict;
}

void SchemeForm::addChoices(QFormLayout* form, const std::vector<SchemeField>& fields) {
    for (const SchemeField& field : fields) {
        auto* box = new QComboBox(this);
        box->setObjectName(field.name);
        box->setAccessibleName(field.label);
        box->setToolTip(field.help);
        box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
        box->setMinimumContentsLength(12);
        for (const SchemeChoice& choice : field.choices) {
            box->addItem(choice.text, choice.word);
            box->setItemData(box->count() - 1, choice.help, Qt::ToolTipRole);
        }
        connect(box, &QComboBox::activated, this, [this, field, box](int at) {
            const QString chosen = box->itemData(at).toString();
            Q_EMIT editWanted(tr("%1: %2").arg(field.label.toLower(), box->itemText(at)),
                              [write = field.write, chosen](records::QatBlock& b) { write(b, chosen); }, {});
        });
        form->addRow(field.label, box);
        m_rows.push_back({field, box});
    }
}

QWidget* SchemeForm::sliderWith(QSlider* slider, QWidget* number) {
    auto* both = new QWidget(this);
    auto* row = new QHBoxLayout(both);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(slider, 1);
    row->addWidget(number);
    return both;
}

void SchemeForm::buildWeights(QFormLayout* form) {
    std::vector<SchemeField> fields = schemeFields(SchemeSection::Weight);
    addChoices(form, {fields[0]});
    m_bits = new QSlider(Qt::Horizontal, this);
    m_bits->setObjectName(QStringLiteral("weightBits"));
    m_bits->setRange(2, 8);
    m_bits->setPageStep(1);
    m_bits->setTickPosition(QSlider::TicksBelow);
    m_bits->setAccessibleName(tr("Bits"));
    m_bits->setToolTip(tr("Bits of one code, 2 to 8"));
    m_bitsBox = new QSpinBox(this);
    m_bitsBox->setObjectName(QStringLiteral("weightBitsBox"));
    m_bitsBox->setRange(2, 8);
    m_bitsBox->setAccessibleName(tr("Bits as a number"));
    m_bitsBox->setToolTip(m_bits->toolTip());
    form->addRow(tr("Bits"), sliderWith(m_bits, m_bitsBox));
    addChoices(form, {fields[1]});
    m_group = new QSlider(Qt::Horizontal, this);
    m_group->setObjectName(QStringLiteral("groupSizeSlider"));
    m_group->setPageStep(1);
    m_group->setTickPosition(QSlider::TicksBelow);
    m_group->setTickInterval(1);
    m_group->setAccessibleName(tr("Group size"));
    m_group->setToolTip(tr("Columns that share one scale: fewer fit better, more cost less"));
    m_groupText = new QLabel(this);
    m_groupText->setObjectName(QStringLiteral("groupSizeText"));
    m_groupText->setMinimumWidth(fontMetrics().horizontalAdvance(QStringLiteral("00000")));
    m_groupText->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    form->addRow(tr("Group size"), sliderWith(m_group, m_groupText));
    m_indivisible = new QLabel(this);
    m_indivisible->setObjectName(QStringLiteral("indivisibleLayers"));
    m_indivisible->setWordWrap(true);
    m_indivisible->setProperty("look", QStringLiteral("warning"));
    m_indivisible->hide();
    form->addRow(m_indivisible);
    addChoices(form, {fields.begin() + 2, fields.end()});
}

void SchemeForm::buildTraining(QFormLayout* form) {
    addChoices(form, schemeFields(SchemeSection::Training));
    m_after = new QSpinBox(this);
    m_after->setObjectName(QStringLiteral("fakeQuantAfter"));
    m_after->setRange(-1, 1'000'000'000);
    m_after->setSpecialValueText(tr("from the start"));
    m_after->setAccessibleName(tr("Fake quantization starts at step"));
    m_after->setToolTip(tr("The training is plain before this step; what is on follows from the step, so a resumed run agrees"));
    m_after->setKeyboardTracking(false);
    form->addRow(tr("Starts at step"), m_after);
    connect(m_after, &QSpinBox::valueChanged, this, [this](int step) {
        if (m_showing) return;
        Q_EMIT editWanted(
            tr("fake quantization starts at step %1").arg(step),
            [step](records::QatBlock& b) { b.fakeQuantAfterSteps = step < 0 ? std::nullopt : std::optional<int64_t>(step); },
            QStringLiteral("scheme.after"));
    });
}

void SchemeForm::wireSliders() {
    for (QSlider* slider : {m_bits, m_group}) connect(slider, &QSlider::sliderPressed, this, [this] { ++m_drag; });
    connect(m_bits, &QSlider::valueChanged, this, &SchemeForm::bitsMoved);
    connect(m_bitsBox, &QSpinBox::valueChanged, this, &SchemeForm::bitsMoved);
    connect(m_group, &QSlider::valueChanged, this, &SchemeForm::groupMoved);
}

void SchemeForm::bitsMoved(int bits) {
    if (m_showing) return;
    Q_EMIT editWanted(
        tr("%1 bits").arg(bits),
        [bits](records::QatBlock& b) {
            if (b.weight) b.weight->bits = bits;
        },
        QStringLiteral("scheme.bits.%1").arg(m_drag));
}

void SchemeForm::groupMoved(int at) {
    if (m_showing || at < 0 || at >= static_cast<int>(m_sizes.size())) return;
    const int64_t size = m_sizes[static_cast<size_t>(at)];
    Q_EMIT editWanted(
        tr("groups of %1").arg(size),
        [size](records::QatBlock& b) {
            if (b.weight) b.weight->groupSize = size;
        },
        QStringLiteral("scheme.group.%1").arg(m_drag));
}

void SchemeForm::show(const records::QatBlock& block, const SchemeFacts& facts, int64_t widest) {
    const QScopedValueRollback<bool> quiet(m_showing, true);
    for (const Row& row : m_rows) {
        const QString word = row.field.read(block);
        row.box->setCurrentIndex(word.isEmpty() ? -1 : row.box->findData(word));
        setDisabledReason(row.box, row.field.disabledReason ? row.field.disabledReason(block) : QString());
    }
    const auto& w = block.weight;
    QString fixedBits = w ? QString() : tr("weights are not quantized");
    if (w && w->format == records::Format::Int4Zp) fixedBits = tr("this type has 4 bits");
    if (w && w->format == records::Format::Int8) fixedBits = tr("this type has 8 bits");
    m_bits->setValue(w ? w->bits : 8);
    m_bitsBox->setValue(w ? w->bits : 8);
    for (QWidget* widget : std::initializer_list<QWidget*>{m_bits, m_bitsBox}) setDisabledReason(widget, fixedBits);
    const bool grouped = w && w->granularity == records::Granularity::PerGroup;
    if (!m_group->isSliderDown()) { // a slider that is dragged keeps its marks
        m_sizes = groupSizes(widest, grouped ? w->groupSize : 0);
        m_group->setRange(0, static_cast<int>(m_sizes.size()) - 1);
    }
    if (grouped) m_group->setValue(static_cast<int>(std::ranges::find(m_sizes, w->groupSize) - m_sizes.begin()));
    m_groupText->setText(grouped ? QString::number(w->groupSize) : QStringLiteral("–"));
    setDisabledReason(m_group, grouped ? QString() : tr("only groups of columns have a size"));
    m_after->setValue(block.fakeQuantAfterSteps ? static_cast<int>(std::min<int64_t>(*block.fakeQuantAfterSteps, 1'000'000'000)) : -1);
    QStringList few = facts.indivisible.mid(0, 3);
    if (facts.indivisible.size() > 3) few << tr("%1 more").arg(facts.indivisible.size() - 3);
    m_indivisible->setText(tr("⚠ %1 does not divide the width of\n%2").arg(w ? w->groupSize : 0).arg(few.join(QLatin1Char('\n'))));
    m_indivisible->setToolTip(facts.indivisible.join(QLatin1Char('\n')));
    m_indivisible->setVisible(!facts.indivisible.isEmpty());
}

void SchemeForm::showConflict(const QString& code, const QString& words, bool fixable) {
    m_conflict->setProperty("code", words.isEmpty() ? QVariant() : QVariant(code));
    m_conflictText->setText(words);
    m_fix->setVisible(fixable);
    m_conflict->setVisible(!words.isEmpty());
}

} // namespace qw::ui
