// One request asks another endpoint's function: pages act as their visitors would through the API,
// an item changes through its subscription, a preview does what it foretells.
#pragma once

#include <string>
#include <vector>

#include "sandbox/machine/context.hpp"

namespace tilld::sandbox {

// The request as it is, put aside until the end of the scope.
class aside {
 public:
  explicit aside(context& ctx);
  ~aside();
  aside(const aside&) = delete;
  aside& operator=(const aside&) = delete;

 private:
  context& ctx_;
  json params_;
  const stripe::endpoint_row* endpoint_;
  std::vector<std::string> arguments_;
};

// What the function of "POST path" answers to these (typed) parameters. ctx is that request from
// then on; whoever needs it back puts it aside first.
answer<json> ask(context& ctx, answer<json> (*act)(context&), json params,
                 std::vector<std::string> arguments = {}, const char* path = "");

}  // namespace tilld::sandbox
