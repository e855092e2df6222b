# SPDX-License-Identifier: GPL-3.0-or-later
# What lies where in a prefix: bin/ (window, tool), lib/qat-workbench/ (engine and the LibTorch parts it needs, found by relative
# run paths; programs look there whatever the distribution calls its library folder), share/qat-workbench/ (resources), and the
# files that a desktop and a package manager read. Components: workbench, engine, and cuda, which is installed only by name.
set(QW_PACKAGE_DOCUMENTS ${PROJECT_SOURCE_DIR}/installer/cpack)
set(qw_debian_doc /usr/share/doc)

# Documents of a package: changelog, and a copyright file from its first part and <name>=<file with the licence's text>.
function(qw_install_documents component package)
  list(JOIN ARGN "\" \"" licences)
  install(CODE "
    include(\"${QW_PACKAGE_DOCUMENTS}/documents.cmake\")
    set(doc \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/share/doc/${package}\")
    qw_gzip(\"${QW_PACKAGE_DOCUMENTS}/changelog\" \"\${doc}/changelog.gz\")
    qw_copyright(\"\${doc}/copyright\" \"${QW_PACKAGE_DOCUMENTS}/copyright/${component}.txt\"
      \"GPL-3+=${QW_PACKAGE_DOCUMENTS}/copyright/gpl.txt\" \"${licences}\")" COMPONENT ${component} ${qw_optional})
  if(EXISTS ${QW_PACKAGE_DOCUMENTS}/lintian/${package})
    install(FILES ${QW_PACKAGE_DOCUMENTS}/lintian/${package} DESTINATION share/lintian/overrides COMPONENT ${component} ${qw_optional})
  endif()
endfunction()

if(QW_BUILD_UI)
  install(TARGETS qat-workbench RUNTIME DESTINATION bin COMPONENT workbench)
  install(FILES installer/linux/qat-workbench.desktop DESTINATION share/applications COMPONENT workbench)
  install(FILES installer/linux/qat-workbench.metainfo.xml DESTINATION share/metainfo COMPONENT workbench)
  install(FILES installer/linux/qat-workbench.xml DESTINATION share/mime/packages COMPONENT workbench)
  install(FILES resources/qat-workbench.svg DESTINATION share/icons/hicolor/scalable/apps COMPONENT workbench)
endif()
if(QW_BUILD_CLI)
  install(TARGETS qatw RUNTIME DESTINATION bin COMPONENT workbench)
  install(CODE "
    include(\"${QW_PACKAGE_DOCUMENTS}/documents.cmake\")
    set(man \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/share/man/man1\")
    qw_man(\"${QW_PACKAGE_DOCUMENTS}/man/qatw.1\" \"\${man}/qatw.1.gz\" ${PROJECT_VERSION} \"${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/qatw\")
    qw_man(\"${QW_PACKAGE_DOCUMENTS}/man/qat-workbench.1\" \"\${man}/qat-workbench.1.gz\" ${PROJECT_VERSION} \"\")" COMPONENT workbench)
endif()
install(DIRECTORY resources/presets resources/guide DESTINATION share/qat-workbench COMPONENT workbench)
install(DIRECTORY resources/sample DESTINATION share/qat-workbench COMPONENT workbench PATTERN make EXCLUDE PATTERN "*.py" EXCLUDE)
install(FILES resources/qat-workbench.svg DESTINATION share/qat-workbench COMPONENT workbench)
install(FILES README.md CHANGELOG.md DESTINATION share/doc/qat-workbench COMPONENT workbench)
qw_install_documents(workbench qat-workbench
  CLI11=${qw_debian_doc}/libcli11-dev/copyright nlohmann-json=${qw_debian_doc}/nlohmann-json3-dev/copyright)

if(QW_BUILD_ENGINE)
  # The wheels' own layout is kept: their libraries find each other by paths relative to it. --strip takes the symbol table from
  # LibTorch's own libraries (a quarter of their size); NVIDIA's are passed on as they are.
  function(qw_install_libraries component folder)
    list(TRANSFORM ARGN PREPEND ${qw_torch_root}/${folder}/ OUTPUT_VARIABLE files)
    install(FILES ${files} DESTINATION lib/qat-workbench/${folder} COMPONENT ${component} ${qw_optional})
    list(FILTER ARGN INCLUDE REGEX "^lib(torch|c10|caffe2)")
    if(ARGN)
      install(CODE "
        if(CMAKE_INSTALL_DO_STRIP)
          foreach(name ${ARGN})
            execute_process(COMMAND \"${CMAKE_STRIP}\" --strip-unneeded
              \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/qat-workbench/${folder}/\${name}\"
              COMMAND_ERROR_IS_FATAL ANY)
          endforeach()
        endif()" COMPONENT ${component} ${qw_optional})
    endif()
  endfunction()

  set(qw_licences_torch LibTorch=${qw_torch_root}/torch-2.11.0.dist-info/licenses/LICENSE
    LibTorch-notice=${qw_torch_root}/torch-2.11.0.dist-info/licenses/NOTICE
    NVIDIA-CUDA=${qw_torch_root}/nvidia_cuda_runtime-13.0.96.dist-info/licenses/License.txt)
  set_target_properties(qat-engine PROPERTIES INSTALL_RPATH "$ORIGIN/torch/lib")
  install(TARGETS qat-engine RUNTIME DESTINATION lib/qat-workbench COMPONENT engine)
  qw_install_libraries(engine torch/lib libtorch_cpu.so libc10.so libgomp.so.1)
  qw_install_libraries(engine nvidia/cu13/lib libcudart.so.13 libcupti.so.13)
  qw_install_documents(engine qat-workbench-engine nlohmann-json=${qw_debian_doc}/nlohmann-json3-dev/copyright ${qw_licences_torch})

  # The CUDA part (3 GB): what libtorch_cuda.so is linked with, and what it, ATen and cuDNN open by name when they need it.
  set(QW_HAVE_CUDA_PART OFF)
  if(EXISTS ${qw_torch_root}/torch/lib/libtorch_cuda.so AND EXISTS ${qw_torch_root}/nvidia/cudnn/lib/libcudnn.so.9)
    set(QW_HAVE_CUDA_PART ON)
    set(qw_optional EXCLUDE_FROM_ALL)
    qw_install_libraries(cuda torch/lib libtorch_cuda.so libc10_cuda.so libtorch_nvshmem.so libtorch_cuda_linalg.so libcaffe2_nvrtc.so)
    qw_install_libraries(cuda nvidia/cu13/lib libcublas.so.13 libcublasLt.so.13 libcufft.so.12 libcufile.so.0 libcurand.so.10
      libcusolver.so.12 libcusparse.so.12 libnvJitLink.so.13 libnvrtc.so.13 libnvrtc-builtins.so.13.0)
    qw_install_libraries(cuda nvidia/cudnn/lib libcudnn.so.9 libcudnn_adv.so.9 libcudnn_cnn.so.9 libcudnn_engines_precompiled.so.9
      libcudnn_engines_runtime_compiled.so.9 libcudnn_graph.so.9 libcudnn_heuristic.so.9 libcudnn_ops.so.9)
    qw_install_libraries(cuda nvidia/cusparselt/lib libcusparseLt.so.0)
    qw_install_libraries(cuda nvidia/nccl/lib libnccl.so.2)
    qw_install_libraries(cuda nvidia/nvshmem/lib libnvshmem_host.so.3)
    file(GLOB qw_cudnn_licence ${qw_torch_root}/nvidia_cudnn_cu13-*.dist-info/licenses/License.txt)
    file(GLOB qw_nccl_licence ${qw_torch_root}/nvidia_nccl_cu13-*.dist-info/licenses/License.txt)
    qw_install_documents(cuda qat-workbench-engine-cuda ${qw_licences_torch} NVIDIA-cuDNN=${qw_cudnn_licence} NCCL=${qw_nccl_licence}
      NVIDIA-cuSPARSELt=${qw_torch_root}/nvidia/cusparselt/LICENSE.txt)
    unset(qw_optional)
  endif()
endif()
include(installer/cpack/packages.cmake)
