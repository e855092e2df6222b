// SPDX-License-Identifier: GPL-3.0-or-later
// What: a scripted EngineClient: remembers what was asked, answers when the test says so, plays events and deaths.
#pragma once

#include "client/engine_client.h"

#include <QHash>
#include <QPointer>
#include <QVector>

namespace qw::test {

class FakeEngineClient : public ui::EngineClient { // its signals are those of its base: no Q_OBJECT, so no moc
public:
    struct Asked {
        QString what; // "start", "continue", "plan", "control", "command"
        QStringList arguments;
        QPointer<QObject> context;
        ui::Reply done;
        ui::OnProgress progress;
    };
    QVector<Asked> asked;
    QVector<ui::RunPlace> watched;
    QHash<QString, qint64> watchedAfter; // of those that are watched
    QVector<int> cancelled;
    int plansCancelled = 0;

    void startStudy(const QString& project, const QString& recipe, QObject* context, ui::Reply done) override {
        asked.append({QStringLiteral("start"), {project, recipe}, context, std::move(done), {}});
    }
    void continueStudy(const QString& project, const QString& dir, QObject* context, ui::Reply done) override {
        asked.append({QStringLiteral("continue"), {project, dir}, context, std::move(done), {}});
    }
    void plan(const QString& recipe, bool probe, QObject* context, ui::Reply done) override {
        asked.append({QStringLiteral("plan"), {recipe, probe ? QStringLiteral("probe") : QString()}, context, std::move(done), {}});
    }
    void cancelPlan() override { ++plansCancelled; }
    void control(const QString& project, const QString& token, ui::Control what, QObject* context, ui::Reply done) override {
        static constexpr const char* names[] = {"pause", "resume", "checkpoint", "stop", "stopNow"};
        asked.append({QStringLiteral("control"), {project, token, QString::fromLatin1(names[int(what)])}, context, std::move(done), {}});
    }
    int command(const QStringList& arguments, QObject* context, ui::OnProgress progress, ui::Reply done) override {
        asked.append({QStringLiteral("command"), arguments, context, std::move(done), std::move(progress)});
        return static_cast<int>(asked.size());
    }
    void cancelCommand(int id) override { cancelled.append(id); }
    void watch(const ui::RunPlace& run, qint64 afterSeq) override {
        watched.append(run);
        watchedAfter[run.uid] = afterSeq;
    }
    void unwatch(const QString& uid) override {
        watched.removeIf([&](const ui::RunPlace& run) { return run.uid == uid; });
        watchedAfter.remove(uid);
    }

    // Of the newest question of this kind.
    void answer(const QString& what, const Result<QByteArray>& reply) {
        for (auto at = asked.rbegin(); at != asked.rend(); ++at)
            if (at->what == what) {
                if (at->context && at->done) at->done(reply);
                return;
            }
    }
    void play(const QString& run, const wire::Payload& payload, qint64 seq) {
        wire::Event e;
        e.run = run.toStdString();
        e.seq = seq;
        e.payload = payload;
        Q_EMIT event(run, e);
    }
    void die(const QString& run, const QString& why) { Q_EMIT detached(run, why); }
};

} // namespace qw::test
