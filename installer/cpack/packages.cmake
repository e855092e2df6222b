# SPDX-License-Identifier: GPL-3.0-or-later
# Debian packages, one a component: what `cpack` needs to know. installer/package is the command that makes them.
# The three fit together only when they are of one build, so they depend on each other's exact version.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME qat-workbench)
set(CPACK_PACKAGE_VENDOR "QAT Workbench developers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # CPack would put it before the first line of each description
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_FILE_NAME qat-workbench-${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0) # all cores
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL workbench engine)
if(QW_HAVE_CUDA_PART)
  list(APPEND CPACK_COMPONENTS_ALL cuda)
endif()

# Who passes packages on gives a name and an address, as Debian's own tools take them.
set(CPACK_PACKAGE_CONTACT "QAT Workbench developers <developers@qat-workbench.invalid>")
if(DEFINED ENV{DEBEMAIL})
  set(CPACK_PACKAGE_CONTACT "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()

# zstd packs LibTorch's CPU part into 95 MB in 4 s of one core; xz would need 4 minutes for 73 MB.
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SOURCE qat-workbench)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${qw_torch_root}/torch/lib ${qw_torch_root}/nvidia/cu13/lib)

set(CPACK_DEBIAN_WORKBENCH_PACKAGE_NAME qat-workbench)
set(CPACK_DEBIAN_WORKBENCH_PACKAGE_DEPENDS "qat-workbench-engine (= ${PROJECT_VERSION}), fonts-dejavu-core")
set(CPACK_DEBIAN_WORKBENCH_DESCRIPTION "which quantization scheme for a language model to ship
QAT Workbench takes a Hugging Face language model, your text and your
evaluation tasks, and answers with a table: for every scheme of few bits what
plain rounding costs, what quantization-aware training wins back, how big the
files are, and which one to ship.
.
This package holds the window qat-workbench and the command line tool qatw.")

set(CPACK_DEBIAN_ENGINE_PACKAGE_NAME qat-workbench-engine)
set(CPACK_DEBIAN_ENGINE_PACKAGE_ENHANCES qat-workbench)
set(CPACK_DEBIAN_ENGINE_DESCRIPTION "engine of QAT Workbench, with LibTorch's CPU part
QAT Workbench takes a Hugging Face language model, your text and your
evaluation tasks, and answers with a table: which quantization scheme to ship.
.
This package holds the program that trains, evaluates and converts, and the
part of LibTorch that it needs on a CPU. It carries two libraries of NVIDIA's
CUDA toolkit, which are not free software, because LibTorch asks for them.")

set(CPACK_DEBIAN_CUDA_PACKAGE_NAME qat-workbench-engine-cuda)
# By hand: dpkg-shlibdeps refuses a library that wants the driver's (libcuda.so.1). The wheels are of manylinux_2_28: glibc 2.28.
set(CPACK_DEBIAN_CUDA_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_CUDA_PACKAGE_DEPENDS "qat-workbench-engine (= ${PROJECT_VERSION}), libc6 (>= 2.28), libgcc-s1, libstdc++6")
set(CPACK_DEBIAN_CUDA_PACKAGE_ENHANCES qat-workbench-engine)
set(CPACK_DEBIAN_CUDA_DESCRIPTION "LibTorch's CUDA part for the engine of QAT Workbench
QAT Workbench takes a Hugging Face language model, your text and your
evaluation tasks, and answers with a table: which quantization scheme to ship.
.
This package lets the engine use NVIDIA GPUs. It holds LibTorch's CUDA part and
the libraries of NVIDIA that it needs, most of them not free software, and
wants a driver for CUDA 13 (580 or newer), which it does not bring.")
include(CPack)
