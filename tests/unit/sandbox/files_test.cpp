// Source: https://docs.stripe.com/file-upload
#include "client.hpp"
#include "sandbox/machine/multipart.hpp"
#include "shapes.hpp"
#include "support/catch.hpp"

using tilld::sandbox::decode_multipart;
using tilld::test::check_shapes;
using tilld::test::client;
using tilld::test::reply;

namespace {

const std::string kind = "multipart/form-data; boundary=xyz";

std::string body_of(const std::string& name, const std::string& data) {
  return "--xyz\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\ndispute_evidence\r\n"
         "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" +
         name + "\"\r\nContent-Type: application/octet-stream\r\n\r\n" + data + "\r\n--xyz--\r\n";
}

reply upload(client& c, const std::string& name, const std::string& data) {
  tilld::sandbox::request r;
  r.verb = "POST";
  r.path = "/v1/files";
  r.body = body_of(name, data);
  r.authorization = "Bearer sk_test_sandbox";
  r.content_type = kind;
  return c.send(r);
}

}  // namespace

TEST_CASE("A file is kept byte for byte and read through its link until that expires") {
  client c;
  c.stripe.set_base_url("http://127.0.0.1:1");
  const std::string bytes("\x89PNG\r\n\x00\xff--xyz?", 15);
  const auto made = upload(c, "receipt.png", bytes);
  REQUIRE(made.status == 200);
  check_shapes(made.body);
  CHECK(made.body["size"] == bytes.size());
  CHECK(made.body["type"] == "png");
  CHECK(made.body["purpose"] == "dispute_evidence");
  CHECK(c.told() == std::vector<std::string>{"file.created"});
  const auto link =
      c.post("/v1/file_links", "file=" + made.id() + "&expires_at=" + std::to_string(c.now_s + 60));
  REQUIRE(link.status == 200);
  check_shapes(link.body);
  CHECK(link.body["url"] == "http://127.0.0.1:1/links/" + link.id());
  const auto seen = c.stripe.visit({"GET", "/links/" + link.id(), "", ""}, c.now_s);
  CHECK(seen.body == bytes);
  CHECK(seen.content_type == "image/png");
  CHECK(c.get("/v1/files/" + made.id()).body["links"]["data"].size() == 1);
  c.wait(61);
  CHECK(c.stripe.visit({"GET", "/links/" + link.id(), "", ""}, c.now_s).status == 404);
  CHECK(c.get("/v1/file_links/" + link.id()).body["expired"] == true);
  CHECK(c.get("/v1/file_links", "expired=false").body["data"].empty());
  CHECK(c.get("/v1/files", "purpose=dispute_evidence").body["data"].size() == 1);
}

TEST_CASE("What is no file is refused") {
  client c;
  const auto before = c.stripe.dump();
  CHECK(upload(c, "program.exe", "MZ").param() == "file");
  CHECK(upload(c, "large.txt", std::string(600'000, 'a')).status == 501);
  CHECK(c.post("/v1/files", "purpose=dispute_evidence&file=text").status == 400);
  CHECK(c.post("/v1/file_links", "file=file_no").param() == "file");
  CHECK(c.stripe.dump() == before);
}

TEST_CASE("Bodies that are not whole multipart bodies are errors") {
  const std::string good = body_of("a.txt", "x");
  REQUIRE(decode_multipart(kind, good));
  for (std::size_t cut = 0; cut + 4 < good.size(); ++cut) {
    INFO(cut);
    CHECK_FALSE(decode_multipart(kind, good.substr(0, cut)));
  }
  CHECK_FALSE(decode_multipart("multipart/form-data", good));
  CHECK_FALSE(decode_multipart(kind, "--xyz\r\nContent-Type: text/plain\r\n\r\nx\r\n--xyz--"));
}
