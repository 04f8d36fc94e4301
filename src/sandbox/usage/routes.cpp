// Meters: which endpoint is answered by which function.
#include "sandbox/machine/routes.hpp"

namespace tilld::sandbox {

std::span<const route> usage_routes() {
  return {};
}

}  // namespace tilld::sandbox
