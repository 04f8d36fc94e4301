// One header for Catch2 2 (Debian 12) and 3 (Debian 13). Tests include this, never Catch2's own.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#define TILLD_CATCH2_MAJOR 3
#else
#include <catch2/catch.hpp>
#define TILLD_CATCH2_MAJOR 2
#endif
