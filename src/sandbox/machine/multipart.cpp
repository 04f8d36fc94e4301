#include "sandbox/machine/multipart.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include "base/bytes.hpp"

namespace tilld::sandbox {

namespace {

std::string lowered(std::string_view text) {
  std::string small(text);
  std::transform(small.begin(), small.end(), small.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return small;
}

// name="value" or name=value of a header; empty when it is not there.
std::string attribute(std::string_view header, std::string_view name) {
  const std::string sought = "; " + std::string(name) + "=";
  const auto at = header.find(sought);
  if (at == header.npos) return {};
  std::string_view rest = header.substr(at + sought.size());
  if (!rest.starts_with('"')) return std::string(rest.substr(0, rest.find(';')));
  rest.remove_prefix(1);
  return std::string(rest.substr(0, rest.find('"')));
}

struct headers {
  std::string disposition;
  std::string type;
};
headers headers_of(std::string_view lines) {
  headers h;
  while (!lines.empty()) {
    const auto end = std::min(lines.find("\r\n"), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 2, lines.size()));
    const auto colon = line.find(": ");
    if (colon == line.npos) continue;
    const std::string name = lowered(line.substr(0, colon));
    if (name == "content-disposition") h.disposition = line.substr(colon + 2);
    if (name == "content-type") h.type = line.substr(colon + 2);
  }
  return h;
}

result<void> add_part(std::string_view part, stripe::form_pairs& pairs) {
  const auto blank = part.find("\r\n\r\n");
  if (blank == part.npos) return fail(errc::invalid, "a part has no end of its headers");
  const headers h = headers_of(part.substr(0, blank));
  const std::string_view data = part.substr(blank + 4);
  const std::string name = attribute(h.disposition, "name");
  if (name.empty()) return fail(errc::invalid, "a part has no name");
  const std::string filename = attribute(h.disposition, "filename");
  if (filename.empty()) {
    auto text = stripe::percent_decode(stripe::percent_encode(data), false);  // UTF-8 without NUL
    if (!text) return std::unexpected(text.error());
    pairs.emplace_back(name, std::move(*text));
    return {};
  }
  pairs.emplace_back(name + "[data]", to_base64(data));
  pairs.emplace_back(name + "[filename]", filename);
  pairs.emplace_back(name + "[type]", h.type);
  return {};
}

}  // namespace

bool is_multipart(std::string_view content_type) {
  return lowered(content_type.substr(0, 19)) == "multipart/form-data";
}

result<stripe::form_pairs> decode_multipart(std::string_view content_type, std::string_view body) {
  std::string boundary = attribute(content_type, "boundary");
  if (boundary.empty()) return fail(errc::invalid, "there is no boundary in the content type");
  const std::string mark = "\r\n--" + boundary;
  if (!body.starts_with(std::string_view(mark).substr(2))) {
    return fail(errc::invalid, "the body does not begin with its boundary");
  }
  body.remove_prefix(mark.size() - 2);
  stripe::form_pairs pairs;
  while (body.starts_with("\r\n")) {
    const auto end = body.find(mark, 2);
    if (end == body.npos) return fail(errc::invalid, "the body has no end");
    if (auto added = add_part(body.substr(2, end - 2), pairs); !added) {
      return std::unexpected(added.error());
    }
    body.remove_prefix(end + mark.size());
  }
  if (!body.starts_with("--")) return fail(errc::invalid, "the body has no end");
  return pairs;
}

}  // namespace tilld::sandbox
