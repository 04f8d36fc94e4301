#include "sandbox/pages/html.hpp"

namespace tilld::sandbox::pages {

namespace {

constexpr std::string_view style = R"(
:root { color-scheme: light; font-family: system-ui, sans-serif; line-height: 1.5; }
body { margin: 0; background: #f2f4f7; color: #1a2233; }
main { max-width: 26rem; margin: 3rem auto; padding: 0 1rem; }
section { background: #fff; border-radius: .75rem; padding: 1.5rem; margin: 1rem 0;
  box-shadow: 0 1px 3px rgba(16, 24, 40, .12); }
h1 { font-size: 1.25rem; margin: 0 0 1rem; } h2 { font-size: 1rem; margin: 0 0 .75rem; }
label { display: block; font-size: .875rem; font-weight: 600; margin: .75rem 0 .25rem; }
input { width: 100%; box-sizing: border-box; font: inherit; padding: .5rem .75rem;
  border: 1px solid #98a2b3; border-radius: .5rem; }
input:focus, button:focus { outline: 3px solid #84adff; outline-offset: 1px; }
button { width: 100%; margin-top: 1rem; font: inherit; font-weight: 600; padding: .625rem;
  border: 0; border-radius: .5rem; background: #1d4ed8; color: #fff; cursor: pointer; }
button.quiet { background: #e4e9f2; color: #1a2233; }
table { width: 100%; border-collapse: collapse; } td { padding: .375rem 0; vertical-align: top; }
td:last-child { text-align: right; white-space: nowrap; padding-left: 1rem; }
tr:last-child td { font-weight: 600; }
.problem { background: #fef3f2; color: #912018; border-radius: .5rem; padding: .75rem; }
.note { color: #475467; font-size: .875rem; }
)";

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string form(const std::vector<field>& fields, std::string_view button,
                 const std::vector<std::pair<std::string, std::string>>& hidden, bool quiet) {
  std::string out = "<form method=\"post\">";
  for (const auto& [name, value] : hidden) {
    out +=
        R"(<input type="hidden" name=")" + escaped(name) + R"(" value=")" + escaped(value) + "\">";
  }
  for (const auto& f : fields) {
    out += "<label for=\"" + f.name + "\">" + escaped(f.label) + "</label><input id=\"" + f.name +
           "\" name=\"" + f.name + "\" value=\"" + escaped(f.value) + "\" autocomplete=\"" +
           f.autocomplete + "\" placeholder=\"" + escaped(f.hint) + "\"" +
           (f.required ? " required>" : ">");
  }
  out += quiet ? "<button class=\"quiet\">" : "<button>";
  return out + escaped(button) + "</button></form>";
}

std::vector<field> card_fields() {
  return {{"number", "Card number", "", "cc-number", "4242 4242 4242 4242"},
          {"expiry", "Expiry (MM/YY)", "", "cc-exp", "12/34"},
          {"cvc", "Security code", "", "cc-csc", "123"}};
}

std::string rows(const std::vector<std::pair<std::string, std::string>>& all) {
  std::string out = "<table>";
  for (const auto& [name, amount] : all) {
    out += "<tr><td>" + escaped(name) + "</td><td>" + escaped(amount) + "</td></tr>";
  }
  return out + "</table>";
}

std::string page(std::string_view title, std::string_view body, std::string_view problem) {
  std::string out =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"><title>";
  out += escaped(title);
  out += "</title><style>";
  out += style;
  out += "</style></head><body><main><h1>";
  out += escaped(title);
  out += "</h1>";
  if (!problem.empty()) {
    out += "<p class=\"problem\" role=\"alert\">";
    out += escaped(problem);
    out += "</p>";
  }
  out += body;
  out += "<p class=\"note\">A sandbox: no money moves here.</p></main></body></html>";
  return out;
}

}  // namespace tilld::sandbox::pages
