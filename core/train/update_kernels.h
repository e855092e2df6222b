// SPDX-License-Identifier: GPL-3.0-or-later
// What: the optimizers' update of one run of elements on raw pointers, and sums over gradients (training.md 4). fp32 arithmetic per
// element. Why here: torch's own chain reads and writes every tensor several times, and its fused kernel cannot mix bf16 weights with fp32
// state. Limits: built without contraction, so every instruction set gives the same bits.
#pragma once

#include <cstdint>

namespace qw::train {

struct AdamWStep {
    float lr = 0, keep = 1;                                   // keep = 1 - lr * weight_decay
    float beta1 = 0, beta1Rest = 1, beta2 = 0, beta2Rest = 1; // rest = 1 - beta
    float bias1 = 1, bias2 = 1;                               // 1 - beta^t
    float eps = 0, gradScale = 1;
};
struct SgdStep {
    float lr = 0, momentum = 0, dampRest = 1, weightDecay = 0, gradScale = 1; // dampRest = 1 - dampening
    bool nesterov = false, first = false;                                     // first: the buffer becomes the gradient
};

// w is fp32 (weights, or the master of a bf16 working copy). max may be null (no amsgrad); momentum may be null.
void adamwF32(const AdamWStep& s, int64_t n, float* w, const float* g, float* m, float* v, float* max);
void adamwF32Bf16Grad(const AdamWStep& s, int64_t n, float* w, const uint16_t* g, float* m, float* v, float* max);
void adamwBf16(const AdamWStep& s, int64_t n, uint16_t* w, const uint16_t* g, uint16_t* m, uint16_t* v, uint16_t* max);
void sgdF32(const SgdStep& s, int64_t n, float* w, const float* g, float* momentum);
void sgdF32Bf16Grad(const SgdStep& s, int64_t n, float* w, const uint16_t* g, float* momentum);
void sgdBf16(const SgdStep& s, int64_t n, uint16_t* w, const uint16_t* g, uint16_t* momentum);

void roundToBf16(int64_t n, const float* from, uint16_t* to);
// Sum of squares of at most 4096 elements: 16 interleaved fp32 partial sums, added in order in fp64.
double squaresF32(int64_t n, const float* g);
double squaresBf16(int64_t n, const uint16_t* g);

} // namespace qw::train
