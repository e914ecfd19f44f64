# Every external library, found once. A layer that wraps one names it under LIBRARIES.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(microhttpd REQUIRED IMPORTED_TARGET libmicrohttpd)
pkg_check_modules(protobuf_c REQUIRED IMPORTED_TARGET libprotobuf-c)
pkg_check_modules(jansson REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(yaml REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl)
# SHA-256 of dataset files; in the process anyway, since GnuTLS stands on it.
pkg_check_modules(nettle REQUIRED IMPORTED_TARGET nettle)
find_library(CSV_LIBRARY csv REQUIRED)
find_program(PROTOC_C protoc-c REQUIRED)
