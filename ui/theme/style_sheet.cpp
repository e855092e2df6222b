// SPDX-License-Identifier: GPL-3.0-or-later
#include "theme/style_sheet.h"

namespace qw::ui {
namespace {

// @token@ is replaced by its colour. Sizes are in em of the widget's font, so they follow the user's font.
const char* const kSheet = R"(
QToolTip { background: @tooltip@; color: @tooltipText@; border: 1px solid @border@; padding: 0.3em; }
QFrame[look="card"] { background: @raised@; border: 1px solid @border@; border-radius: 6px; }
QFrame[look="card"] QLabel { background: transparent; }
QLabel[look="title"] { font-size: 14pt; font-weight: 600; }
QLabel[look="heading"] { font-weight: 600; }
QLabel[look="muted"] { color: @muted@; }
QLabel[look="cell"] { padding: 0 0.8em 0 0.4em; }
QLabel[look="error"] { color: @bad@; }
QLabel[look="warning"] { color: @warning@; }
QLabel[look="figure"] { font-size: 12pt; font-weight: 600; }
QPlainTextEdit[look="mono"], QTextEdit[look="mono"], QLabel[look="mono"] { font-family: "DejaVu Sans Mono", monospace; }
QPushButton { background: @raised@; color: @text@; border: 1px solid @border@; border-radius: 4px; padding: 0.3em 0.9em; }
QPushButton:hover { border-color: @accent@; }
QPushButton:pressed { background: @selection@; }
QPushButton:checked { background: @selection@; color: @selectionText@; border-color: @accent@; }
QPushButton:disabled { color: @disabled@; background: @window@; }
QPushButton:focus { border: 2px solid @accent@; }
QPushButton[look="primary"] { background: @accent@; color: @accentText@; border-color: @accent@; font-weight: 600; }
QPushButton[look="primary"]:disabled { background: @alternate@; color: @disabled@; border-color: @border@; }
QPushButton[look="row"] { text-align: left; }
QToolButton:focus { border: 2px solid @accent@; border-radius: 4px; }
QListView#navList { background: @window@; border: none; outline: none; font-size: 11pt; }
QListView#navList::item { padding: 0.45em 0.6em; border-left: 3px solid transparent; }
QListView#navList::item:selected { background: @selection@; color: @selectionText@; border-left: 3px solid @accent@; }
QListView#navList::item:hover:!selected { background: @alternate@; }
QListView[look="choices"]::item { padding: 0.35em 0.5em; border: none; }
QListView[look="choices"]::item:selected { background: @selection@; color: @selectionText@; }
QHeaderView::section { background: @window@; color: @muted@; border: none; border-bottom: 1px solid @border@; padding: 0.25em 0.25em; }
QTableView, QTreeView, QListView, QPlainTextEdit, QTextEdit { border: 1px solid @border@; border-radius: 4px; }
QTableView, QTreeView { alternate-background-color: @alternate@; gridline-color: @border@; }
QTableView:focus, QTreeView:focus, QListView:focus, QPlainTextEdit:focus { border: 2px solid @accent@; }
QDockWidget::title { background: @window@; padding: 0.15em 0.35em; border-bottom: 1px solid @border@; }
QTabBar { qproperty-drawBase: 0; }
QTabBar::tab { padding: 0.35em 1em; border: none; border-bottom: 3px solid transparent; color: @muted@; background: transparent; }
QTabBar::tab:selected { color: @text@; border-bottom: 3px solid @accent@; }
QTabBar::tab:hover { color: @text@; }
QTabWidget::pane { border: none; border-top: 1px solid @border@; }
QGroupBox { border: 1px solid @border@; border-radius: 6px; margin-top: 0.8em; padding-top: 0.5em; font-weight: 600; }
QGroupBox::title { subcontrol-origin: margin; left: 0.8em; padding: 0 0.3em; }
QStatusBar { border-top: 1px solid @border@; }
QStatusBar::item { border: none; }
QProgressBar { border: 1px solid @border@; border-radius: 4px; background: @base@; text-align: center; color: @text@; }
QProgressBar::chunk { background: @selection@; border-radius: 3px; }
QSplitter::handle { background: @border@; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QFrame#bannerError { background: @badBack@; border: 1px solid @bad@; border-radius: 6px; }
QFrame[banner="warning"] { background: @warningBack@; border: 1px solid @warning@; border-radius: 6px; }
QFrame[banner="info"] { background: @infoBack@; border: 1px solid @info@; border-radius: 6px; }
QFrame[banner] QLabel, QFrame#bannerError QLabel { background: transparent; color: @text@; }
)";

} // namespace

QString styleSheet(const ThemeTable& table) {
    static const std::pair<const char*, Token> names[] = {{"window", Token::Window},
                                                          {"base", Token::Base},
                                                          {"alternate", Token::Alternate},
                                                          {"raised", Token::Raised},
                                                          {"border", Token::Border},
                                                          {"text", Token::Text},
                                                          {"muted", Token::Muted},
                                                          {"disabled", Token::Disabled},
                                                          {"accent", Token::Accent},
                                                          {"accentText", Token::AccentText},
                                                          {"selection", Token::Selection},
                                                          {"selectionText", Token::SelectionText},
                                                          {"bad", Token::Bad},
                                                          {"badBack", Token::BadBack},
                                                          {"warning", Token::Warning},
                                                          {"warningBack", Token::WarningBack},
                                                          {"info", Token::Info},
                                                          {"infoBack", Token::InfoBack},
                                                          {"tooltip", Token::Tooltip},
                                                          {"tooltipText", Token::TooltipText}};
    QString sheet = QString::fromUtf8(kSheet);
    for (const auto& [name, token] : names)
        sheet.replace(QLatin1Char('@') + QString::fromLatin1(name) + QLatin1Char('@'), table[token].name());
    return sheet;
}

} // namespace qw::ui
