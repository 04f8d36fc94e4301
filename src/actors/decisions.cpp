#include "actors/decisions.hpp"

namespace tilld::actors {

namespace {

std::string name_of(std::string_view object_name, std::string_view id) {
  std::string name(object_name);
  name += '/';
  return name.append(id);
}

}  // namespace

void decisions::note(std::string_view object_name, std::string_view id) {
  ++count_;
  if (last_.size() >= most) {
    last_.clear();
    known_from_ = count_;
  }
  last_[name_of(object_name, id)] = count_;
}

bool decisions::none_since(std::uint64_t moment, std::string_view object_name,
                           std::string_view id) const {
  if (moment < known_from_) return false;
  const auto at = last_.find(name_of(object_name, id));
  return at == last_.end() || at->second <= moment;
}

}  // namespace tilld::actors
