find_program(TILLD_CCACHE ccache)
if(TILLD_CCACHE)
  # Paths below the sources count as relative ones: another clone finds what this one has built.
  # The sloppiness is what ccache asks for where headers are precompiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
      CCACHE_SLOPPINESS=pch_defines,time_macros ${TILLD_CCACHE})
endif()
find_program(TILLD_MOLD mold)
if(TILLD_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# -O3 costs a fifth more time to compile than -O2, and no benchmark here shows it.
string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")

add_library(tilld_flags INTERFACE)
target_compile_options(tilld_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor)
target_compile_options(tilld_flags INTERFACE -fstack-protector-strong)
if(TILLD_WERROR)
  target_compile_options(tilld_flags INTERFACE -Werror)
endif()
if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND TILLD_SANITIZE STREQUAL "")
  target_compile_definitions(tilld_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
target_compile_definitions(tilld_flags INTERFACE TILLD_VERSION="${PROJECT_VERSION}")
if(TILLD_SANITIZE STREQUAL "address")
  # -fno-sanitize=null: a CAF 0.17 header forms null references when it spawns stateful actors.
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=null -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(TILLD_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
endif()

# For code that is compiled more often than it is hot: tests, the command line.
set(tilld_light "")
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(tilld_light -O1)
endif()

# Every file of the sandbox takes in all of nlohmann's library: half of what it costs to compile.
function(tilld_precompile_json target)
  target_precompile_headers(${target} PRIVATE <nlohmann/json.hpp>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  endif()
endfunction()

# tilld_room(name ROOMS rooms... LIBRARIES targets...): src/<name>/*.cpp as tilld_<name>.
function(tilld_room name)
  cmake_parse_arguments(ROOM "" "" "ROOMS;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp
       ${CMAKE_SOURCE_DIR}/src/${name}/*.S)
  if(NOT sources)  # a room that is still empty
    file(WRITE ${CMAKE_BINARY_DIR}/empty_${name}.cpp "")
    set(sources ${CMAKE_BINARY_DIR}/empty_${name}.cpp)
  endif()
  # An .S file may take in data of its room with .incbin, which no dependency scan sees.
  file(GLOB assembled CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.S)
  file(GLOB data CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.json)
  if(assembled AND data)
    set_source_files_properties(${assembled} PROPERTIES OBJECT_DEPENDS "${data}")
  endif()
  add_library(tilld_${name} STATIC ${sources})
  target_include_directories(tilld_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  list(TRANSFORM ROOM_ROOMS PREPEND tilld_)
  target_link_libraries(tilld_${name} PUBLIC tilld_flags ${ROOM_ROOMS} ${ROOM_LIBRARIES})
endfunction()

# tilld_unit(name): tests/unit/<name>/*.cpp as the program unit_<name> and a test of that name.
function(tilld_unit name)
  cmake_parse_arguments(UNIT "" "" "ROOMS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${name}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(unit_${name} ${sources})
  target_compile_options(unit_${name} PRIVATE ${tilld_light})
  list(TRANSFORM UNIT_ROOMS PREPEND tilld_)
  target_link_libraries(unit_${name} PRIVATE tilld_test_support ${UNIT_ROOMS} ${UNIT_LIBRARIES})
  target_compile_definitions(unit_${name} PRIVATE TILLD_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME unit_${name} COMMAND unit_${name})
  set_tests_properties(unit_${name} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()
