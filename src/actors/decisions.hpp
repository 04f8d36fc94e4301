// What an owner has decided lately, and when: so that an order's answer is known to be newer than
// all that was decided about its object before the order left, whatever the seconds say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tilld::actors {

// One thread at a time.
class decisions {
 public:
  void note(std::string_view object_name, std::string_view id);
  std::uint64_t now() const noexcept { return count_; }
  // False also when it is not known any more.
  bool none_since(std::uint64_t moment, std::string_view object_name, std::string_view id) const;

 private:
  static constexpr std::size_t most = 1024;
  std::uint64_t count_ = 0;
  std::uint64_t known_from_ = 0;
  std::map<std::string, std::uint64_t> last_;
};

}  // namespace tilld::actors
