# Warnings, hardening and sanitizers for our own targets; dependencies and generated code are SYSTEM includes.
add_library(tt_compiler INTERFACE)

target_compile_definitions(tt_compiler INTERFACE _GNU_SOURCE)
target_compile_options(tt_compiler INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wold-style-definition -Wvla -Wundef -Wformat=2 -Wcast-qual -Wcast-align
  -Wpointer-arith -Wwrite-strings -Wswitch-enum -Wdouble-promotion -Wimplicit-fallthrough
  -Wbad-function-cast -fno-strict-aliasing -ffp-contract=off)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(tt_compiler INTERFACE -Wlogical-op -Wduplicated-cond -Wjump-misses-init
    -Walloc-zero -Wtrampolines)
  # Above -O1 it does not see that an output is written whenever the function says so; clang's check and the
  # sanitizers do.
  target_compile_options(tt_compiler INTERFACE -Wno-maybe-uninitialized)
else()
  # clang reads the system's NAN and INFINITY as float where a double is wanted; gcc checks the rest.
  target_compile_options(tt_compiler INTERFACE -Wno-double-promotion)
  target_compile_options(tt_compiler INTERFACE -Wcomma -Wconditional-uninitialized -Wextra-semi
    -Wno-gnu-zero-variadic-macro-arguments)
endif()
if(TT_WERROR)
  target_compile_options(tt_compiler INTERFACE -Werror)
endif()

# Fortify and zero-initialised locals hide what a sanitizer would report, so it is one or the other.
if(TT_SANITIZE)
  target_compile_options(tt_compiler INTERFACE -fsanitize=${TT_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(tt_compiler INTERFACE -fsanitize=${TT_SANITIZE})
  if(TT_SANITIZE MATCHES "undefined" AND CMAKE_C_COMPILER_ID MATCHES "Clang")
    # Clang's check refuses NULL + 0, the end of an empty view {NULL, 0}; what overruns is found by the address sanitizer.
    target_compile_options(tt_compiler INTERFACE -fno-sanitize=pointer-overflow)
  endif()
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  target_compile_options(tt_compiler INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
    -fstack-protector-strong -fstack-clash-protection -fcf-protection=full)
endif()
target_link_options(tt_compiler INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed)
if(CMAKE_BUILD_TYPE MATCHES "Rel")
  # One binary of many small archives: drop what nobody calls.
  target_compile_options(tt_compiler INTERFACE -ffunction-sections -fdata-sections)
  target_link_options(tt_compiler INTERFACE -Wl,--gc-sections)
endif()
