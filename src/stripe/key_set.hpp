// The keys of one JSON object, to find one that comes twice: two readers would each believe another
// of the two values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tilld::stripe {

// Open addressing over slots that hold index + 1. The keys must outlive the set's use. Cleared and
// used again, it allocates nothing.
class key_set {
 public:
  key_set() { clear(); }
  void clear() {
    keys_.clear();
    slots_.assign(first_slots, 0);
  }
  // False when it is there already.
  bool insert(std::string_view key) {
    if ((keys_.size() + 1) * 2 > slots_.size()) grow();
    std::uint32_t& slot = slot_of(key);
    if (slot != 0) return false;
    keys_.push_back(key);
    slot = static_cast<std::uint32_t>(keys_.size());
    return true;
  }

 private:
  static constexpr std::size_t first_slots = 256;

  static std::uint64_t hash(std::string_view key) {
    std::uint64_t head = 0;
    std::uint64_t tail = 0;
    const std::size_t n = std::min<std::size_t>(key.size(), 8);
    std::copy_n(key.data(), n, reinterpret_cast<char*>(&head));
    std::copy_n(key.data() + key.size() - n, n, reinterpret_cast<char*>(&tail));
    std::uint64_t mixed = (head ^ (tail << 21 | tail >> 43) ^ key.size()) * 0x9e3779b97f4a7c15;
    return mixed ^ mixed >> 29;
  }
  std::uint32_t& slot_of(std::string_view key) {
    for (std::size_t at = hash(key);; ++at) {
      std::uint32_t& slot = slots_[at & (slots_.size() - 1)];
      if (slot == 0 || keys_[slot - 1] == key) return slot;
    }
  }
  void grow() {
    slots_.assign(slots_.size() * 2, 0);
    for (std::uint32_t i = 0; i < keys_.size(); ++i)
      slot_of(keys_[i]) = i + 1;
  }

  std::vector<std::uint32_t> slots_;
  std::vector<std::string_view> keys_;
};

}  // namespace tilld::stripe
