// Errors are values. One code per thing a caller can do about it, and a message for people.
//
// The message names the object, the cause and what to try. It never carries a secret, because it
// may be logged and may be answered over HTTP.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace tilld {

// A code exists only where a caller branches on it.
enum class errc {
  not_found,    // the thing asked for is not there
  invalid,      // the input is wrong; the same input will fail again
  denied,       // the caller may not do this
  conflict,     // somebody else changed it first; read again and decide again
  unavailable,  // not now: disk full, upstream down, shutting down; the same call may work later
  corrupt,      // stored bytes do not say what they must
};

struct error {
  errc code = errc::invalid;
  std::string message;
};

template <class T>
using result = std::expected<T, error>;

// fail(errc::invalid, "…") converts to any result<T>.
inline std::unexpected<error> fail(errc code, std::string message) {
  return std::unexpected<error>(error{code, std::move(message)});
}

const char* to_string(errc code) noexcept;

}  // namespace tilld
