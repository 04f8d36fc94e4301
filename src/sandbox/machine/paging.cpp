#include "sandbox/machine/paging.hpp"

#include <algorithm>

#include "sandbox/machine/ranges.hpp"

namespace tilld::sandbox {

namespace {

constexpr std::int64_t default_limit = 10;

struct cursor {
  std::string_view param;  // starting_after or ending_before; empty: from the newest
  std::string id;
};

answer<cursor> cursor_of(const context& ctx) {
  const bool after = ctx.given("starting_after");
  const bool before = ctx.given("ending_before");
  if (after && before) {
    return refuse(
        "You cannot parameterize both `starting_after` and `ending_before` in the same request.");
  }
  if (after) return cursor{"starting_after", ctx.text("starting_after")};
  if (before) return cursor{"ending_before", ctx.text("ending_before")};
  return cursor{};
}

struct page {
  std::vector<row_number> rows;  // in the list's order
  bool more = false;
};

using accepts = std::function<bool(row_number)>;

// From `start` (not included) on, in the list's own order, or against it for ending_before; what
// was walked against it is turned round.
page walk(const sequence& rows, std::pair<row_number, row_number> within, const cursor& from,
          row_number start, list_order order, std::size_t limit, const accepts& accept) {
  page out;
  const bool back = from.param == "ending_before";
  const bool up = back == (order == list_order::newest_first);
  const auto [first, end] = within;
  const row_number above = from.param.empty() ? 0 : start + 1;
  auto row = up ? rows.from(std::max(above, first)) : rows.below(std::min(start, end));
  while (row && (up ? *row < end : *row >= first)) {
    if (accept(*row)) {
      if (out.rows.size() == limit) {
        out.more = true;
        break;
      }
      out.rows.push_back(*row);
    }
    row = up ? rows.from(*row + 1) : rows.below(*row);
  }
  if (back) std::reverse(out.rows.begin(), out.rows.end());
  return out;
}

std::size_t limit_of(const context& ctx) {
  return static_cast<std::size_t>(ctx.given("limit") ? ctx.number("limit") : default_limit);
}

bool condition_holds(const filter::condition& c, const json& document) {
  for (const auto& has : indexed_values(document, c.path)) {
    if (std::find(c.values.begin(), c.values.end(), has) != c.values.end()) return true;
  }
  return false;
}

bool shows(const filter& shown, const record& r) {
  if (r.deleted) return false;
  for (const auto& c : shown.where) {
    if (!condition_holds(c, r.document)) return false;
  }
  return std::all_of(shown.also.begin(), shown.also.end(),
                     [&](const auto& holds) { return holds(r.document); });
}

// The shortest index among the conditions, or every row.
sequence cheapest(const table& rows, const filter& shown) {
  sequence best = rows.all();
  for (const auto& c : shown.where) {
    if (!rows.has_index(c.path)) continue;
    sequence candidate = rows.with(c.path, c.values);
    if (candidate.size() < best.size()) best = std::move(candidate);
  }
  return best;
}

}  // namespace

void filter::equal(const context& ctx, std::string_view param, std::string path) {
  const json& value = ctx.param(param);
  if (value.is_string()) where.push_back({std::move(path), {value.get<std::string>()}});
}

void filter::also_equal(const context& ctx, std::string_view param) {
  if (!ctx.given(param)) return;
  also.push_back([name = std::string(param), value = ctx.param(param)](const json& document) {
    const auto it = document.find(name);
    return it != document.end() && *it == value;
  });
}

answer<json> list_page(context& ctx, kind k, const filter& shown, list_order order) {
  return list_page(
      ctx, k, shown, ctx.path,
      [&](const json& document) { return view_of(ctx.state, k, document); }, order);
}

answer<json> list_page(context& ctx, kind k, const filter& shown, const std::string& url,
                       const std::function<json(const json&)>& render, list_order order) {
  const table& rows = std::as_const(ctx.state).of(k);
  const auto from = cursor_of(ctx);
  if (!from) return std::unexpected(from.error());
  row_number start = after_the_newest;
  if (!from->param.empty()) {
    const auto number = rows.number_of(from->id);
    if (!number || !shows(shown, rows.at(*number))) return missing(k, from->id, from->param, 400);
    start = *number;
  }
  const time_range created = range_of(ctx.param("created"));
  const bool by_time = ctx.given("created");
  const auto accept = [&](row_number row) {
    const record& r = rows.at(row);
    if (!shows(shown, r)) return false;
    return !by_time || created.holds(created_of(r.document));
  };
  const auto within = by_time ? rows.created_between(created.from_s, created.to_s)
                              : std::pair<row_number, row_number>{0, rows.size()};
  const page found =
      walk(cheapest(rows, shown), within, *from, start, order, limit_of(ctx), accept);
  json data = json::array();
  for (const row_number row : found.rows)
    data.push_back(render(rows.at(row).document));
  return list_envelope(std::move(data), found.more, url);
}

json event_shown(const logged_event& e) {
  json event = json::parse(e.text);
  if (e.delivered) event["pending_webhooks"] = 0;
  return event;
}

answer<json> events_page(context& ctx) {
  const event_log& log = ctx.state.events;
  std::vector<std::string> types;
  for (const auto& type : ctx.param("types"))
    types.push_back(type.get<std::string>());
  if (ctx.given("type")) types.push_back(ctx.text("type"));
  const auto from = cursor_of(ctx);
  if (!from) return std::unexpected(from.error());
  row_number start = after_the_newest;
  if (!from->param.empty()) {
    const auto number = log.number_of(from->id);
    if (!number) {
      auto error = stripe::resource_missing("event", from->id, from->param);
      error.status = 400;
      return refuse(std::move(error));
    }
    start = *number;
  }
  const time_range created = range_of(ctx.param("created"));
  const bool by_success = ctx.given("delivery_success");
  const auto accept = [&](row_number row) {
    const logged_event& e = log.at(row);
    return created.holds(e.created_s) &&
           (!by_success || e.delivered == ctx.truth("delivery_success"));
  };
  const page found = walk(types.empty() ? log.all() : log.of_types(types),
                          log.created_between(created.from_s, created.to_s), *from, start,
                          list_order::newest_first, limit_of(ctx), accept);
  json data = json::array();
  for (const row_number row : found.rows)
    data.push_back(event_shown(log.at(row)));
  return list_envelope(std::move(data), found.more, ctx.path);
}

}  // namespace tilld::sandbox
