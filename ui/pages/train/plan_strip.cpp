// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/train/plan_strip.h"

#include "theme/theme.h"

#include <QCheckBox>
#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QSignalBlocker>
#include <algorithm>

namespace qw::ui {
namespace {

void setMethod(records::Recipe& recipe, const char* method, bool on) {
    auto& list = recipe.baselinePtq;
    std::erase(list, method);
    if (on) list.emplace_back(method);
    std::ranges::sort(list, [](const auto& a, const auto& b) { return a > b; }); // rtn before mse
}

bool hasMethod(const records::Recipe& recipe, const char* method) {
    return std::ranges::find(recipe.baselinePtq, method) != recipe.baselinePtq.end();
}

QLabel* muted() {
    auto* label = new QLabel;
    label->setProperty("look", QStringLiteral("muted"));
    label->setWordWrap(true);
    label->setTextFormat(Qt::RichText);
    label->setTextInteractionFlags(Qt::LinksAccessibleByMouse | Qt::LinksAccessibleByKeyboard);
    return label;
}

} // namespace

PlanStrip::PlanStrip(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
    setObjectName(QStringLiteral("planStrip"));
    const auto check = [this](const QString& text, const char* name, const QString& help) {
        auto* box = new QCheckBox(text);
        box->setObjectName(QString::fromLatin1(name));
        box->setToolTip(help);
        return box;
    };
    m_fineTune =
        check(tr("float, same training"), "planFineTune",
              tr("Trains the model without fake quantization too: the fair reference for QAT. Off: compare with the start model."));
    m_rtn = check(tr("round to nearest"), "planRtn", tr("Quantizes without training: what QAT has to beat."));
    m_mse = check(tr("smallest error"), "planMse", tr("Searches each group's range for the least squared error; no training."));
    m_schemes = muted();
    m_schemes->setObjectName(QStringLiteral("planSchemes"));
    m_tasks = muted();
    m_tasks->setObjectName(QStringLiteral("planTasks"));
    m_count = muted();
    m_count->setObjectName(QStringLiteral("planCount"));
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(fontMetrics().height() / 2);
    stage(row, 1, tr("Fine-tune"), m_fineTune->toolTip(), m_fineTune, nullptr);
    stage(row, 2, tr("PTQ baseline"), tr("Quantized copies without further training."), m_rtn, m_mse);
    stage(row, 3, tr("QAT"), tr("Training with fake quantization, one run a scheme and seed."), m_schemes, nullptr);
    stage(row, 4, tr("Evaluate all"), tr("Every row is measured on the same tasks."), m_tasks, m_count);
    connect(m_fineTune, &QCheckBox::toggled, this, [this](bool on) {
        m_session.draft.edit(tr("change float baseline"), [on](records::Recipe& r) { r.baselineFloat = on ? "trained" : "start"; });
    });
    connect(m_rtn, &QCheckBox::toggled, this,
            [this](bool on) { m_session.draft.edit(tr("change PTQ baselines"), [on](records::Recipe& r) { setMethod(r, "rtn", on); }); });
    connect(m_mse, &QCheckBox::toggled, this,
            [this](bool on) { m_session.draft.edit(tr("change PTQ baselines"), [on](records::Recipe& r) { setMethod(r, "mse", on); }); });
    connect(m_schemes, &QLabel::linkActivated, this, [this] { m_session.goTo(PageId::Scheme); });
    connect(&m_session.draft, &RecipeDraft::changed, this, &PlanStrip::show);
    connect(&Theme::instance(), &Theme::changed, this, &PlanStrip::show);
    show();
}

QWidget* PlanStrip::stage(QHBoxLayout* row, int number, const QString& title, const QString& help, QWidget* first, QWidget* second) {
    if (number > 1) {
        auto* arrow = new QLabel(QStringLiteral("→"));
        arrow->setProperty("look", QStringLiteral("muted"));
        arrow->setAccessibleName(tr("then"));
        row->addWidget(arrow);
    }
    auto* card = new QFrame;
    card->setProperty("look", QStringLiteral("card"));
    card->setToolTip(help);
    auto* column = new QVBoxLayout(card);
    const int pad = fontMetrics().height() / 2;
    column->setContentsMargins(pad, pad, pad, pad);
    column->setSpacing(pad / 2);
    auto* heading = new QLabel(QStringLiteral("%1 %2").arg(QChar(0x2460 + number - 1)).arg(title));
    heading->setProperty("look", QStringLiteral("heading"));
    column->addWidget(heading);
    column->addWidget(first);
    if (second) column->addWidget(second);
    column->addStretch();
    row->addWidget(card, 1);
    return card;
}

void PlanStrip::show() {
    const records::Recipe& recipe = m_session.draft.recipe();
    const QSignalBlocker a(m_fineTune), b(m_rtn), c(m_mse);
    m_fineTune->setChecked(recipe.baselineFloat == "trained");
    m_rtn->setChecked(hasMethod(recipe, "rtn"));
    m_mse->setChecked(hasMethod(recipe, "mse"));
    QStringList names;
    for (const auto& scheme : recipe.schemes) names << text(scheme.name).toHtmlEscaped();
    // The colour is said, because a label keeps the one of the theme it was filled in.
    const QString link =
        QStringLiteral("<a href=\"scheme\" style=\"color:") + Theme::instance().colour(Token::Accent).name() + QStringLiteral("\">%1</a>");
    if (!names.isEmpty())
        m_schemes->setText(names.join(QStringLiteral(", ")) + QStringLiteral("<br>") + link.arg(tr("Change schemes")));
    else if (recipe.qat)
        m_schemes->setText(tr("one run") + QStringLiteral("<br>") + link.arg(tr("Choose schemes to compare")));
    else
        m_schemes->setText(tr("none: plain training") + QStringLiteral("<br>") + link.arg(tr("Choose a scheme")));
    QStringList tasks;
    for (const auto& task : recipe.eval.tasks) tasks << text(task.name).toHtmlEscaped();
    if (!recipe.data.eval.empty()) tasks << tr("loss");
    m_tasks->setText(tasks.isEmpty() ? tr("nothing yet: add a task or evaluation text below") : tasks.join(QStringLiteral(", ")));
}

void PlanStrip::showCounts(int rows, int trained) {
    m_count->setVisible(rows > 0);
    m_count->setText(tr("%1 rows, %2 of them trained").arg(QLocale().toString(rows), QLocale().toString(trained)));
}

} // namespace qw::ui
