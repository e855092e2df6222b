// SPDX-License-Identifier: GPL-3.0-or-later
// What: QCustomPlot's header, which spells Qt's keywords that our targets switch off.
#pragma once

#include <QObject>

#define signals Q_SIGNALS
#define slots Q_SLOTS
#define foreach(item, list) for (item : list)
#include <qcustomplot.h>
#undef signals
#undef slots
#undef foreach
