// Test clocks: which endpoint is answered by which function.
#include "sandbox/machine/routes.hpp"

namespace tilld::sandbox {

std::span<const route> time_routes() {
  return {};
}

}  // namespace tilld::sandbox
