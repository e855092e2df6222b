// SPDX-License-Identifier: GPL-3.0-or-later
// What: finding, jumping, copying and saving in the log; long work goes in slices of the event loop.
#include "docks/log_dock.h"
#include "theme/theme.h"

#include <QCheckBox>
#include <QElapsedTimer>
#include <QLabel>
#include <QLineEdit>
#include <QTableView>
#include <algorithm>

namespace qw::ui {
namespace {

constexpr int kSliceMs = 8, kCheckEvery = 64;

} // namespace

QRegularExpression LogDock::pattern() {
    const QRegularExpression expression(m_find->text(), QRegularExpression::CaseInsensitiveOption);
    const bool good = expression.isValid();
    QPalette palette = m_find->palette();
    palette.setColor(QPalette::Text, Theme::instance().colour(good ? Token::Text : Token::Bad));
    m_find->setPalette(palette);
    m_find->setToolTip(good ? tr("Enter: next match, Shift+Enter: the one before")
                            : tr("No regular expression: %1").arg(expression.errorString()));
    return good ? expression : QRegularExpression();
}

void LogDock::find(bool forward) {
    m_findPattern = pattern();
    const int rows = m_model.rowCount();
    if (m_findPattern.pattern().isEmpty() || rows == 0) return;
    const int current = m_view->currentIndex().isValid() ? m_view->currentIndex().row() : forward ? rows - 1 : 0;
    m_findStep = forward ? 1 : -1;
    m_findRow = current;
    m_findLeft = rows;
    m_findSlice.start();
}

void LogDock::findOn() {
    QElapsedTimer timer;
    timer.start();
    const int rows = m_model.rowCount();
    for (int n = 1; m_findLeft > 0 && rows > 0; ++n, --m_findLeft) {
        m_findRow = (m_findRow + m_findStep + rows) % rows;
        if (m_model.matches(m_findRow, m_findPattern)) {
            setTail(false);
            m_view->setCurrentIndex(m_model.index(m_findRow, LogModel::Text));
            m_view->scrollTo(m_view->currentIndex(), QAbstractItemView::PositionAtCenter);
            m_findSlice.stop();
            return;
        }
        if (n % kCheckEvery == 0 && timer.elapsed() >= kSliceMs) return;
    }
    m_findSlice.stop();
    m_count->setText(tr("no match"));
}

void LogDock::jumpToStep(int64_t step) {
    const int row = m_model.rowOfStep(step);
    if (row < 0) {
        m_count->setText(tr("no line of step %1").arg(step));
        return;
    }
    setTail(false);
    m_view->setCurrentIndex(m_model.index(row, LogModel::Text));
    m_view->scrollTo(m_view->currentIndex(), QAbstractItemView::PositionAtTop);
}

QString LogDock::selectedText() const {
    QModelIndexList rows = m_view->selectionModel()->selectedRows();
    std::sort(rows.begin(), rows.end());
    QStringList lines;
    for (const QModelIndex& index : rows) lines << m_model.lineText(index.row());
    return lines.join(QLatin1Char('\n'));
}

void LogDock::save(const QString& file) {
    m_saving = std::make_unique<QSaveFile>(file);
    m_saveRow = 0;
    if (m_saving->open(QIODevice::WriteOnly)) {
        m_saveSlice.start();
        return;
    }
    Q_EMIT m_session.notice(Error{"file.io", utf8(tr("the log could not be saved to %1: %2").arg(file, m_saving->errorString())),
                                  utf8(tr("choose another place")), "", false});
    m_saving.reset();
}

void LogDock::saveOn() {
    QElapsedTimer timer;
    timer.start();
    const int rows = m_model.rowCount();
    while (m_saveRow < rows && timer.elapsed() < kSliceMs)
        for (const int end = std::min(rows, m_saveRow + kCheckEvery); m_saveRow < end; ++m_saveRow)
            m_saving->write((m_model.lineText(m_saveRow) + QLatin1Char('\n')).toUtf8());
    if (m_saveRow < rows) return;
    m_saveSlice.stop();
    const QString file = m_saving->fileName();
    if (m_saving->commit())
        Q_EMIT saved(file);
    else
        Q_EMIT m_session.notice(Error{"file.io", utf8(tr("the log could not be saved to %1: %2").arg(file, m_saving->errorString())),
                                      utf8(tr("free some space, or choose another place")), "", false});
    m_saving.reset();
}

} // namespace qw::ui
