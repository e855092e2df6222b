// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/model/weight_microscope.h"

#include "charts/histogram_chart.h"
#include "models/scheme_preview.h"

#include <QGridLayout>
#include <QLabel>
#include <QLocale>
#include <QVBoxLayout>

namespace qw::ui {
namespace {

const QString kTag = QStringLiteral("model.microscope");
constexpr int kBins = 200;

} // namespace

WeightMicroscope::WeightMicroscope(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
    setObjectName(QStringLiteral("weightMicroscope"));
    m_title = new QLabel(this);
    m_title->setProperty("look", QStringLiteral("heading"));
    m_title->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_title->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_sure = new QLabel(this);
    m_sure->setObjectName(QStringLiteral("microscopeSure"));
    m_sure->setProperty("look", QStringLiteral("muted"));
    m_sure->setWordWrap(true);
    m_histogram = new HistogramChart(QStringLiteral("weightHistogram"), this);
    m_histogram->setTitle(tr("Distribution"));
    m_histogram->setAccessibleName(tr("Histogram of the selected tensor"));
    auto* grid = new QGridLayout;
    const QString names[] = {tr("Smallest"), tr("Largest"), tr("Mean"),           tr("Deviation"),
                             tr("Zeros"),    tr("Values"),  tr("Largest / dev."), tr("NaN, Inf")};
    for (size_t i = 0; i < m_values.size(); ++i) {
        auto* name = new QLabel(names[i], this);
        name->setProperty("look", QStringLiteral("muted"));
        m_values[i] = new QLabel(this);
        m_values[i]->setTextInteractionFlags(Qt::TextSelectableByMouse);
        const int row = static_cast<int>(i / 2), column = static_cast<int>(i % 2) * 2;
        grid->addWidget(name, row, column);
        grid->addWidget(m_values[i], row, column + 1, Qt::AlignRight);
        grid->setColumnStretch(column + 1, 1);
    }
    grid->setHorizontalSpacing(fontMetrics().averageCharWidth() * 2);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(m_title);
    column->addWidget(m_histogram, 1);
    column->addLayout(grid);
    column->addWidget(m_sure);
    clear(tr("Select a tensor to look at its numbers."));
}

void WeightMicroscope::clear(const QString& why) {
    m_session.compute.cancel(kTag);
    m_tensor.clear();
    m_exact = false;
    m_title->setText(tr("Weights"));
    m_sure->setText(why);
    m_histogram->clear();
    for (QLabel* value : m_values) value->setText(QStringLiteral("–"));
}

void WeightMicroscope::look(const QString& tensor, qint64 elements) {
    if (tensor == m_tensor && elements == m_elements) return;
    clear(tr("Reading…"));
    m_tensor = tensor;
    m_elements = elements;
    m_title->setText(tensor);
    m_title->setToolTip(tensor);
    ask(checkpoint::kPreviewSample);
}

void WeightMicroscope::ask(qint64 limit) {
    m_session.compute.request<Picture>(
        kTag,
        [weights = m_weights, of = WeightsOf{utf8(m_session.model.folder()), m_session.model.inspection()}, tensor = utf8(m_tensor),
         elements = m_elements, limit](const CancelFlag& cancelled) -> Picture {
            QW_TRY(auto* source, weights->open(of));
            return checkpoint::pictureTensor(*source, tensor, elements, limit, kBins, cancelled);
        },
        this, [this](Picture got) { show(got); });
}

void WeightMicroscope::show(const Picture& got) {
    if (!got) {
        m_sure->setText(text(got.error().message));
        return;
    }
    const QLocale locale;
    const auto& v = got->values;
    const double deviation = v.deviation();
    const QString values[] = {
        locale.toString(v.count ? v.least : 0, 'g', 5),
        locale.toString(v.count ? v.most : 0, 'g', 5),
        locale.toString(v.mean, 'g', 5),
        locale.toString(deviation, 'g', 5),
        tr("%1 (%2 %)")
            .arg(locale.toString(qlonglong(v.zeros)), locale.toString(v.count ? 100.0 * double(v.zeros) / double(v.count) : 0.0, 'f', 2)),
        locale.toString(qlonglong(got->total)),
        deviation > 0 ? locale.toString(v.largest() / deviation, 'f', 1) : QStringLiteral("–"),
        tr("%1, %2").arg(v.nan).arg(v.inf)};
    for (size_t i = 0; i < m_values.size(); ++i) m_values[i]->setText(values[i]);
    m_exact = got->exact();
    m_sure->setText(m_exact
                        ? tr("exact: %1 values").arg(countText(double(got->total)))
                        : tr("sampled %1 of %2; all of them follow").arg(countText(double(got->looked)), countText(double(got->total))));
    HistogramFacts shown;
    shown.lower = got->histogram.low;
    shown.upper = got->histogram.high;
    shown.before.assign(got->histogram.bins.begin(), got->histogram.bins.end());
    m_histogram->setFacts(shown);
    if (!m_exact) ask(0);
}

} // namespace qw::ui
