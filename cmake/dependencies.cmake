# Foreign libraries, each behind one target. All are Debian packages (scripts/packages.txt).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(nlohmann_json REQUIRED)
# Reading a member that a constant JSON object has not is undefined: it reads whatever memory is
# there. With this it throws, wherever it happens.
add_compile_options(
  "-DJSON_ASSERT(holds)=((holds)?void():throw std::logic_error(\"a JSON value is used as what it is not: \" #holds))"
  -Wno-terminate)
find_package(simdjson REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)

add_library(tilld_spdlog INTERFACE)
target_link_libraries(tilld_spdlog INTERFACE spdlog::spdlog fmt::fmt)

# cpp-httplib's classes change their layout with these defines; the .so was built with them.
# Without the .pc file's flags a program links, runs and corrupts memory.
pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)
add_library(tilld_httplib INTERFACE)
target_link_libraries(tilld_httplib INTERFACE PkgConfig::HTTPLIB OpenSSL::SSL Threads::Threads)

pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core)
add_library(tilld_prometheus INTERFACE)
target_link_libraries(tilld_prometheus INTERFACE PkgConfig::PROMETHEUS)

pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
add_library(tilld_systemd INTERFACE)
target_link_libraries(tilld_systemd INTERFACE PkgConfig::SYSTEMD)

# Debian ships no CMake package for CAF 0.17.
find_path(CAF_INCLUDE_DIR caf/all.hpp REQUIRED)
find_library(CAF_CORE_LIBRARY caf_core REQUIRED)
add_library(tilld_caf INTERFACE)
target_include_directories(tilld_caf SYSTEM INTERFACE ${CAF_INCLUDE_DIR})
target_link_libraries(tilld_caf INTERFACE ${CAF_CORE_LIBRARY} Threads::Threads)

# RocksDB's own CMake target is the static library; the shared one gets Debian's fixes.
find_path(ROCKSDB_INCLUDE_DIR rocksdb/db.h REQUIRED)
find_library(ROCKSDB_LIBRARY NAMES librocksdb.so REQUIRED)
add_library(tilld_rocksdb INTERFACE)
target_include_directories(tilld_rocksdb SYSTEM INTERFACE ${ROCKSDB_INCLUDE_DIR})
target_link_libraries(tilld_rocksdb INTERFACE ${ROCKSDB_LIBRARY} Threads::Threads)

# toml++ and CLI11 are used header-only.
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)
add_library(tilld_toml INTERFACE)
target_include_directories(tilld_toml SYSTEM INTERFACE ${TOMLPLUSPLUS_INCLUDE_DIR})
target_compile_definitions(tilld_toml INTERFACE TOML_EXCEPTIONS=0)

add_library(tilld_cli11 INTERFACE)
target_link_libraries(tilld_cli11 INTERFACE CLI11::CLI11)
