#include "sandbox/search/search.hpp"

#include <algorithm>
#include <charconv>

#include "base/bytes.hpp"
#include "sandbox/time/clock.hpp"
#include "sandbox/time/due.hpp"
#include "stripe/search_query.hpp"

namespace tilld::sandbox::search {

namespace {

constexpr std::int64_t default_limit = 10;
constexpr std::int64_t most_counted = 10'000;  // total_count is exact up to here
constexpr std::size_t mark_letters = 16;

// "/v1/customers/search" → "customers"
std::string resource_of(const context& ctx) {
  constexpr std::string_view head = "/v1/";
  const std::string& path = ctx.endpoint->path;
  return path.substr(head.size(), path.rfind('/') - head.size());
}

// page = base64(row "." mark): the next page begins below that row. The mark is of the kind and
// the query, so that a page of another search is refused.
std::string mark_of(kind k, const std::string& query) {
  return to_hex(sha256(std::string(row_of(k).object) + "\n" + query)).substr(0, mark_letters);
}

std::string page_of(kind k, const std::string& query, row_number row) {
  return to_base64(std::to_string(row) + "." + mark_of(k, query));
}

answer<row_number> start_of(const context& ctx, kind k, const std::string& query) {
  if (!ctx.given("page")) return after_the_newest;
  const auto wrong = [](const char* why) {
    return refuse(std::string("Invalid page: ") + why, "page");
  };
  const auto token = from_base64(ctx.text("page"));
  if (!token) return wrong("it must be the `next_page` of an earlier answer.");
  row_number row = 0;
  const char* end = token->data() + token->size();
  const auto [rest, error] = std::from_chars(token->data(), end, row);
  if (error != std::errc() || rest == end || *rest != '.') {
    return wrong("it must be the `next_page` of an earlier answer.");
  }
  if (std::string_view(rest + 1, end) != mark_of(k, query)) {
    return wrong("it belongs to another query.");
  }
  return row;
}

std::optional<std::string> text_at(const json& document, std::string_view path) {
  const json* value = at_path(document, path);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  if (value->is_boolean()) return value->get<bool>() ? "true" : "false";
  if (value->is_number_integer()) return std::to_string(value->get<std::int64_t>());
  return std::nullopt;
}

stripe::search::lookup members_of(kind k, const json& document) {
  return [k, &document](std::string_view path, std::string_view key) -> std::optional<std::string> {
    if (path == "metadata") {
      const auto metadata = document.find("metadata");
      if (metadata == document.end() || !metadata->is_object()) return std::nullopt;
      const auto it = metadata->find(std::string(key));
      if (it == metadata->end() || !it->is_string()) return std::nullopt;
      return it->get<std::string>();
    }
    // Of a charge that cannot be refunded "refunded" is null to a search.
    if (k == kind::charge && path == "refunded" && text_of(document, "status") != "succeeded") {
      return std::nullopt;
    }
    return text_at(document, path);
  };
}

// The index of the world that holds all that a clause can find.
struct indexed {
  std::string path;
  std::string value;
};

std::optional<indexed> index_for(const table& rows, const stripe::search::clause& c) {
  if (c.negated || c.null || c.op != stripe::search::comparison::equal) return std::nullopt;
  // Other indexes hold texts as they are, where a search does not mind their letters' case; these
  // have small letters only.
  const bool small = c.field.name == "status" || c.field.name == "type";
  const std::string path = std::string(c.field.path) + (small ? "" : "~");
  if (!rows.has_index(path)) return std::nullopt;
  return indexed{path, c.value};
}

sequence candidates(const table& rows, const stripe::search::query& q) {
  sequence best = rows.all();
  if (q.any && q.clauses.size() > 1) return best;
  for (const auto& c : q.clauses) {
    const auto index = index_for(rows, c);
    if (!index) continue;
    sequence narrower = rows.with(index->path, {index->value});
    if (narrower.size() < best.size()) best = std::move(narrower);
  }
  return best;
}

// By when an object must have been there, on its own clock.
class horizon {
 public:
  explicit horizon(const context& ctx) : state_(ctx.state), lag_s_(ctx.state.rules.search_lag_s) {}

  bool takes_in(const json& document) const {
    if (lag_s_ == 0) return true;
    std::int64_t now = state_.now_s;
    const std::string clock = clock_of(document);
    if (const json* its = clock.empty() ? nullptr : state_.find_live(kind::test_clock, clock)) {
      now = number_of(*its, "frozen_time");
    }
    return created_of(document) + lag_s_ <= now;
  }

 private:
  const world& state_;
  std::int64_t lag_s_;
};

bool wants_total(const context& ctx) {
  const json& expand = ctx.param("expand");
  return std::find(expand.begin(), expand.end(), "total_count") != expand.end();
}

}  // namespace

const params::schema& takes() {
  static const params::schema fields = {params::text("query").needed(),
                                        params::integer("limit").at_least(1).at_most(100),
                                        params::text("page")};
  return fields;
}

answer<json> find(context& ctx) {
  const kind k = *kind_named(ctx.endpoint->returns.front());
  const std::string text = ctx.text("query");
  const auto query = stripe::search::parse(resource_of(ctx), text);
  if (!query) return refuse(query.error().message, "query");
  const auto start = start_of(ctx, k, text);
  if (!start) return std::unexpected(start.error());
  const auto limit = ctx.given("limit") ? ctx.number("limit") : default_limit;
  const table& rows = std::as_const(ctx.state).of(k);
  const sequence all = candidates(rows, *query);
  const horizon known(ctx);
  const auto fits = [&](row_number row) {
    const record& r = rows.at(row);
    return !r.deleted && known.takes_in(r.document) &&
           stripe::search::holds(*query, members_of(k, r.document));
  };
  json data = json::array();
  std::optional<row_number> last;
  bool more = false;
  for (auto row = all.below(*start); row && !more; row = all.below(*row)) {
    if (!fits(*row)) continue;
    more = static_cast<std::int64_t>(data.size()) == limit;
    if (more) break;
    data.push_back(view_of(ctx.state, k, rows.at(*row).document));
    last = row;
  }
  json result = json::object();
  result["object"] = "search_result";
  result["data"] = std::move(data);
  result["has_more"] = more;
  result["next_page"] = more ? json(page_of(k, text, *last)) : json(nullptr);
  if (wants_total(ctx)) {
    std::int64_t total = 0;
    for (auto row = all.below(after_the_newest); row && total < most_counted;
         row = all.below(*row)) {
      if (fits(*row)) ++total;
    }
    result["total_count"] = total;
  }
  result["url"] = ctx.path;
  return result;
}

}  // namespace tilld::sandbox::search
