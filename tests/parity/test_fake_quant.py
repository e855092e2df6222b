# SPDX-License-Identifier: GPL-3.0-or-later
"""qatw fake-quantize against torchao 0.18 eager: values, codes, scales and gradient masks, bit for bit."""
import warnings

import pytest
import torch
from common import run_qatw
from safetensors.torch import load_file, save_file
from torchao.quantization import quant_primitives as prim
from torchao.quantization.granularity import PerAxis, PerGroup, PerToken
from torchao.quantization.qat import IntxFakeQuantizeConfig
from torchao.quantization.qat.fake_quantize_config import Int4WeightFakeQuantizeConfig
from torchao.quantization.qat.fake_quantizer import Int4WeightFakeQuantizer, IntxFakeQuantizer
from torchao.quantization.quant_primitives import MappingType, ZeroPointDomain

warnings.filterwarnings("ignore")
torch.set_num_threads(2)

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
GROUPS = [32, 64, 128, 256]
INTS = {2: torch.int2, 3: torch.int3, 4: torch.int4, 5: torch.int5, 6: torch.int6, 7: torch.int7, 8: torch.int8}
UINTS = {4: torch.uint4, 8: torch.uint8}


def edge_rows(dtype, cols):
    """The edge values of performance.md 11, a few rows each."""
    gen = torch.Generator().manual_seed(1)
    noise = torch.rand(48, cols, generator=gen) * 2 - 1
    x = noise * 0.05
    x[1] = 0.0
    x[2] = noise[2] * 2.0**-130  # subnormal
    x[3, 5] = 1000.0  # one huge outlier
    x[4] = 0.7  # all equal
    x[5] = torch.randint(-15, 16, (cols,), generator=gen) * 0.125  # ties
    x[6] = -noise[6].abs()
    x[7] = noise[7].abs() + 0.5
    x[8] = 1000 + noise[8] * 2.0**-10
    x[9, 1:] = 0.0
    x[10] = noise[10] * 3e38
    x[11] = torch.randn(cols, generator=gen)
    x[12] = -0.0
    x[13] = torch.randn(cols, generator=gen) * 2.0**-125
    x[14, ::2] = 0.0
    x[40, 3] = float("inf")
    x[41, 3] = float("-inf")
    x[42, 3] = float("nan")
    x[43, -1] = float("nan")
    return x.to(dtype)


def tool(tmp_path, x, scheme, sets=(), role="weight", extra=("--codes", "--grad")):
    source, out = tmp_path / "in.safetensors", tmp_path / "out.safetensors"
    save_file({"w": x.contiguous()}, source)
    args = ["fake-quantize", source, out, "--scheme", scheme, "--role", role, *extra]
    for one in sets:
        args += ["--set", one]
    run_qatw(args)
    return load_file(out)


def same(got, expected, what):
    """Equal bits; a NaN equals any NaN."""
    assert got.shape == expected.shape and got.dtype == expected.dtype, what
    ok = (got == expected) | (got.isnan() & expected.isnan())
    signs = torch.signbit(got) == torch.signbit(expected)
    ok &= signs | got.isnan()
    if not ok.all():
        at = (~ok).nonzero()[0]
        raise AssertionError(f"{what}: {int((~ok).sum())} of {ok.numel()} differ, first at {at.tolist()}: {got[tuple(at)]} != {expected[tuple(at)]}")


def check_gradient(module, x, mask, what, eps_rows=None):
    """Zero exactly where torchao clamps, and our exact masked gradient within 2 ulp of its own."""
    w = x.clone().requires_grad_(True)
    upstream = torch.rand(x.shape, generator=torch.Generator().manual_seed(2)).to(x.dtype) + 0.5
    module(w).backward(upstream)
    theirs = w.grad
    ours = torch.where(mask.bool(), upstream, torch.zeros_like(upstream))
    finite = theirs.isfinite()
    if eps_rows is not None:
        finite &= ~eps_rows
    assert ((theirs == 0) == (ours == 0))[finite].all(), f"{what}: gradient zeros differ"
    ulp = torch.finfo(x.dtype).eps * upstream
    assert ((theirs - ours).abs() <= 2 * ulp)[finite].all(), f"{what}: gradient differs by more than 2 ulp"


def at_eps(scale, x, limit):
    """Elements whose group's scale sits near the smallest normal: there torchao's G·s is subnormal or zero."""
    g = x.shape[-1] // scale.shape[-1]
    return (scale.float() < limit).repeat_interleave(g, dim=-1).expand_as(x)


def intx(dtype, granularity, **kw):
    return IntxFakeQuantizer(IntxFakeQuantizeConfig(dtype, granularity, **kw))


def check_intx(tmp_path, x, fq, scheme, sets, role="weight"):
    got = tool(tmp_path, x, scheme, sets, role)
    what = f"{scheme} {sets} {x.dtype}"
    same(got["w"], fq(x), what)
    scale = fq.scale.reshape(x.shape[0], -1)
    same(got["w.scale"], scale, what + " scale")
    check_gradient(fq, x, got["w.mask"], what, at_eps(scale, x, 2.0**-100))
    return got


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("scheme", ["8da4w", "4da4w", "8da8w"])
def test_symmetric_groups(tmp_path, scheme, name, group):
    x = edge_rows(DTYPES[name], 512)
    dtype = torch.int8 if scheme == "8da8w" else torch.int4
    check_intx(tmp_path, x, intx(dtype, PerGroup(group)), scheme, [f"weight.group_size={group}"])


@pytest.mark.parametrize("bits", INTS)
@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("scheme", ["int8_intx", "intx_weight_only"])
def test_symmetric_bits_with_scales_of_the_input(tmp_path, scheme, name, bits):
    dtype = DTYPES[name]
    for group in [0, *GROUPS]:
        x = edge_rows(dtype, 512)
        granularity = PerGroup(group) if group else PerAxis(0)
        sets = [f"weight.dtype=int{bits}", f"weight.granularity={'per_group' if group else 'per_channel'}"]
        if group:
            sets.append(f"weight.group_size={group}")
        check_intx(tmp_path, x, intx(INTS[bits], granularity, scale_precision=dtype), scheme, sets)


@pytest.mark.parametrize("name", DTYPES)
def test_odd_widths(tmp_path, name):
    for cols, group in [(33, 11), (51, 17), (1003, 0)]:
        x = edge_rows(DTYPES[name], cols)
        sets = ["weight.granularity=per_group", f"weight.group_size={group}"] if group else ["weight.granularity=per_channel"]
        check_intx(tmp_path, x, intx(torch.int4, PerGroup(group) if group else PerAxis(0)), "8da4w", sets)


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("scheme,dtype,eps,own", [("8da4w", torch.int8, 2.0**-23, False), ("8da8w", torch.int8, None, False),
                                                  ("4da4w", torch.int4, None, False), ("int8_intx", torch.int8, None, True)])
def test_activations_per_token(tmp_path, scheme, dtype, eps, own, name):
    x = edge_rows(DTYPES[name], 512)
    kw = {"scale_precision": DTYPES[name]} if own else {}
    fq = intx(dtype, PerToken(), is_symmetric=False, eps=eps, **kw)
    got = check_intx(tmp_path, x, fq, scheme, [], "activation")
    zero = fq.zero_point.reshape(x.shape[0], -1)
    assert torch.equal(got["w.zero"], zero.to(torch.int32))


@pytest.mark.parametrize("name", DTYPES)
def test_asymmetric_integer_weights_equal_the_ptq_primitives(tmp_path, name):
    """Family 2.3: torchao's fake quantizer has no integer zero points for weights, its PTQ path does (D9)."""
    for bits, signed in [(4, True), (8, True), (3, True), (4, False), (8, False)]:
        for group in GROUPS:
            x = edge_rows(DTYPES[name], 512)
            lo = -(2 ** (bits - 1)) if signed else 0
            hi = lo + 2**bits - 1
            kind = torch.int8 if signed else torch.uint8
            block = [1, group]
            scale, zero = prim.choose_qparams_affine(x, MappingType.ASYMMETRIC, block, kind, lo, hi, 1e-6, torch.float32, torch.int32)
            codes = prim.quantize_affine(x, block, scale, zero, kind, lo, hi)
            value = prim.dequantize_affine(codes, block, scale, zero, kind, lo, hi, output_dtype=x.dtype)
            sets = ["weight.granularity=per_group", f"weight.group_size={group}", "weight.mapping=asymmetric", "weight.scale_dtype=float32",
                    f"weight.dtype={'int' if signed else 'uint'}{bits}"]
            got = tool(tmp_path, x, "intx_weight_only", sets)
            what = f"2.3 {sets} {x.dtype}"
            same(got["w.scale"], scale, what + " scale")
            good = x.reshape(48, -1, group).isfinite().all(-1) & scale.isfinite()
            spread = good.repeat_interleave(group, dim=-1)
            assert torch.equal(got["w.zero"][good], zero[good]), what
            assert torch.equal(got["w.codes"][spread], codes[spread]), what
            same(got["w"][spread], value[spread], what)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("name", DTYPES)
def test_tinygemm(tmp_path, name, group):
    x = edge_rows(DTYPES[name], 512)
    fq = intx(torch.uint4, PerGroup(group), is_symmetric=False, zero_point_domain=ZeroPointDomain.FLOAT, zero_point_precision=torch.bfloat16,
              scale_precision=torch.bfloat16)
    got = tool(tmp_path, x, "4w_tinygemm", [f"weight.group_size={group}"])
    same(got["w"], fq(x), f"tinygemm g{group}")
    same(got["w.scale"], fq.scale, "tinygemm scale")
    same(got["w.zero"], fq.zero_point, "tinygemm zero")
    check_gradient(fq, x, got["w.mask"], f"tinygemm g{group}")


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("name", DTYPES)
def test_int4_with_real_zero_points(tmp_path, name, group):
    x = edge_rows(DTYPES[name], 512)
    fq = Int4WeightFakeQuantizer(Int4WeightFakeQuantizeConfig(group_size=group, activation_dtype=torch.bfloat16))
    got = tool(tmp_path, x, "int4_weight_only", [f"weight.group_size={group}"])
    same(got["w"], fq(x), f"int4-zp g{group}")
    # Their gradient also runs through minimum and maximum (D3): the mask is compared on the code formula itself.
    w = x.float().reshape(48, -1, group)
    low, high = w.amin(-1, keepdim=True), w.amax(-1, keepdim=True)
    scale = torch.clamp(high - low, min=1e-6) / 15
    raw = torch.round((w - low) / scale)
    assert torch.equal(got["w.mask"].bool(), ((raw >= 0) & (raw <= 15)).reshape(x.shape))
    good = raw.isfinite().reshape(x.shape)
    assert torch.equal(got["w.codes"][good], (raw.clamp(0, 15) - 8).reshape(x.shape)[good].to(torch.int8))


def int8_tensor(x, mapping, zero_dtype=torch.int8):
    block = [1, x.shape[-1]]
    scale, zero = prim.choose_qparams_affine(x, mapping, block, torch.int8, -128, 127, torch.finfo(torch.float32).eps, torch.float32, zero_dtype,
                                             keepdim=True)
    codes = prim.quantize_affine(x, block, scale, zero, torch.int8, -128, 127)
    return scale, codes, prim.dequantize_affine(codes, block, scale, zero, torch.int8, output_dtype=x.dtype)


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("scheme,role", [("int8_weight_only", "weight"), ("int8_int8", "weight"), ("int8_int8", "activation")])
def test_int8_tensor_numerics(tmp_path, scheme, role, name):
    x = edge_rows(DTYPES[name], 512)
    scale, codes, value = int8_tensor(x, MappingType.SYMMETRIC)
    got = tool(tmp_path, x, scheme, [], role)
    same(got["w.scale"], scale, scheme)
    good = x.isfinite().all(-1) & scale.isfinite().flatten()
    assert torch.equal(got["w.codes"][good], codes[good])
    same(got["w"][good], value[good], scheme)


@pytest.mark.parametrize("name", DTYPES)
def test_gradient_through_the_range_of_int4_zp(tmp_path, name):
    """The masked gradient of 2.5 equals torchao's once its minimum and maximum are detached."""
    x = edge_rows(DTYPES[name], 512)[11:40]
    got = tool(tmp_path, x, "int4_weight_only", ["weight.group_size=32"])
    w = x.clone().requires_grad_(True)
    grouped = w.float().reshape(x.shape[0], -1, 32)
    low, high = grouped.detach().amin(-1, keepdim=True), grouped.detach().amax(-1, keepdim=True)
    scale = torch.clamp(high - low, min=1e-6) / 15
    q = prim._Round.apply((grouped - low) / scale).clamp(0, 15) - 8
    (q * scale + low + scale * 8).reshape(x.shape).to(x.dtype).backward(torch.ones_like(x))
    assert torch.equal(w.grad == 0, got["w.mask"] == 0)
    assert ((w.grad.float() - got["w.mask"].float()).abs() <= 2 * torch.finfo(x.dtype).eps).all()


def test_what_is_not_a_matrix_is_left_alone(tmp_path):
    source, out = tmp_path / "in.safetensors", tmp_path / "out.safetensors"
    tensors = {"norm": torch.rand(7), "ids": torch.arange(6).reshape(2, 3), "w": torch.rand(4, 64)}
    save_file(tensors, source)
    run_qatw(["fake-quantize", source, out, "--scheme", "8da4w"])
    got = load_file(out)
    assert set(got) == set(tensors)
    assert torch.equal(got["norm"], tensors["norm"]) and torch.equal(got["ids"], tensors["ids"])
    assert not torch.equal(got["w"], tensors["w"])


def test_errors_name_the_tensor(tmp_path):
    source, out = tmp_path / "in.safetensors", tmp_path / "out.safetensors"
    save_file({"odd.weight": torch.rand(4, 48)}, source)
    done = run_qatw(["fake-quantize", source, out, "--scheme", "8da4w", "--set", "weight.group_size=36"], check=False)
    assert done.returncode == 3 and b"odd.weight" in done.stderr and b"group_size: 24" in done.stderr and not out.exists()
    done = run_qatw(["fake-quantize", source, out, "--scheme", "int8_weight_only", "--role", "activation"], check=False)
    assert done.returncode == 3 and b"activation" in done.stderr and not out.exists()
    done = run_qatw(["fake-quantize", tmp_path / "none.safetensors", out, "--scheme", "8da4w"], check=False)
    assert done.returncode == 4


@pytest.mark.parametrize("kernels", ["scalar", "avx2"])
def test_every_instruction_set_gives_the_same_file(tmp_path, kernels):
    import os

    source = tmp_path / "in.safetensors"
    save_file({"w": edge_rows(torch.bfloat16, 512)[:40]}, source)
    for scheme in ["8da4w", "4w_tinygemm", "int4_weight_only", "int8_int8"]:
        run_qatw(["fake-quantize", source, tmp_path / "best", "--scheme", scheme, "--codes", "--grad"])
        run_qatw(["fake-quantize", source, tmp_path / kernels, "--scheme", scheme, "--codes", "--grad"], env={**os.environ, "QATW_KERNELS": kernels})
        assert (tmp_path / "best").read_bytes() == (tmp_path / kernels).read_bytes()
