#include <nlohmann/json.hpp>

#include "http/faces.hpp"

namespace tilld::http {

void add_ops_routes(router& to, const house& h,
                    std::function<std::vector<actors::part_state>()> parts) {
  to.add("GET", "/healthz", [](request&, const responder& answer) {
    response alive;
    alive.body = R"({"status":"ok"})";
    answer(std::move(alive));
  });
  to.add("GET", "/readyz", [parts = std::move(parts)](request&, const responder& answer) {
    nlohmann::json listed = nlohmann::json::object();
    bool ready = true;
    for (const auto& part : parts()) {
      ready = ready && part.ready;
      listed[part.name] = part.ready ? "ready" : part.why;
    }
    response r;
    r.status = ready ? 200 : 503;
    r.body = nlohmann::json{{"status", ready ? "ready" : "not_ready"}, {"parts", listed}}.dump();
    answer(std::move(r));
  });
  to.add("GET", "/metrics", [&h](request&, const responder& answer) {
    response text;
    text.content_type = "text/plain; version=0.0.4; charset=utf-8";
    text.body = h.counts.exposition();
    answer(std::move(text));
  });
}

}  // namespace tilld::http
