// SPDX-License-Identifier: GPL-3.0-or-later
#include "shell/drop_overlay.h"

#include "client/session.h"
#include "theme/theme.h"

#include <QDragEnterEvent>
#include <QDropEvent>
#include <QMimeData>
#include <QUrl>

namespace qw::ui {

DropOverlay::DropOverlay(Session& session, QWidget* window) : QLabel(window), m_session(session) {
    setObjectName(QStringLiteral("dropOverlay"));
    setAlignment(Qt::AlignCenter);
    setWordWrap(true);
    setAttribute(Qt::WA_TransparentForMouseEvents);
    setAutoFillBackground(true);
    QFont large = font();
    large.setPointSizeF(large.pointSizeF() * 1.6);
    setFont(large);
    hide();
    window->setAcceptDrops(true);
    window->installEventFilter(this);
}

QString DropOverlay::pathOf(const QMimeData* data) {
    const QList<QUrl> urls = data->urls();
    return urls.size() == 1 && urls.front().isLocalFile() ? urls.front().toLocalFile() : QString();
}

void DropOverlay::cover(const QString& text, bool good) {
    const Theme& theme = Theme::instance();
    QPalette palette = this->palette();
    palette.setColor(QPalette::Window, theme.colour(good ? Token::InfoBack : Token::BadBack));
    palette.setColor(QPalette::WindowText, theme.colour(Token::Text));
    setPalette(palette);
    setText(text);
    setAccessibleName(text);
    setGeometry(parentWidget()->rect());
    raise();
    show();
}

bool DropOverlay::eventFilter(QObject* watched, QEvent* event) {
    switch (event->type()) {
    case QEvent::DragEnter: {
        auto* drag = static_cast<QDragEnterEvent*>(event);
        if (!drag->mimeData()->hasUrls()) break;
        const QString path = pathOf(drag->mimeData());
        QString why = path.isEmpty() ? tr("one folder or file at a time") : QString();
        const QString what = path.isEmpty() ? QString() : Session::whatIs(path, why);
        cover(what.isEmpty() ? tr("Cannot open this: %1").arg(why) : what, !what.isEmpty());
        drag->acceptProposedAction(); // also a bad one: the overlay is the explanation
        return true;
    }
    case QEvent::DragLeave:
        hide();
        return true;
    case QEvent::Drop: {
        hide();
        auto* drop = static_cast<QDropEvent*>(event);
        const QString path = pathOf(drop->mimeData());
        if (!path.isEmpty()) m_session.openPath(path);
        drop->acceptProposedAction();
        return true;
    }
    case QEvent::Resize:
        if (isVisible()) setGeometry(parentWidget()->rect());
        break;
    default:
        break;
    }
    return QLabel::eventFilter(watched, event);
}

} // namespace qw::ui
