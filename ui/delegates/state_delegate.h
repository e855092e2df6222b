// SPDX-License-Identifier: GPL-3.0-or-later
// What: a run's state as icon and word, coloured by what it means to the reader.
#pragma once

#include "theme/theme.h"

#include <QStyledItemDelegate>
#include <functional>

namespace qw::ui {

struct StateLook {
    QString icon; // of resources/icons
    Token token = Token::Text;
};

class StateDelegate : public QStyledItemDelegate {
    Q_OBJECT
public:
    // stateRole holds an int; look says how that state is drawn. Cells without one are painted as usual.
    StateDelegate(int stateRole, std::function<StateLook(int)> look, QObject* parent = nullptr)
        : QStyledItemDelegate(parent), m_role(stateRole), m_look(std::move(look)) {}

protected:
    void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override;

private:
    int m_role;
    std::function<StateLook(int)> m_look;
};

} // namespace qw::ui
