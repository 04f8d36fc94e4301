// What is done on hosted pages: which endpoint is answered by which function.
#include "sandbox/machine/routes.hpp"

namespace tilld::sandbox {

std::span<const route> pages_routes() {
  return {};
}

}  // namespace tilld::sandbox
