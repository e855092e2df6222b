# SPDX-License-Identifier: GPL-3.0-or-later
# What lies where in a prefix: bin/ (window, tool), lib/qat-workbench/ (engine and the LibTorch parts it needs, found by relative
# run paths; programs look there whatever the distribution calls its library folder), share/qat-workbench/ (resources), and the
# files that a desktop reads. Components: workbench, engine.
if(QW_BUILD_UI)
  install(TARGETS qat-workbench RUNTIME DESTINATION bin COMPONENT workbench)
  install(FILES installer/linux/qat-workbench.desktop DESTINATION share/applications COMPONENT workbench)
  install(FILES installer/linux/qat-workbench.metainfo.xml DESTINATION share/metainfo COMPONENT workbench)
  install(FILES installer/linux/qat-workbench.xml DESTINATION share/mime/packages COMPONENT workbench)
  install(FILES resources/qat-workbench.svg DESTINATION share/icons/hicolor/scalable/apps COMPONENT workbench)
endif()
if(QW_BUILD_CLI)
  install(TARGETS qatw RUNTIME DESTINATION bin COMPONENT workbench)
endif()
install(DIRECTORY resources/presets resources/guide DESTINATION share/qat-workbench COMPONENT workbench)
install(DIRECTORY resources/sample DESTINATION share/qat-workbench COMPONENT workbench PATTERN make EXCLUDE PATTERN "*.py" EXCLUDE)
install(FILES resources/qat-workbench.svg DESTINATION share/qat-workbench COMPONENT workbench)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION share/doc/qat-workbench COMPONENT workbench)

if(QW_BUILD_ENGINE)
  set_target_properties(qat-engine PROPERTIES INSTALL_RPATH "$ORIGIN/torch/lib")
  install(TARGETS qat-engine RUNTIME DESTINATION lib/qat-workbench COMPONENT engine)
  # The wheels' own layout is kept: their libraries find each other by paths relative to it.
  install(FILES ${qw_torch_root}/torch/lib/libtorch_cpu.so ${qw_torch_root}/torch/lib/libc10.so ${qw_torch_root}/torch/lib/libgomp.so.1
    DESTINATION lib/qat-workbench/torch/lib COMPONENT engine)
  install(FILES ${qw_torch_root}/nvidia/cu13/lib/libcudart.so.13 ${qw_torch_root}/nvidia/cu13/lib/libcupti.so.13
    DESTINATION lib/qat-workbench/nvidia/cu13/lib COMPONENT engine)
endif()
