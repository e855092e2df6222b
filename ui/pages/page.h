// SPDX-License-Identifier: GPL-3.0-or-later
// What: what every page has: its four states (property viewState), a banner, an empty text with the one button that fills it.
#pragma once

#include "client/session.h"
#include "widgets/action_registry.h"
#include "widgets/banner.h"

#include <QWidget>

class QLabel;
class QPushButton;
class QStackedWidget;

namespace qw::ui {

class Page : public QWidget {
    Q_OBJECT
public:
    enum class ViewState : uint8_t { Empty, Loading, Ready, Error };

    // name: objectName, "pageModel"; title: in the list of pages; icon: of resources/icons.
    Page(PageId id, const QString& name, const QString& title, const QString& icon, Session& session, ActionRegistry& actions);

    [[nodiscard]] PageId id() const { return m_id; }
    [[nodiscard]] QString title() const { return m_title; }
    [[nodiscard]] QString iconName() const { return m_icon; }
    [[nodiscard]] ViewState viewState() const { return m_state; }
    [[nodiscard]] QString badge() const { return m_badge; } // short text beside the title: "●", "3"

    virtual void find() {}                            // Ctrl+F: focus the page's filter
    virtual void saveViewState() {}                   // into session().settings; called at close and now and then
    [[nodiscard]] virtual QString guideTopic() const; // file of resources/guide, without .md

Q_SIGNALS:
    void viewStateChanged();
    void badgeChanged();

protected:
    [[nodiscard]] Session& session() const { return m_session; }
    [[nodiscard]] ActionRegistry& actions() const { return m_actions; }
    [[nodiscard]] QWidget* content() const { return m_content; } // where the page builds itself
    [[nodiscard]] Banner& banner() const { return *m_banner; }

    void setEmpty(const QString& text, const QString& button, std::function<void()> run); // texts of the empty state
    void setEmptySecond(const QString& button, std::function<void()> run);                // another way to fill it
    void setViewState(ViewState state, const QString& loadingText = {});
    void setStale(bool stale);             // old facts stay on screen, dimmed, while new ones come
    void setErrorContent(QWidget* widget); // shown below the banner of an error instead of the page's general words
    // State error with the banner; whatever was shown stays below it only when keepContent.
    void fail(const Error& error, const std::vector<WayOut>& ways = {}, bool keepContent = false);
    void setBadge(const QString& text);

private:
    PageId m_id;
    QString m_title, m_icon, m_badge;
    Session& m_session;
    ActionRegistry& m_actions;
    ViewState m_state = ViewState::Empty;
    Banner* m_banner = nullptr;
    QStackedWidget* m_stack = nullptr;
    QWidget* m_empty = nullptr;
    QLabel* m_emptyText = nullptr;
    QPushButton* m_emptyAction = nullptr;
    QPushButton* m_emptySecond = nullptr;
    QLabel* m_loadingText = nullptr;
    QWidget* m_loading = nullptr;
    QWidget* m_trouble = nullptr; // of an error that leaves nothing to show
    QWidget* m_content = nullptr;
    std::function<void()> m_emptyRun, m_emptySecondRun;
};

} // namespace qw::ui
