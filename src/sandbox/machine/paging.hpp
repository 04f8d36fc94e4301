// Lists: newest first, 10 at a time unless asked for 1 to 100, walked by cursors in either
// direction.
// Source: https://docs.stripe.com/api/pagination
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/machine/context.hpp"

namespace tilld::sandbox {

// What a list shows. Every condition must hold.
struct filter {
  struct condition {
    std::string path;  // an index of the kind
    std::vector<std::string> values;
  };
  std::vector<condition> where;
  std::vector<std::function<bool(const json&)>> also;

  // Parameters that mean "this field has this value"; absent ones ask for nothing.
  void equal(const context& ctx, std::string_view param, std::string path);
  void also_equal(const context& ctx, std::string_view param);  // without an index
};

// Lists inside objects (lines, items) stand in the order in which they were added, and so does the
// list behind their url: it goes on where the object's own copy was cut.
enum class list_order { newest_first, oldest_first };

// The page that the request's limit and cursors ask for. `created` is heeded where it was given.
// A cursor that is no such object, or not one that the list shows, is refused with 400.
answer<json> list_page(context& ctx, kind k, const filter& shown,
                       list_order order = list_order::newest_first);
// As it is shown by `render` instead of view_of, at `url` instead of the request's path.
answer<json> list_page(context& ctx, kind k, const filter& shown, const std::string& url,
                       const std::function<json(const json&)>& render,
                       list_order order = list_order::newest_first);

json event_shown(const logged_event& e);
answer<json> events_page(context& ctx);

}  // namespace tilld::sandbox
