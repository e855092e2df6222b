# SPDX-License-Identifier: GPL-3.0-or-later
# Run at build time: writes OUT with a digest over every source file of ours, only when it changed.
cmake_policy(VERSION 3.25)
file(GLOB_RECURSE sources "${ROOT}/core/*.cpp" "${ROOT}/core/*.h" "${ROOT}/core/*.cu" "${ROOT}/core/*.txt" "${ROOT}/app/*.cpp" "${ROOT}/app/*.h")
list(SORT sources)
set(all "")
foreach(source IN LISTS sources)
  file(SHA1 "${source}" digest)
  string(APPEND all "${digest}")
endforeach()
string(SHA1 id "${all}")
string(SUBSTRING "${id}" 0 16 id)
file(CONFIGURE OUTPUT "${OUT}" CONTENT "// Made by build_id.cmake.
#include \"base/build_info.h\"
namespace qw {
std::string_view version() { return \"@VERSION@\"; }
std::string_view buildId() { return \"@id@\"; }
} // namespace qw
" @ONLY)
