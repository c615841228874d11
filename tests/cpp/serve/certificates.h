// Certificates for tests of TLS, made when they are asked for.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

namespace maas::serve {

struct KeyPair {
  std::shared_ptr<EVP_PKEY> key;
  std::shared_ptr<X509> certificate;
};

// Signed by `issuer`, or by itself where that is null.
inline KeyPair make_certificate(const char* name, const KeyPair* issuer = nullptr) {
  KeyPair made{{EVP_EC_gen("P-256"), EVP_PKEY_free}, {X509_new(), X509_free}};
  X509* const certificate = made.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), issuer == nullptr ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate,
                       X509_get_subject_name(issuer == nullptr ? certificate : issuer->certificate.get()));
  if (issuer == nullptr) {
    X509_EXTENSION* const authority = X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "CA:TRUE");
    X509_add_ext(certificate, authority, -1);
    X509_EXTENSION_free(authority);
  }
  X509_sign(certificate, (issuer == nullptr ? made : *issuer).key.get(), EVP_sha256());
  return made;
}

// A folder of its own for PEM files; gone with this.
class PemFolder {
 public:
  PemFolder() : path_(::testing::TempDir() + "maas_pem_" + std::to_string(::getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~PemFolder() { std::filesystem::remove_all(path_); }

  std::string certificate(const char* name, const KeyPair& pair) const {
    return write(name, [&](FILE* file) { PEM_write_X509(file, pair.certificate.get()); });
  }
  std::string key(const char* name, const KeyPair& pair, const char* password = nullptr) const {
    return write(name, [&](FILE* file) {
      const int size = password == nullptr ? 0 : static_cast<int>(std::strlen(password));
      PEM_write_PKCS8PrivateKey(file, pair.key.get(), password == nullptr ? nullptr : EVP_aes_256_cbc(),
                                password, size, nullptr, nullptr);
    });
  }
  std::string text(const char* name, const char* what) const {
    return write(name, [&](FILE* file) { std::fputs(what, file); });
  }

 private:
  template <class Work>
  std::string write(const char* name, Work&& work) const {
    const std::string path = path_ + "/" + name;
    FILE* const file = std::fopen(path.c_str(), "w");
    work(file);
    std::fclose(file);
    return path;
  }
  std::string path_;
};

}  // namespace maas::serve
