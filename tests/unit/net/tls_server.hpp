// A TLS server on loopback with certificates made on the spot, good and bad.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "evil_server.hpp"

namespace tilld::net::test {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* it) const {
    Free(it);
  }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using cert_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using ctx_ptr = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;

struct identity {
  key_ptr key;
  cert_ptr cert;
};

struct wanted_cert {
  std::string common_name = "test";
  std::string alt_names;  // OpenSSL's spelling, "DNS:localhost,IP:127.0.0.1"; empty: none
  long valid_from_s = -3600;
  long valid_until_s = 3600;
  bool is_ca = false;
};

inline void add_extension(X509* cert, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  X509_add_ext(cert, extension, -1);
  X509_EXTENSION_free(extension);
}

// Signed by `issuer`, or by itself.
inline identity make_identity(const wanted_cert& wanted, const identity* issuer = nullptr) {
  static long serial = 1;
  identity out{key_ptr(EVP_EC_gen("P-256")), cert_ptr(X509_new())};
  X509* const cert = out.cert.get();
  X509* const signer = issuer != nullptr ? issuer->cert.get() : cert;
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(cert), wanted.valid_from_s);
  X509_gmtime_adj(X509_getm_notAfter(cert), wanted.valid_until_s);
  X509_set_pubkey(cert, out.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wanted.common_name.c_str()), -1,
                             -1, 0);
  X509_set_issuer_name(cert, X509_get_subject_name(signer));
  if (wanted.is_ca) add_extension(cert, signer, NID_basic_constraints, "critical,CA:TRUE");
  if (!wanted.alt_names.empty()) {
    add_extension(cert, signer, NID_subject_alt_name, wanted.alt_names);
  }
  X509_sign(cert, issuer != nullptr ? issuer->key.get() : out.key.get(), EVP_sha256());
  return out;
}

// A directory of its own under /tmp, removed with all that is in it.
class temp_dir {
 public:
  temp_dir() {
    std::string name = "/tmp/tilld_net_XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~temp_dir() { std::filesystem::remove_all(path_); }
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline void write_pem(const std::string& path, X509* cert) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  PEM_write_X509(file, cert);
  std::fclose(file);
}

// Answers each request over TLS with "secure"; counts those that got through the handshake.
class tls_server {
 public:
  explicit tls_server(const identity& who, int highest_version = TLS1_3_VERSION)
      : context_(make_context(who, highest_version)),
        server_([this](connection& c) { serve(c); }) {}
  std::string url(const std::string& host) const {
    return "https://" + host + ":" + std::to_string(server_.port()) + "/";
  }
  int requests() const { return requests_; }
  int connections() const { return server_.connections(); }

 private:
  static ctx_ptr make_context(const identity& who, int highest_version) {
    ctx_ptr context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context.get(), who.cert.get());
    SSL_CTX_use_PrivateKey(context.get(), who.key.get());
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), highest_version);
    return context;
  }
  void serve(connection& c) {
    std::unique_ptr<SSL, freed_by<SSL_free>> ssl(SSL_new(context_.get()));
    SSL_set_fd(ssl.get(), c.fd());
    if (SSL_accept(ssl.get()) != 1) return;
    char bytes[4096];
    while (SSL_read(ssl.get(), bytes, sizeof bytes) > 0) {
      ++requests_;
      constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecure";
      SSL_write(ssl.get(), answer.data(), static_cast<int>(answer.size()));
    }
  }

  ctx_ptr context_;
  std::atomic<int> requests_{0};
  evil_server server_;
};

}  // namespace tilld::net::test
