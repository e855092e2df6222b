# SPDX-License-Identifier: GPL-3.0-or-later
# LibTorch's CPU part as imported targets, without TorchConfig.cmake, which demands a CUDA toolkit.
# libtorch.so and libtorch_cuda.so are left out on purpose: the engine opens the CUDA part at run time.
if(NOT EXISTS "${QW_LIBTORCH_ROOT}/torch/lib/libtorch_cpu.so")
  message(FATAL_ERROR "LibTorch not found in '${QW_LIBTORCH_ROOT}': run installer/setup first, or configure with -DQW_BUILD_ENGINE=OFF.")
endif()
get_filename_component(qw_torch_root "${QW_LIBTORCH_ROOT}" REALPATH)
foreach(lib c10 torch_cpu)
  add_library(torch::${lib} SHARED IMPORTED GLOBAL)
  set_target_properties(torch::${lib} PROPERTIES
    IMPORTED_LOCATION "${qw_torch_root}/torch/lib/lib${lib}.so"
    INTERFACE_INCLUDE_DIRECTORIES "${qw_torch_root}/torch/include;${qw_torch_root}/torch/include/torch/csrc/api/include")
endforeach()
add_library(qw_torch INTERFACE)
add_library(qw::torch ALIAS qw_torch)
target_link_libraries(qw_torch INTERFACE torch::torch_cpu torch::c10)
target_compile_definitions(qw_torch INTERFACE AT_PER_OPERATOR_HEADERS)
# Its headers name themselves in messages: by their place below its root, not by that of the machine that built us.
target_compile_options(qw_torch INTERFACE "-fmacro-prefix-map=${qw_torch_root}/=")
