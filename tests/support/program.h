// SPDX-License-Identifier: GPL-3.0-or-later
// What: our real programs for tests: run the tool to its end, start an engine, wait for a state with a deadline.
#pragma once

#include "test_data.h"

#include <QElapsedTimer>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <functional>
#include <memory>

namespace qw::test {

inline QString binary(const char* name) { return QString::fromStdString((std::filesystem::path(QW_BIN_DIR) / name).string()); }
inline QString text(const std::filesystem::path& path) { return QString::fromStdString(path.string()); }

struct ToolResult {
    int code = -1; // 128 + signal when it crashed
    QByteArray out, err;
    [[nodiscard]] QJsonObject json() const { return QJsonDocument::fromJson(out).object(); }
};

inline QProcessEnvironment testEnvironment() {
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("OMP_WAIT_POLICY"), QStringLiteral("passive")); // tests share their cores
    environment.remove(QStringLiteral("QATW_FAULT"));
    return environment;
}

inline std::unique_ptr<QProcess> startProgram(const char* name, const QStringList& arguments,
                                              const QProcessEnvironment& environment = testEnvironment()) {
    auto process = std::make_unique<QProcess>();
    process->setProcessEnvironment(environment);
    process->start(binary(name), arguments);
    process->waitForStarted(10'000);
    return process;
}

inline ToolResult finish(QProcess& process, int timeoutMs = 240'000) {
    ToolResult result;
    if (!process.waitForFinished(timeoutMs)) {
        process.kill();
        process.waitForFinished(5000);
    }
    result.out = process.readAllStandardOutput();
    result.err = process.readAllStandardError();
    result.code = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : 128 + process.exitCode();
    return result;
}

inline ToolResult runTool(const QStringList& arguments, const QProcessEnvironment& environment = testEnvironment()) {
    const auto process = startProgram("qatw", arguments, environment);
    return finish(*process);
}

// Polls until done() or the deadline. The state is another process's: no signal tells of it, so it is looked at every 5 ms.
inline bool waitUntil(const std::function<bool()>& done, int timeoutMs) {
    QElapsedTimer timer;
    timer.start();
    while (!done()) {
        if (timer.elapsed() > timeoutMs) return false;
        QThread::msleep(5);
    }
    return true;
}

} // namespace qw::test
