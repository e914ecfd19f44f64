# One static library a folder, and an include path that shows a target only the folders it may use: a
# forbidden '#include "pipeline/…"' in base/ does not compile.
#
#   tt_layer(NAME [SOURCES a.c …] [USES layer …] [LIBRARIES external …])   called in the layer's folder

# Gives FOLDER (relative to the root) an include root of its own that holds nothing but FOLDER.
function(tt_include_root folder variable)
  string(REPLACE "/" "_" flat ${folder})
  set(root ${PROJECT_BINARY_DIR}/include/${flat})
  cmake_path(GET folder PARENT_PATH parent)
  file(MAKE_DIRECTORY ${root}/${parent})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${root}/${folder} SYMBOLIC)
  set(${variable} ${root} PARENT_SCOPE)
endfunction()

function(tt_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY ${PROJECT_SOURCE_DIR}
    OUTPUT_VARIABLE folder)
  tt_include_root(${folder} root)
  add_library(tt_${name} STATIC ${ARG_SOURCES})
  target_include_directories(tt_${name} PUBLIC ${root})
  list(TRANSFORM ARG_USES PREPEND tt_)
  target_link_libraries(tt_${name} PUBLIC ${ARG_USES} PRIVATE tt_compiler ${ARG_LIBRARIES})
endfunction()
