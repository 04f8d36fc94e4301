#include "sandbox/account/files.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/bytes.hpp"
#include "sandbox/machine/paging.hpp"

namespace tilld::sandbox::files {

namespace {

// Source: https://docs.stripe.com/file-upload#uploading-a-file
constexpr std::size_t largest = 524'288;

struct format {
  std::string_view ending;
  std::string_view content_type;
};
constexpr std::array<format, 9> formats = {{{"csv", "text/csv"},
                                            {"docx",
                                             "application/vnd.openxmlformats-officedocument."
                                             "wordprocessingml.document"},
                                            {"gif", "image/gif"},
                                            {"jpg", "image/jpeg"},
                                            {"pdf", "application/pdf"},
                                            {"png", "image/png"},
                                            {"txt", "text/plain"},
                                            {"xls", "application/vnd.ms-excel"},
                                            {"xlsx",
                                             "application/vnd.openxmlformats-officedocument."
                                             "spreadsheetml.sheet"}}};

const format* format_of(std::string_view filename) {
  std::string ending(filename.substr(filename.rfind('.') + 1));
  if (ending == "jpeg") ending = "jpg";
  const auto* it = std::find_if(formats.begin(), formats.end(),
                                [&](const format& f) { return f.ending == ending; });
  return it == formats.end() ? nullptr : it;
}

params::field purpose_field() {
  return params::choice(
      "purpose",
      {"account_requirement", "additional_verification", "business_icon", "business_logo",
       "customer_signature", "dispute_evidence", "identity_document",
       "issuing_regulatory_reporting", "pci_document", "platform_terms_of_service",
       "tax_document_user_upload", "terminal_android_apk", "terminal_reader_splashscreen",
       "terminal_wifi_certificate", "terminal_wifi_private_key"});
}

std::string make_link(context& ctx, const std::string& file, const json& expires_at) {
  json link = ctx.make(kind::file_link);
  std::string id = text_of(link, "id");
  link["expired"] = false;
  link["expires_at"] = expires_at;
  link["file"] = file;
  link["url"] = ctx.facts.page("https://files.stripe.com", "/links/" + id);
  ctx.state.insert(kind::file_link, std::move(link));
  return id;
}

answer<void> check_expiry(const context& ctx, const json& given, const std::string& param) {
  if (!given.is_number() || given.get<std::int64_t>() > ctx.now) return {};
  return refuse("The expiry of a file link must be in the future.", param);
}

}  // namespace

const params::schema& create_takes() {
  static const params::schema takes = {
      params::hash("file", {params::text("data", 1'000'000).needed(),
                            params::text("filename").needed(), params::text("type")})
          .needed(),
      params::hash("file_link_data", {params::boolean("create").needed(),
                                      params::timestamp("expires_at"), params::metadata()}),
      purpose_field().needed()};
  return takes;
}

answer<json> create(context& ctx) {
  const json given = ctx.param("file");
  const std::string filename = text_of(given, "filename");
  const auto bytes = from_base64(text_of(given, "data"));
  if (!bytes) return refuse("A file is sent as multipart/form-data.", "file");
  if (bytes->size() > largest) {
    return not_simulated("The sandbox keeps files of up to 512 KiB.", "file");
  }
  const format* is = format_of(filename);
  if (is == nullptr) {
    return refuse("Invalid file type: " + filename +
                      ". Its name must end in one of csv, docx, gif, "
                      "jpg, pdf, png, txt, xls, xlsx.",
                  "file");
  }
  json file = ctx.make(kind::file);
  const std::string id = text_of(file, "id");
  file["filename"] = filename;
  file["purpose"] = ctx.text("purpose");
  file["size"] = bytes->size();
  file["type"] = is->ending;
  file["url"] = "https://files.stripe.com/v1/files/" + id + "/contents";
  file["_data"] = text_of(given, "data");
  ctx.state.insert(kind::file, std::move(file));
  const json& link = ctx.param("file_link_data");
  if (truth_of(link, "create")) {
    const json expires = link.contains("expires_at") ? link["expires_at"] : json(nullptr);
    if (auto fine = check_expiry(ctx, expires, "file_link_data[expires_at]"); !fine) {
      return std::unexpected(fine.error());
    }
    make_link(ctx, id, expires);
  }
  ctx.emit("file.created", kind::file, id);
  return ctx.shown(kind::file, id);
}

answer<json> retrieve(context& ctx) {
  auto file = ctx.object();
  if (!file) return file;
  return view_of(ctx.state, kind::file, *file);
}

const params::schema& list_takes() {
  static const params::schema takes = {params::range("created"), purpose_field()};
  return takes;
}

answer<json> list(context& ctx) {
  filter shown;
  shown.equal(ctx, "purpose", "purpose");
  return list_page(ctx, kind::file, shown);
}

const params::schema& link_create_takes() {
  static const params::schema takes = {params::timestamp("expires_at"),
                                       params::text("file").needed(), params::metadata()};
  return takes;
}

answer<json> link_create(context& ctx) {
  auto file = ctx.referred(kind::file, ctx.text("file"), "file");
  if (!file) return file;
  if (auto fine = check_expiry(ctx, ctx.param("expires_at"), "expires_at"); !fine) {
    return std::unexpected(fine.error());
  }
  const std::string id = make_link(ctx, ctx.text("file"), ctx.param("expires_at"));
  json link = ctx.state.live(kind::file_link, id);
  if (auto merged = merge_metadata(link, ctx.param("metadata")); !merged) {
    return std::unexpected(merged.error());
  }
  ctx.state.replace(kind::file_link, std::move(link));
  return ctx.shown(kind::file_link, id);
}

answer<json> link_retrieve(context& ctx) {
  auto link = ctx.object();
  if (!link) return link;
  return view_of(ctx.state, kind::file_link, *link);
}

const params::schema& link_update_takes() {
  static const params::schema takes = {params::timestamp("expires_at").or_word("now").clearable(),
                                       params::metadata()};
  return takes;
}

answer<json> link_update(context& ctx) {
  auto link = ctx.object();
  if (!link) return link;
  const std::string id = text_of(*link, "id");
  if (auto fine = check_expiry(ctx, ctx.param("expires_at"), "expires_at"); !fine) {
    return std::unexpected(fine.error());
  }
  if (ctx.param("expires_at") == "now") {
    (*link)["expires_at"] = ctx.now;
  } else {
    ctx.copy_given(*link, {"expires_at"});
  }
  if (ctx.given("metadata")) {
    if (auto merged = merge_metadata(*link, ctx.param("metadata")); !merged) {
      return std::unexpected(merged.error());
    }
  }
  ctx.state.replace(kind::file_link, std::move(*link));
  return ctx.shown(kind::file_link, id);
}

const params::schema& link_list_takes() {
  static const params::schema takes = {params::range("created"), params::boolean("expired"),
                                       params::text("file")};
  return takes;
}

answer<json> link_list(context& ctx) {
  filter shown;
  shown.equal(ctx, "file", "file");
  if (ctx.given("expired")) {
    shown.also.push_back([&, wanted = ctx.truth("expired")](const json& link) {
      return truth_of(view_of(ctx.state, kind::file_link, link), "expired") == wanted;
    });
  }
  return list_page(ctx, kind::file_link, shown);
}

std::optional<contents> behind(const context& ctx, const std::string& id) {
  const json link = ctx.shown(kind::file_link, id);
  if (link.is_null() || truth_of(link, "expired")) return std::nullopt;
  const json& file = ctx.state.live(kind::file, text_of(link, "file"));
  const format* is = format_of(text_of(file, "filename"));
  return contents{from_base64(text_of(file, "_data")).value_or(""),
                  std::string(is == nullptr ? "application/octet-stream" : is->content_type)};
}

}  // namespace tilld::sandbox::files
