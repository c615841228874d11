# Which symbols a shared object exports, where the linker knows version scripts.
include(CheckLinkerFlag)

function(maas_export_only target script)
  check_linker_flag(CXX LINKER:--version-script=${script} MAAS_LINKER_READS_${target})
  if(MAAS_LINKER_READS_${target})
    target_link_options(${target} PRIVATE LINKER:--version-script=${script})
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${script})
  endif()
endfunction()
