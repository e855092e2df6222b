// SPDX-License-Identifier: GPL-3.0-or-later
// What: Ctrl+C in a table or tree copies the selected rows as lines of tab-separated cells, visible columns in their order.
#pragma once

class QAbstractItemView;
class QString;

namespace qw::ui {

void copyRowsWithCtrlC(QAbstractItemView* view);
[[nodiscard]] QString selectedRowsText(const QAbstractItemView& view); // header first

} // namespace qw::ui
