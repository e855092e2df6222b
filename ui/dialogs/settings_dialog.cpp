// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialogs/settings_dialog.h"

#include "dialogs/dialogs.h"
#include "dialogs/shortcut_editor.h"
#include "theme/theme.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDoubleSpinBox>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QSpinBox>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

namespace qw::ui {

SettingsDialog::SettingsDialog(Settings& settings, ActionRegistry& actions, QWidget* parent) : QDialog(parent), m_settings(settings) {
    setObjectName(QStringLiteral("settingsDialog"));
    setWindowTitle(tr("Preferences"));
    m_search = new QLineEdit(this);
    m_search->setPlaceholderText(tr("Search settings"));
    m_search->setAccessibleName(tr("Search settings"));
    m_search->setObjectName(QStringLiteral("settingsSearch"));
    m_search->setClearButtonEnabled(true);
    m_pageList = new QListWidget(this);
    m_pageList->setAccessibleName(tr("Groups of settings"));
    m_pageList->setProperty("look", QStringLiteral("choices"));
    m_pages = new QStackedWidget(this);
    QStringList names;
    for (const SettingInfo& info : Settings::table())
        if (!names.contains(info.page)) names << info.page;
    m_shortcuts = new ShortcutEditor(actions);
    for (const QString& name : names) {
        if (name == names.last()) { // Advanced comes last
            m_pageList->addItem(tr("Shortcuts"));
            m_pages->addWidget(m_shortcuts);
        }
        m_pageList->addItem(name);
        m_pages->addWidget(buildPage(name));
    }
    m_pageList->setFixedWidth(fontMetrics().averageCharWidth() * 22);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(m_pageList, &QListWidget::currentRowChanged, m_pages, &QStackedWidget::setCurrentIndex);
    connect(m_search, &QLineEdit::textChanged, this, &SettingsDialog::search);
    auto* grid = new QGridLayout(this);
    grid->addWidget(m_search, 0, 0, 1, 2);
    grid->addWidget(m_pageList, 1, 0);
    grid->addWidget(m_pages, 1, 1);
    grid->addWidget(buttons, 2, 0, 1, 2);
    m_pageList->setCurrentRow(0);
    resize(fontMetrics().averageCharWidth() * 110, fontMetrics().height() * 24);
}

QWidget* SettingsDialog::buildPage(const QString& page) {
    auto* made = new QWidget;
    auto* grid = new QGridLayout(made);
    int row = 0;
    for (const SettingInfo& info : Settings::table()) {
        if (info.page != page) continue;
        QWidget* editor = buildEditor(info);
        editor->setObjectName(info.key);
        editor->setAccessibleName(info.name);
        editor->setToolTip(info.help);
        auto* name = new QLabel(info.name, made);
        name->setBuddy(editor);
        auto* help = new QLabel(info.help, made);
        help->setProperty("look", QStringLiteral("muted"));
        help->setWordWrap(true);
        auto* reset = new QToolButton(made);
        reset->setObjectName(info.key + QStringLiteral(".reset"));
        reset->setIcon(Theme::instance().icon(QStringLiteral("reset")));
        reset->setToolTip(tr("Back to the default"));
        reset->setAccessibleName(tr("Reset %1").arg(info.name));
        reset->setVisible(m_settings.isChanged(info.key));
        connect(reset, &QToolButton::clicked, this, [this, key = info.key] { m_settings.reset(key); });
        connect(&m_settings, &Settings::changed, reset, [this, reset, key = info.key](const QString& changed) {
            if (changed == key) reset->setVisible(m_settings.isChanged(key));
        });
        grid->addWidget(name, row, 0);
        grid->addWidget(editor, row, 1);
        grid->addWidget(reset, row, 2);
        grid->addWidget(help, row + 1, 0, 1, 3);
        row += 2;
    }
    grid->setColumnStretch(0, 1);
    grid->setRowStretch(row, 1);
    return made;
}

// One editor for each type; both ways, so that a reset or another window shows at once.
QWidget* SettingsDialog::buildEditor(const SettingInfo& info) {
    const QString key = info.key;
    const auto follow = [this, key](QObject* editor, auto show) {
        show();
        connect(&m_settings, &Settings::changed, editor, [key, show](const QString& changed) {
            if (changed == key) show();
        });
    };
    if (info.fallback.metaType().id() == QMetaType::Bool) {
        auto* box = new QCheckBox(tr("On"));
        follow(box, [this, box, key] { box->setChecked(m_settings.value(key).toBool()); });
        connect(box, &QCheckBox::toggled, this, [this, key](bool on) { m_settings.setValue(key, on); });
        return box;
    }
    if (!info.choices.isEmpty()) {
        auto* box = new QComboBox;
        for (const QString& choice : info.choices) box->addItem(choice.left(1).toUpper() + choice.mid(1), choice);
        follow(box, [this, box, key] { box->setCurrentIndex(box->findData(m_settings.value(key))); });
        connect(box, &QComboBox::currentIndexChanged, this, [this, box, key] { m_settings.setValue(key, box->currentData()); });
        return box;
    }
    auto* box = new QDoubleSpinBox;
    const bool whole = info.most > 4;
    box->setDecimals(whole ? 0 : 3);
    box->setRange(info.least, info.most);
    box->setSingleStep(whole ? 1 : 0.05);
    follow(box, [this, box, key] { box->setValue(m_settings.value(key).toDouble()); });
    connect(box, &QDoubleSpinBox::valueChanged, this, [this, key](double value) { m_settings.setValue(key, value); });
    return box;
}

// Settings come first; where only actions can be meant, their keys are shown.
void SettingsDialog::search(const QString& text) {
    int first = -1;
    const int shortcuts = m_pages->indexOf(m_shortcuts);
    for (int i = 0; i < m_pageList->count(); ++i) {
        const QString page = m_pageList->item(i)->text();
        const bool hit =
            i == shortcuts || text.isEmpty() || std::ranges::any_of(Settings::table(), [&](const SettingInfo& info) {
                return info.page == page &&
                       (info.name + QLatin1Char(' ') + info.help + QLatin1Char(' ') + info.key).contains(text, Qt::CaseInsensitive);
            });
        m_pageList->item(i)->setHidden(!hit);
        if (hit && first < 0 && i != shortcuts) first = i;
    }
    m_shortcuts->filter(text);
    m_pageList->setCurrentRow(first < 0 ? shortcuts : first);
}

void showSettings(Session& session, ActionRegistry& actions, QWidget* parent) {
    auto* dialog = new SettingsDialog(session.settings, actions, parent);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

} // namespace qw::ui
