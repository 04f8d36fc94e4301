// What an owner is about to commit, readable before it is committed.
//
// Several facts are decided one after the other and committed together; each must see what the ones
// before it did. A child set is taken over when its fact went well and dropped when it did not, so
// a fact that fails half-way leaves nothing behind.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "store/store.hpp"
#include "stripe/event.hpp"

namespace tilld::actors {

class working_set {
 public:
  explicit working_set(const store::reader& base) : base_(base) {}
  // A child: sees its parent's changes, keeps its own until take(). The parent must outlive it.
  explicit working_set(const working_set* parent) : base_(parent->base_), parent_(parent) {}
  working_set(const working_set&) = delete;
  working_set& operator=(const working_set&) = delete;

  const store::reader& base() const noexcept { return base_; }

  result<std::optional<std::string>> get(store::family in, std::string_view key) const;

  void put(store::family in, std::string key, std::string value);
  void erase(store::family in, std::string key);
  void append(store::family in, std::string value);
  // Preconditions on rows that this set has changed itself are known to hold and left out.
  void expect_absent(store::family in, std::string key);
  void expect_prefix(store::family in, std::string key, std::string prefix);

  // Events that this set stores; they are peers of the next ones.
  void note(std::shared_ptr<const stripe::event> event);
  std::vector<std::shared_ptr<const stripe::event>> noted() const;

  void take(working_set&& child);
  bool empty() const noexcept { return batch_.empty(); }
  std::shared_ptr<const store::batch> release();

 private:
  const store::batch::change* find(store::family in, std::string_view key) const noexcept;

  const store::reader& base_;
  const working_set* parent_ = nullptr;
  store::batch batch_;
  std::vector<std::shared_ptr<const stripe::event>> noted_;
};

}  // namespace tilld::actors
