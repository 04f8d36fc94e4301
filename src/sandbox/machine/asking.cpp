#include "sandbox/machine/asking.hpp"

#include <utility>

namespace tilld::sandbox {

aside::aside(context& ctx)
    : ctx_(ctx), params_(ctx.params), endpoint_(ctx.endpoint), arguments_(ctx.arguments) {}

aside::~aside() {
  ctx_.params = std::move(params_);
  ctx_.endpoint = endpoint_;
  ctx_.arguments = std::move(arguments_);
}

answer<json> ask(context& ctx, answer<json> (*act)(context&), json params,
                 std::vector<std::string> arguments, const char* path) {
  ctx.params = std::move(params);
  ctx.arguments = std::move(arguments);
  ctx.endpoint = nullptr;
  for (const auto& row : stripe::catalogue::instance().endpoints()) {
    if (row.path == path && row.verb == "POST") ctx.endpoint = &row;
  }
  return act(ctx);
}

}  // namespace tilld::sandbox
