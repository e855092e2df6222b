// SPDX-License-Identifier: GPL-3.0-or-later
// What: dockDevice: load and memory of this machine, each GPU with who uses it, and what `qatw doctor` finds.
#pragma once

#include "client/session.h"
#include "models/system_facts.h"
#include "widgets/refresh_deferrer.h"

#include <QDockWidget>
#include <QTimer>

class QLabel;
class QProgressBar;
class QPushButton;
class QVBoxLayout;

namespace qw::ui {

class DeviceDock : public QDockWidget {
    Q_OBJECT
public:
    explicit DeviceDock(Session& session, QWidget* parent = nullptr);
    void show(const SystemFacts& facts); // what a look found
    using QDockWidget::show;

private:
    struct GpuCard {
        QWidget* frame = nullptr;
        QLabel *name = nullptr, *rest = nullptr;
        QProgressBar *memory = nullptr, *busy = nullptr;
    };
    void build();
    QProgressBar* bar(const char* name, const QString& accessible, QWidget* parent);
    GpuCard gpuCard(size_t index);
    void look();
    void check();
    void showChecks(const Result<QByteArray>& answer);

    Session& m_session;
    std::shared_ptr<SystemReader> m_reader = std::make_shared<SystemReader>(); // used on the worker's thread
    QVBoxLayout* m_column = nullptr;
    QProgressBar *m_cpu = nullptr, *m_memory = nullptr;
    QLabel *m_noGpu = nullptr, *m_checks = nullptr;
    QPushButton* m_check = nullptr;
    std::vector<GpuCard> m_gpus;
    bool m_checked = false;
    QTimer m_timer;
    Worker m_worker;
    RefreshDeferrer m_deferrer{this, [this] { look(); }};
};

} // namespace qw::ui
