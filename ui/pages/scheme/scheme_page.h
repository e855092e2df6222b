// SPDX-License-Identifier: GPL-3.0-or-later
// What: schemes side by side with what they cost: list, form, live preview on the real weights, layers, YAML.
#pragma once

#include "models/scheme_draft.h"
#include "models/scheme_list.h"
#include "models/scheme_preview.h"
#include "pages/page.h"

class QHBoxLayout;
class QLabel;
class QListView;
class QPlainTextEdit;
class QPushButton;
class QSplitter;
class QTabWidget;

namespace qw::ui {

class OverridePanel;
class PreviewPanel;
class SchemeForm;

class SchemePage : public Page {
    Q_OBJECT
public:
    SchemePage(Session& session, ActionRegistry& actions);
    void find() override;
    void saveViewState() override;
    [[nodiscard]] SchemePreview& preview() { return m_preview; }
    [[nodiscard]] SchemeDraft& draft() { return m_draft; }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override; // Ctrl+D, F2, Del and Return in the list
    void showEvent(QShowEvent* event) override;                 // the preview works only while somebody looks
    void hideEvent(QHideEvent* event) override;

private:
    void buildContent();
    QWidget* buildList();
    QWidget* buildWork();
    QWidget* buildHeader();
    QWidget* buildBottom();
    void buildActions();
    void wire();
    void picked(const QModelIndex& index);
    void showDraft();    // form, texts, buttons; asks for a new preview
    void showProblems(); // of scheme and plan, after the facts are known
    void selectShown();
    void importFile();
    void exportFile();
    void saveAs();
    void removeShown();
    void addToQueue();
    [[nodiscard]] QString commandLine() const;
    [[nodiscard]] int64_t widest() const;
    [[nodiscard]] QString whyNotQueued() const;
    SchemeDraft m_draft;
    SchemeList m_list;
    SchemePreview m_preview;
    struct Question {
        records::QatBlock block;
        records::DType type = records::DType::F32;
        QString layer;
        std::shared_ptr<const checkpoint::Inspection> model;
        bool operator==(const Question&) const = default;
    };
    std::optional<Question> m_asked; // the same question is not asked again when something else of the recipe changes
    QString m_layer;                 // whose pictures are shown
    bool m_browse = false;           // presets are being looked at, though there is no scheme yet
    QListView* m_view = nullptr;
    QHBoxLayout* m_tools = nullptr;
    QSplitter* m_outer = nullptr;
    QSplitter* m_rows = nullptr;
    QSplitter* m_top = nullptr;
    QLabel* m_title = nullptr;
    QLabel* m_about = nullptr;
    QPushButton* m_add = nullptr;
    QPushButton* m_queue = nullptr;
    SchemeForm* m_form = nullptr;
    PreviewPanel* m_panel = nullptr;
    OverridePanel* m_overrides = nullptr;
    QTabWidget* m_tabs = nullptr;
    QPlainTextEdit* m_yaml = nullptr;
    QLabel* m_command = nullptr;
    QPushButton* m_copy = nullptr;
};

} // namespace qw::ui
