// SPDX-License-Identifier: GPL-3.0-or-later
#include "docks/device_dock.h"

#include "theme/theme.h"
#include "widgets/action_registry.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QLocale>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>
#include <cmath>

namespace qw::ui {
namespace {

constexpr int kLookMs = 1500;

QString gigabytes(int64_t bytes) { return QLocale().toString(static_cast<double>(bytes) * 1e-9, 'f', 1); }
int percent(double share) { return static_cast<int>(std::lround(std::min(1.0, std::max(0.0, share)) * 100)); }

} // namespace

DeviceDock::DeviceDock(Session& session, QWidget* parent) : QDockWidget(tr("Device"), parent), m_session(session) {
    setObjectName(QStringLiteral("dockDevice"));
    setProperty("hiddenAtFirst", true);
    build();
    m_timer.setInterval(kLookMs);
    connect(&m_timer, &QTimer::timeout, this, &DeviceDock::look);
    m_deferrer.request();
    connect(&m_deferrer, &RefreshDeferrer::visibleChanged, this, [this](bool visible) {
        if (!visible) {
            m_timer.stop();
            return;
        }
        look();
        m_timer.start();
        if (!m_checked) check();
    });
}

QProgressBar* DeviceDock::bar(const char* name, const QString& accessible, QWidget* parent) {
    auto* made = new QProgressBar(parent);
    made->setObjectName(QLatin1String(name));
    made->setAccessibleName(accessible);
    made->setRange(0, 100);
    return made;
}

void DeviceDock::build() {
    auto* body = new QWidget;
    m_column = new QVBoxLayout(body);
    auto* heading = new QLabel(tr("This machine"), body);
    heading->setProperty("look", QStringLiteral("heading"));
    m_cpu = bar("deviceCpu", tr("Processor"), body);
    m_memory = bar("deviceMemory", tr("Memory"), body);
    m_noGpu = new QLabel(tr("No GPU: CPU engine, small models"), body);
    m_noGpu->setObjectName(QStringLiteral("deviceNoGpu"));
    m_noGpu->setProperty("look", QStringLiteral("muted"));
    m_noGpu->setWordWrap(true);
    m_checks = new QLabel(body);
    m_checks->setObjectName(QStringLiteral("deviceChecks"));
    m_checks->setWordWrap(true);
    m_checks->setTextFormat(Qt::PlainText);
    m_checks->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_checks->setFocusPolicy(Qt::NoFocus);
    auto* checksHeading = new QLabel(tr("Installation"), body);
    checksHeading->setProperty("look", QStringLiteral("heading"));
    m_check = new QPushButton(tr("Check again"), body);
    m_check->setObjectName(QStringLiteral("deviceCheckButton"));
    m_check->setToolTip(tr("Starts the engine once and looks at kernels, disk and limits, as `qatw doctor` does"));
    connect(m_check, &QPushButton::clicked, this, &DeviceDock::check);
    for (QWidget* widget :
         {static_cast<QWidget*>(heading), static_cast<QWidget*>(m_cpu), static_cast<QWidget*>(m_memory), static_cast<QWidget*>(m_noGpu)})
        m_column->addWidget(widget);
    m_column->addSpacing(fontMetrics().height() / 2);
    m_column->addWidget(checksHeading);
    m_column->addWidget(m_checks);
    m_column->addWidget(m_check, 0, Qt::AlignLeft);
    m_column->addStretch();
    auto* scroll = new QScrollArea(this);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setAccessibleName(tr("Device"));
    scroll->setWidget(body);
    setWidget(scroll);
}

DeviceDock::GpuCard DeviceDock::gpuCard(size_t index) {
    GpuCard card;
    auto* frame = new QFrame;
    frame->setProperty("look", QStringLiteral("card"));
    card.frame = frame;
    auto* column = new QVBoxLayout(frame);
    card.name = new QLabel(frame);
    card.name->setProperty("look", QStringLiteral("heading"));
    card.name->setWordWrap(true);
    card.memory = bar("gpuMemory", tr("Memory of GPU %1").arg(index), frame);
    card.busy = bar("gpuBusy", tr("Load of GPU %1").arg(index), frame);
    card.rest = new QLabel(frame);
    card.rest->setProperty("look", QStringLiteral("muted"));
    card.rest->setWordWrap(true);
    for (QWidget* widget : {static_cast<QWidget*>(card.name), static_cast<QWidget*>(card.memory), static_cast<QWidget*>(card.busy),
                            static_cast<QWidget*>(card.rest)})
        column->addWidget(widget);
    m_column->insertWidget(m_column->indexOf(m_noGpu) + 1 + static_cast<int>(index), frame);
    return card;
}

void DeviceDock::look() {
    m_worker.request<SystemFacts>(
        QStringLiteral("look"), [reader = m_reader](const CancelFlag&) { return reader->read(); }, this,
        [this](const SystemFacts& facts) { show(facts); });
}

void DeviceDock::show(const SystemFacts& facts) {
    m_cpu->setValue(percent(facts.cpuBusy));
    m_cpu->setFormat(facts.cpuBusy < 0 ? tr("CPU, cores: %1").arg(facts.cores)
                                       : tr("CPU %1 %, cores: %2").arg(percent(facts.cpuBusy)).arg(facts.cores));
    m_memory->setValue(facts.totalBytes > 0 ? percent(static_cast<double>(facts.usedBytes) / static_cast<double>(facts.totalBytes)) : 0);
    m_memory->setFormat(tr("Memory %1/%2 GB").arg(gigabytes(facts.usedBytes), gigabytes(facts.totalBytes)));
    m_noGpu->setVisible(facts.gpus.empty());
    while (m_gpus.size() > facts.gpus.size()) {
        m_gpus.back().frame->deleteLater();
        m_gpus.pop_back();
    }
    while (m_gpus.size() < facts.gpus.size()) m_gpus.push_back(gpuCard(m_gpus.size()));
    for (size_t i = 0; i < m_gpus.size(); ++i) {
        const GpuFacts& gpu = facts.gpus[i];
        m_gpus[i].name->setText(tr("GPU %1: %2").arg(i).arg(text(gpu.name)));
        m_gpus[i].memory->setValue(gpu.totalBytes > 0 ? percent(static_cast<double>(gpu.usedBytes) / static_cast<double>(gpu.totalBytes))
                                                      : 0);
        m_gpus[i].memory->setFormat(tr("Memory %1/%2 GB").arg(gigabytes(gpu.usedBytes), gigabytes(gpu.totalBytes)));
        m_gpus[i].busy->setVisible(gpu.busy >= 0);
        m_gpus[i].busy->setValue(percent(gpu.busy));
        m_gpus[i].busy->setFormat(tr("Busy %1 %").arg(percent(gpu.busy)));
        QStringList rest;
        if (gpu.watts >= 0)
            rest << (gpu.limitWatts > 0 ? tr("%1 of %2 W").arg(std::lround(gpu.watts)).arg(std::lround(gpu.limitWatts))
                                        : tr("%1 W").arg(std::lround(gpu.watts)));
        if (gpu.celsius >= 0) rest << tr("%1 °C").arg(std::lround(gpu.celsius));
        QStringList users;
        for (const GpuProcess& process : gpu.processes)
            users << tr("%1 (process %2, %3 GB)").arg(text(process.name)).arg(process.pid).arg(gigabytes(process.bytes));
        rest << (users.isEmpty() ? tr("nobody computes on it") : tr("used by %1").arg(users.join(QStringLiteral(", "))));
        m_gpus[i].rest->setText(rest.join(QStringLiteral(" · ")));
    }
}

void DeviceDock::check() {
    m_checked = true;
    setDisabledReason(m_check, tr("The check is running"));
    m_checks->setText(tr("Checking…"));
    QStringList arguments{QStringLiteral("doctor")};
    if (m_session.project.isOpen()) arguments << QStringLiteral("--project") << m_session.project.dir();
    m_session.command(tr("Checking the system"), arguments, this, {}, [this](const Result<QByteArray>& answer) { showChecks(answer); });
}

void DeviceDock::showChecks(const Result<QByteArray>& answer) {
    setDisabledReason(m_check, {});
    if (!answer) {
        m_checks->setText(text(answer.error().message + "\n" + answer.error().hint).trimmed());
        return;
    }
    QStringList lines;
    for (const QJsonValue& value : QJsonDocument::fromJson(*answer).object().value(QLatin1String("checks")).toArray()) {
        const QJsonObject check = value.toObject();
        const QString level = check.value(QLatin1String("level")).toString();
        const QString mark = level == QLatin1String("error") ? tr("✗") : level == QLatin1String("warning") ? tr("!") : tr("✓");
        lines << tr("%1 %2: %3").arg(mark, check.value(QLatin1String("what")).toString(), check.value(QLatin1String("text")).toString());
    }
    m_checks->setText(lines.join(QLatin1Char('\n')));
}

} // namespace qw::ui
