// SPDX-License-Identifier: GPL-3.0-or-later
// What: the recipe as text and the command that does the same as the button below it (ui.md 1.9); saving it as a file.
#pragma once

#include "client/session.h"

#include <QFrame>

class QPlainTextEdit;
class QLabel;

namespace qw::ui {

class RecipePanel : public QFrame {
    Q_OBJECT
public:
    explicit RecipePanel(Session& session, QWidget* parent = nullptr);
    void show(const QString& yaml);
    [[nodiscard]] QString command() const; // as a shell takes it
    void saveAs();

private:
    void build();
    void update();
    [[nodiscard]] QString fileName() const; // where it was saved, else the study's name
    Session& m_session;
    QPlainTextEdit* m_text = nullptr;
    QLabel* m_command = nullptr;
    QString m_saved; // path of the file that holds this very text; empty: none
    QString m_savedText;
};

} // namespace qw::ui
