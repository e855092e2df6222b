// SPDX-License-Identifier: GPL-3.0-or-later
#include "eval/generator.h"

#include "base/clock.h"
#include "eval/text_stream.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <algorithm>
#include <cmath>

namespace qw::eval {
namespace {

class Generation {
public:
    Generation(const model::Decoder& decoder, const tokenizer::Tokenizer* tokenizer, const std::vector<int32_t>& prompt,
               const GenerateOptions& options, const OnToken& onToken)
        : m_decoder(decoder), m_options(options), m_onToken(onToken), m_prompt(prompt), m_stream(tokenizer, prompt, options.stops) {}

    Result<Generated> run() {
        const at::NoGradGuard noGrad;
        try {
            QW_CHECK(loop());
        } catch (const model::Cancelled&) {
            m_out.finish = "cancelled";
        }
        show(-1, m_stream.rest());
        if (m_stream.stopped()) m_out.finish = "stop";
        return std::move(m_out);
    }

private:
    [[nodiscard]] bool cancelled() const { return m_options.cancel && m_options.cancel->level() >= CancelLevel::StopAtStep; }

    Status loop() {
        const int64_t start = monotonicNs();
        QW_CHECK(extend(m_prompt));
        const int64_t ready = monotonicNs();
        m_out.promptSeconds = static_cast<double>(ready - start) * 1e-9;
        while (m_out.finish.empty()) {
            const int32_t id = nextToken(m_logits, m_options.sampling, m_options.prompt, m_out.ids.size());
            m_out.ids.push_back(id);
            const bool ends = std::ranges::find(m_options.endIds, id) != m_options.endIds.end();
            show(id, ends ? std::string() : m_stream.add(id));
            if (ends)
                m_out.finish = "eos";
            else if (m_stream.stopped())
                m_out.finish = "stop";
            else if (static_cast<int64_t>(m_out.ids.size()) >= m_options.maxNewTokens)
                m_out.finish = "length";
            else if (cancelled())
                m_out.finish = "cancelled";
            else {
                QW_CHECK(extend({id}));
                ++m_out.steps;
                m_out.seconds = static_cast<double>(monotonicNs() - ready) * 1e-9;
            }
        }
        return {};
    }

    // The next token's logits into m_logits.
    Status extend(const std::vector<int32_t>& ids) {
        at::Tensor row = at::empty({1, static_cast<int64_t>(ids.size())}, at::TensorOptions().dtype(at::kLong));
        std::ranges::copy(ids, row.mutable_data_ptr<int64_t>());
        const model::ForwardOptions forward{false, m_options.cancel};
        const at::Tensor hidden = m_decoder.extendHidden(m_cache, row.to(m_decoder.device()), forward);
        const at::Tensor logits = m_decoder.logits(hidden.narrow(1, hidden.size(1) - 1, 1)).to(at::kFloat).to(at::kCPU).contiguous();
        const auto* data = logits.const_data_ptr<float>();
        m_logits.assign(data, data + logits.numel());
        const bool good = std::ranges::all_of(m_logits, [](float x) { return x < INFINITY; }); // false for NaN too
        if (good && std::ranges::any_of(m_logits, [](float x) { return x > -INFINITY; })) return {};
        return Error{"train.nonfinite", "the logits after " + std::to_string(m_cache.length()) + " tokens are not finite",
                     "look at the weights with 'qatw inspect', or try --dtype fp32", "", false};
    }

    void show(int32_t id, const std::string& text) {
        m_out.text += text;
        if (m_onToken && (id >= 0 || !text.empty())) m_onToken(id, text);
    }

    const model::Decoder& m_decoder;
    const GenerateOptions& m_options;
    const OnToken& m_onToken;
    const std::vector<int32_t>& m_prompt;
    TextStream m_stream;
    model::KvCache m_cache;
    std::vector<float> m_logits;
    Generated m_out;
};

} // namespace

Result<Generated> generate(const model::Decoder& decoder, const tokenizer::Tokenizer* tokenizer, const std::vector<int32_t>& prompt,
                           const GenerateOptions& options, const OnToken& onToken) {
    return Generation(decoder, tokenizer, prompt, options, onToken).run();
}

} // namespace qw::eval
