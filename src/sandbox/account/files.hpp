// Small files, kept with the account, and links by which anybody may read them.
// Source: https://docs.stripe.com/file-upload
#pragma once

#include <optional>
#include <string>

#include "sandbox/machine/context.hpp"
#include "sandbox/machine/params.hpp"

namespace tilld::sandbox::files {

const params::schema& create_takes();
const params::schema& list_takes();
answer<json> create(context& ctx);
answer<json> retrieve(context& ctx);
answer<json> list(context& ctx);

const params::schema& link_create_takes();
const params::schema& link_update_takes();
const params::schema& link_list_takes();
answer<json> link_create(context& ctx);
answer<json> link_retrieve(context& ctx);
answer<json> link_update(context& ctx);
answer<json> link_list(context& ctx);

struct contents {
  std::string bytes;
  std::string content_type;
};
// What a link shows; nothing once it has expired.
std::optional<contents> behind(const context& ctx, const std::string& link);

}  // namespace tilld::sandbox::files
