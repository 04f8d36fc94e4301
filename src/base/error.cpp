#include "base/error.hpp"

namespace tilld {

const char* to_string(errc code) noexcept {
  switch (code) {
    case errc::not_found:
      return "not_found";
    case errc::invalid:
      return "invalid";
    case errc::denied:
      return "denied";
    case errc::conflict:
      return "conflict";
    case errc::unavailable:
      return "unavailable";
    case errc::corrupt:
      return "corrupt";
  }
  return "unknown";
}

}  // namespace tilld
