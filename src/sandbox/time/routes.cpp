// Test clocks: which endpoint is answered by which function.
#include "sandbox/machine/routes.hpp"

#include "sandbox/time/test_clocks.hpp"

namespace tilld::sandbox {

namespace {

// clang-format off
constexpr route rows[] = {
    {"POST", "/v1/test_helpers/test_clocks", test_clocks::create, test_clocks::create_takes},
    {"GET", "/v1/test_helpers/test_clocks", test_clocks::list, no_params},
    {"GET", "/v1/test_helpers/test_clocks/{id}", test_clocks::retrieve, no_params},
    {"DELETE", "/v1/test_helpers/test_clocks/{id}", test_clocks::remove, no_params},
    {"POST", "/v1/test_helpers/test_clocks/{id}/advance",
     test_clocks::advance, test_clocks::advance_takes},
};
// clang-format on

}  // namespace

std::span<const route> time_routes() {
  return rows;
}

}  // namespace tilld::sandbox
