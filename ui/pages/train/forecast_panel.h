// SPDX-License-Identifier: GPL-3.0-or-later
// What: memory and time of the study before it starts: asks the engine's plan, shows the newest answer, says what to change.
// Limits: asks by itself only for small training text, because a plan reads all of it, and only while nothing is training; the button
// asks for any, and measures steps.
#pragma once

#include "client/session.h"
#include "pages/train/forecast.h"

#include <QFrame>
#include <QTimer>

class QLabel;
class QProgressBar;
class QPushButton;
class QVBoxLayout;

namespace qw::ui {

class MemoryBar;

class ForecastPanel : public QFrame {
    Q_OBJECT
public:
    explicit ForecastPanel(Session& session, QWidget* parent = nullptr);
    // Another recipe: what is shown is of the one before. why: not empty when there is nothing to plan.
    void setRecipe(const QString& recipeText, qint64 dataBytes, const QString& why);
    void stop(); // takes back a question that is in work
    [[nodiscard]] const std::optional<Forecast>& forecast() const { return m_forecast; }

Q_SIGNALS:
    void changed(); // forecast() is new

protected:
    void showEvent(QShowEvent* event) override;

private:
    void build();
    void ask(bool probe);
    void answer(const Result<QByteArray>& reply);
    void show(const Forecast& forecast);
    [[nodiscard]] bool asksByItself() const;
    void showWays(const Forecast& forecast);
    void say(const QString& text, const char* look);
    void setBusy(bool busy);
    void markStale(bool stale);
    Session& m_session;
    QString m_recipe, m_planned; // m_planned: what the shown forecast is of
    QString m_why;
    bool m_small = false, m_busy = false;
    int m_activity = 0;
    int m_serial = 0; // of the newest question
    std::optional<Forecast> m_forecast;
    QTimer m_later;
    MemoryBar* m_bar = nullptr;
    QLabel* m_memory = nullptr;
    QLabel* m_time = nullptr;
    QLabel* m_notes = nullptr;
    QProgressBar* m_progress = nullptr;
    QPushButton* m_measure = nullptr;
    QLabel* m_waysTitle = nullptr;
    QVBoxLayout* m_ways = nullptr;
};

} // namespace qw::ui
