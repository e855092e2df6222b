// SPDX-License-Identifier: GPL-3.0-or-later
// What: one command of the tool `qatw` as a child process: lines of progress as they come, one answer at the end.
// Why on a thread apart from the window's: whoever starts a program waits until it is loaded, from a slow disk for a tenth of a second.
// Limits: made anywhere, then used on the thread it is moved to; waits only in the destructor, for a child that it ends.
#pragma once

#include "base/result.h"

#include <QObject>
#include <QProcess>
#include <QStringList>
#include <QTemporaryFile>
#include <memory>

namespace qw::ui {

class ToolProcess : public QObject {
    Q_OBJECT
public:
    // recipeText: becomes a file named after the first argument, removed with this object, "recipe" in messages; null for none.
    ToolProcess(QStringList arguments, QString recipeText);
    ~ToolProcess() override;

    void start();
    void cancel(); // the child is asked to end, then told, then killed; it answers all the same

Q_SIGNALS:
    void said(const QString& sentence);
    void ended(const qw::Result<QByteArray>& answer); // once, and last

private:
    [[nodiscard]] Status writeRecipe();
    void readProgress();
    void finish();
    [[nodiscard]] Result<QByteArray> result();
    [[nodiscard]] QString cleaned(QString text) const;

    QStringList m_arguments;
    QString m_recipeText;
    std::unique_ptr<QTemporaryFile> m_recipe;
    QProcess m_process{this};
    QByteArray m_errors; // the end of its standard error, for a child that dies without an answer
};

} // namespace qw::ui
