// SPDX-License-Identifier: GPL-3.0-or-later
// What: the strip above a page's content: fact, cause and next step of an error, a warning or a piece of news, with the ways out.
#pragma once

#include "base/result.h"

#include <QFrame>
#include <QString>
#include <functional>
#include <vector>

class QHBoxLayout;
class QLabel;
class QToolButton;

namespace qw::ui {

struct WayOut {
    QString text;
    std::function<void()> run;
    QString disabledReason; // shown disabled when not empty
};

class Banner : public QFrame {
    Q_OBJECT
public:
    enum class Strength : uint8_t { Error, Warning, Info };
    explicit Banner(QWidget* parent = nullptr); // objectName bannerError; hidden

    // Property `code` holds error.code. Details and Copy are added by itself when there is a detail.
    void show(Strength strength, const Error& error, const std::vector<WayOut>& ways = {});
    void dismiss();

Q_SIGNALS:
    void dismissed();

private:
    QLabel* m_icon = nullptr;
    QLabel* m_message = nullptr;
    QLabel* m_hint = nullptr;
    QLabel* m_detail = nullptr;
    QHBoxLayout* m_buttons = nullptr;
    QToolButton* m_close = nullptr;
};

} // namespace qw::ui
