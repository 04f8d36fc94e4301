#include "stripe/json_fault.hpp"

#include <cstdint>
#include <exception>
#include <string>

#include <nlohmann/json.hpp>

namespace tilld::stripe {

namespace {

// Takes every event of the parse and keeps nothing but the place of the error.
struct fault_finder {
  using json = nlohmann::json;
  std::optional<std::size_t> fault;

  bool null() { return true; }
  bool boolean(bool) { return true; }
  bool number_integer(std::int64_t) { return true; }
  bool number_unsigned(std::uint64_t) { return true; }
  bool number_float(double, const std::string&) { return true; }
  bool string(std::string&) { return true; }
  bool binary(json::binary_t&) { return true; }
  bool start_object(std::size_t) { return true; }
  bool key(std::string&) { return true; }
  bool end_object() { return true; }
  bool start_array(std::size_t) { return true; }
  bool end_array() { return true; }
  bool parse_error(std::size_t bytes_read, const std::string&, const std::exception&) {
    fault = bytes_read == 0 ? 0 : bytes_read - 1;
    return false;
  }
};

}  // namespace

std::optional<std::size_t> first_fault(std::string_view text) {
  fault_finder finder;
  nlohmann::json::sax_parse(text.begin(), text.end(), &finder);
  return finder.fault;
}

}  // namespace tilld::stripe
