// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/train/sweep_dialog.h"

#include "models/run_texts.h"
#include "widgets/action_registry.h"

#include <QDialogButtonBox>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QPushButton>
#include <QStyle>
#include <QVBoxLayout>
#include <limits>

namespace qw::ui {

SweepDialog::SweepDialog(Session& session, const std::optional<Forecast>& forecast, QWidget* parent)
    : QDialog(parent), m_session(session), m_forecast(forecast) {
    setObjectName(QStringLiteral("sweepDialog"));
    setWindowTitle(tr("Sweep"));
    auto* what = new QLabel(
        tr("Every scheme of the study is made in every combination of these values. An empty line leaves a value as it is."), this);
    what->setWordWrap(true);
    auto* form = new QFormLayout;
    m_bits = addLine(form, "sweepBits", tr("&Bits"), tr("Of the weights, 2 to 8; a range is written 2-4"), QStringLiteral("2-4"));
    m_groups = addLine(form, "sweepGroups", tr("&Group sizes"), tr("Columns that share a scale"), QStringLiteral("32, 64, 128"));
    m_rates =
        addLine(form, "sweepRates", tr("&Learning rates"), tr("Of the QAT rows and their float references"), QStringLiteral("1e-5, 2e-5"));
    m_seeds = addLine(form, "sweepSeeds", tr("&Seeds"), tr("Every seed is one more run of each scheme; a range is written 1-3"),
                      QStringLiteral("1-3"));
    m_cost = new QLabel(this);
    m_cost->setObjectName(QStringLiteral("sweepCost"));
    m_cost->setWordWrap(true);
    m_cost->setTextFormat(Qt::PlainText);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    m_apply = buttons->addButton(tr("Put into the recipe"), QDialogButtonBox::AcceptRole);
    m_apply->setObjectName(QStringLiteral("sweepApply"));
    m_apply->setProperty("look", QStringLiteral("primary"));
    m_apply->setDefault(true);
    auto* column = new QVBoxLayout(this);
    column->addWidget(what);
    column->addLayout(form);
    column->addWidget(m_cost, 1);
    column->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(buttons, &QDialogButtonBox::accepted, this, &SweepDialog::apply);
    resize(fontMetrics().averageCharWidth() * 80, fontMetrics().height() * 20);
    showCost();
}

QLineEdit* SweepDialog::addLine(QFormLayout* form, const char* name, const QString& label, const QString& help, const QString& example) {
    auto* line = new QLineEdit(this);
    line->setObjectName(QLatin1String(name));
    line->setAccessibleName(QString(label).remove(QLatin1Char('&')));
    line->setToolTip(help);
    line->setPlaceholderText(tr("for example %1").arg(example));
    form->addRow(label, line);
    connect(line, &QLineEdit::textChanged, this, &SweepDialog::showCost);
    return line;
}

Result<Sweep> SweepDialog::read() const {
    Sweep sweep;
    QW_TRY(sweep.bits, wholeNumbers(m_bits->text(), 2, 8));
    QW_TRY(sweep.groupSizes, wholeNumbers(m_groups->text(), 1, 1 << 20));
    QW_TRY(sweep.rates, learningRates(m_rates->text()));
    QW_TRY(const auto seeds, wholeNumbers(m_seeds->text(), 0, std::numeric_limits<int64_t>::max()));
    sweep.seeds.assign(seeds.begin(), seeds.end());
    return sweep;
}

void SweepDialog::showCost() {
    const auto sweep = read();
    const auto swept = sweep ? sweptRecipe(m_session.draft.recipe(), *sweep) : Result<records::Recipe>(sweep.error());
    const auto cost = swept ? costOf(*swept, m_forecast) : Result<SweepCost>(swept.error());
    m_cost->setProperty("look", cost ? QString() : QStringLiteral("error"));
    m_cost->setProperty("code", cost ? QVariant() : QVariant(text(cost.error().code)));
    if (cost) {
        const QLocale locale;
        QStringList lines{tr("%1 rows, %2 of them trained.").arg(locale.toString(cost->rows), locale.toString(cost->trained))};
        lines << (cost->seconds ? tr("About %1 of training, evaluation not included.").arg(durationText(*cost->seconds))
                                : tr("How long: press Measure beside the recipe first."));
        if (cost->diskBytes > 0) lines << tr("About %1 on disk for checkpoints and models.").arg(sizeText(cost->diskBytes));
        m_cost->setText(lines.join(QLatin1Char('\n')));
    } else {
        m_cost->setText(text(cost.error().message) +
                        (cost.error().hint.empty() ? QString() : QStringLiteral(" – ") + text(cost.error().hint)));
    }
    m_cost->style()->unpolish(m_cost);
    m_cost->style()->polish(m_cost);
    const bool same = swept && *swept == m_session.draft.recipe();
    setDisabledReason(m_apply, !cost ? m_cost->text() : same ? tr("Nothing is varied yet") : QString());
}

void SweepDialog::apply() {
    const auto sweep = read();
    if (!sweep) return;
    if (const auto swept = sweptRecipe(m_session.draft.recipe(), *sweep)) m_session.draft.replace(tr("sweep"), *swept);
    accept();
}

} // namespace qw::ui
