// SPDX-License-Identifier: GPL-3.0-or-later
// What: the opened model's weights for work on the compute thread; opened there when they are first asked for, again after a reload.
#pragma once

#include "checkpoint/inspect.h"
#include "checkpoint/weight_source.h"

#include <memory>
#include <optional>
#include <string>

namespace qw::ui {

// Which weights are meant; no model: synthetic ones.
struct WeightsOf {
    std::string folder;
    std::shared_ptr<const checkpoint::Inspection> model; // kept, so that a reload is another model
};

class ModelWeights {
public:
    [[nodiscard]] Result<checkpoint::WeightSource*> open(const WeightsOf& of) {
        if (!m_source || m_of.model != of.model || m_of.folder != of.folder) {
            m_source.reset();
            if (of.model) {
                QW_TRY(m_source, checkpoint::WeightSource::open(of.folder));
            } else
                m_source = checkpoint::WeightSource::synthetic();
            m_of = of;
        }
        return &*m_source;
    }

private:
    WeightsOf m_of;
    std::optional<checkpoint::WeightSource> m_source;
};

} // namespace qw::ui
