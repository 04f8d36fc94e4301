#include "cli/sandbox_state.hpp"

#include <charconv>

namespace tilld::cli {

namespace {

constexpr std::string_view head = "tilld-sandbox 1 ";

}  // namespace

std::string to_bytes(const sandbox_state& s) {
  std::string bytes(head);
  bytes += std::to_string(s.deliveries.size());
  bytes += '\n';
  bytes += s.deliveries;
  bytes += s.simulator;
  return bytes;
}

std::optional<sandbox_state> sandbox_state_of(std::string_view bytes) {
  if (!bytes.starts_with(head)) return std::nullopt;
  bytes.remove_prefix(head.size());
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), length);
  const auto at = static_cast<std::size_t>(end - bytes.data());
  if (error != std::errc() || at >= bytes.size() || bytes[at] != '\n') return std::nullopt;
  bytes.remove_prefix(at + 1);
  if (length > bytes.size()) return std::nullopt;
  return sandbox_state{std::string(bytes.substr(0, length)), std::string(bytes.substr(length))};
}

}  // namespace tilld::cli
