#include "actors/working_set.hpp"

#include <ranges>
#include <utility>

namespace tilld::actors {

using store::batch;
using store::family;

const batch::change* working_set::find(family in, std::string_view key) const noexcept {
  for (const working_set* set = this; set != nullptr; set = set->parent_) {
    for (const auto& c : std::views::reverse(set->batch_.changes())) {
      if (c.in == in && c.kind != batch::change_kind::append && c.key == key) return &c;
    }
  }
  return nullptr;
}

result<std::optional<std::string>> working_set::get(family in, std::string_view key) const {
  if (const batch::change* own = find(in, key)) {
    if (own->kind == batch::change_kind::erase) return std::nullopt;
    return own->value;
  }
  return base_.get(in, key);
}

void working_set::put(family in, std::string key, std::string value) {
  batch_.put(in, std::move(key), std::move(value));
}

void working_set::erase(family in, std::string key) {
  batch_.erase(in, std::move(key));
}

void working_set::append(family in, std::string value) {
  batch_.append(in, std::move(value));
}

void working_set::expect_absent(family in, std::string key) {
  if (find(in, key) == nullptr) batch_.expect_absent(in, std::move(key));
}

void working_set::expect_prefix(family in, std::string key, std::string prefix) {
  if (find(in, key) == nullptr) batch_.expect_prefix(in, std::move(key), std::move(prefix));
}

void working_set::note(std::shared_ptr<const stripe::event> event) {
  noted_.push_back(std::move(event));
}

std::vector<std::shared_ptr<const stripe::event>> working_set::noted() const {
  auto all = parent_ ? parent_->noted() : std::vector<std::shared_ptr<const stripe::event>>{};
  all.insert(all.end(), noted_.begin(), noted_.end());
  return all;
}

void working_set::take(working_set&& child) {
  batch_.merge(std::move(child.batch_));
  for (auto& event : child.noted_)
    noted_.push_back(std::move(event));
}

std::shared_ptr<const batch> working_set::release() {
  return std::make_shared<const batch>(std::exchange(batch_, {}));
}

}  // namespace tilld::actors
