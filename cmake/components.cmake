# Builds every component that pipeline/components.def lists: TT_COMPONENT(kind, name) lives in <kind>s/<name>/,
# which has a CMakeLists.txt of one tt_component() call.

# tt_component([SOURCES a.c …] [LIBRARIES external …])   called in the component's folder; <name>.c is implied
function(tt_component)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME name)
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR PARENT_PATH parent)
  cmake_path(GET parent FILENAME kinds)
  if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/README.md)
    message(FATAL_ERROR "${kinds}/${name} has no README.md")
  endif()
  tt_layer(${kinds}_${name} SOURCES ${name}.c ${ARG_SOURCES}
    USES base otlp model net config pipeline LIBRARIES ${ARG_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY tt_component_targets tt_${kinds}_${name})
endfunction()

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS pipeline/components.def)
file(STRINGS pipeline/components.def component_lines REGEX "^TT_COMPONENT\\(")
foreach(line IN LISTS component_lines)
  string(REGEX MATCH "^TT_COMPONENT\\(([a-z]+), *([a-z0-9_]+)\\)" matched "${line}")
  if(NOT matched)
    message(FATAL_ERROR "pipeline/components.def: cannot read: ${line}")
  endif()
  add_subdirectory(${CMAKE_MATCH_1}s/${CMAKE_MATCH_2})
endforeach()

# The registry is the one place that names every component; it is linked with all of them.
get_property(component_targets GLOBAL PROPERTY tt_component_targets)
add_library(tt_registry STATIC pipeline/registry.c)
target_link_libraries(tt_registry PUBLIC tt_pipeline ${component_targets} PRIVATE tt_compiler)
