// Which handler answers what. Literal segments win over {placeholders}; no regular expressions, so
// a long path costs what its length costs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace tilld::http {

using handler = std::function<void(request& r, responder answer)>;

class router {
 public:
  router();
  ~router();
  router(router&&) noexcept;
  router& operator=(router&&) noexcept;

  // `pattern`: "/api/customers/{id}/entitlements"; a last segment "{rest...}" takes what is left,
  // also nothing, as one argument joined with slashes. `verb` "*" is any. A literal that leads
  // nowhere gives way to a placeholder beside it. The same verb and pattern again replaces.
  // Not to be called once a server has the router.
  void add(std::string_view verb, std::string_view pattern, handler h);

  // Asked before every handler; answers itself (and returns false) to refuse.
  using guard = std::function<bool(request& r, const responder& answer)>;
  void set_guard(guard g);

  // Fills r.arguments. Unknown paths get 404, known paths with another verb 405 with Allow.
  void route(request& r, responder answer) const;

  struct entry {
    std::string verb;
    std::string pattern;
  };
  std::vector<entry> entries() const;

 private:
  struct table;
  std::unique_ptr<table> table_;
};

}  // namespace tilld::http
