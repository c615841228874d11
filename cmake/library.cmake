# The shared library for C++ and C programs: what a model needs to run, not what trains it. Installed with its
# headers, a CMake package and a pkg-config file, which find each other wherever the folder is moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(SKBUILD)  # in the wheel, beside the extension
  set(CMAKE_INSTALL_LIBDIR maas_engine/lib)
  set(CMAKE_INSTALL_INCLUDEDIR maas_engine/include)
endif()
set(soversion ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

add_library(maas_shared SHARED cpp/maas/maas.cc cpp/maas/maas_c.cc)
target_link_libraries(maas_shared PRIVATE maas)  # the linker takes the objects it needs: those of inference
target_include_directories(maas_shared INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(maas_shared INTERFACE cxx_std_20)
set_target_properties(maas_shared PROPERTIES OUTPUT_NAME maas EXPORT_NAME maas SOVERSION ${soversion})

maas_export_only(maas_shared ${PROJECT_SOURCE_DIR}/cmake/maas.symbols)
# Its threads sleep in its code until the process ends, so dlclose must leave it where it is.
check_linker_flag(CXX LINKER:-z,nodelete MAAS_LINKER_KNOWS_NODELETE)
if(MAAS_LINKER_KNOWS_NODELETE)
  target_link_options(maas_shared PRIVATE LINKER:-z,nodelete)
endif()

if(SKBUILD)  # no symbolic links in a wheel: the one file is the one that programs load
  set(namelink NAMELINK_SKIP)
  set(pc_library -l:libmaas.so.${soversion})
else()
  set(namelink)
  set(pc_library -lmaas)
  set_target_properties(maas_shared PROPERTIES VERSION ${PROJECT_VERSION})
endif()

set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME library)
install(TARGETS maas_shared EXPORT maas LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ${namelink})
# What maas.h and maas_c.h reach, no more.
foreach(header maas.h maas_c.h base/aligned.h base/error.h base/export.h graph/dtype.h graph/graph.h
        graph/shape.h graph/tensor.h onnx/reader.h program/compile.h program/program.h program/run_status.h)
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES cpp/maas/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/maas/${folder})
endforeach()

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/maas)
install(EXPORT maas FILE maasTargets.cmake NAMESPACE maas:: DESTINATION ${package})
configure_package_config_file(cmake/maasConfig.cmake.in maasConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(maasConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/maasConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/maasConfigVersion.cmake
  DESTINATION ${package})

file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
configure_file(cmake/maas.pc.in maas.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/maas.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
unset(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME)
