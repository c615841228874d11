#include "maas/serve/tokens.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <utility>

namespace maas::serve {

namespace {

constexpr size_t kIdBegin = 5, kIdSize = 16, kTextSize = 70;  // maas_ + 16 + _ + 48
constexpr std::string_view kAdmin = "admin", kPredictAll = "predict:*", kPredict = "predict:";

int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool is_local(std::string_view host) {
  return host == "::1" || host == "localhost" || host.starts_with("127.");
}

bool allows(const Token& token, const Need& need) {
  return std::any_of(token.scopes.begin(), token.scopes.end(), [&](std::string_view scope) {
    if (scope == kAdmin || need.kind == Need::Kind::kRead) return true;
    if (need.kind == Need::Kind::kAdmin) return false;
    return scope == kPredictAll ||
           (scope.starts_with(kPredict) && scope.substr(kPredict.size()) == need.name);
  });
}

}  // namespace

Digest digest_of(std::string_view text) {
  // Looked up once: OpenSSL 3 searches its providers each time otherwise.
  static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  Digest digest = {};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, kSha256, nullptr);
  return digest;
}

void TokenTable::set(std::vector<Token> tokens) {
  auto next = std::make_shared<Map>();
  for (Token& each : tokens) {
    std::string id = each.id;
    next->insert_or_assign(std::move(id), std::move(each));
  }
  const std::lock_guard lock(mutex_);
  map_ = std::move(next);
  generation_.fetch_add(1, std::memory_order_release);
}

std::shared_ptr<const TokenTable::Map> TokenTable::snapshot() const {
  const std::lock_guard lock(mutex_);
  return map_;
}

AccessRules::AccessRules(const TokenTable& table, std::optional<bool> anonymous_option, std::string_view host)
    : tokens(table), anonymous(anonymous_option), local(is_local(host)) {}

void Credentials::show(std::string_view text) {
  token_ = nullptr;
  checked_ = false;
  shown_ = !text.empty();
  id_.clear();
  if (!shown_) return;
  if (text.size() == kTextSize) id_ = text.substr(kIdBegin, kIdSize);
  digest_ = digest_of(text);
}

// As much work for an id that is not there as for one that is.
const Token* Credentials::find() {
  if (const uint64_t generation = rules_.tokens.generation(); generation != generation_) {
    map_ = rules_.tokens.snapshot();
    generation_ = generation;
    checked_ = false;
  }
  if (std::exchange(checked_, true)) return token_;
  token_ = nullptr;
  static constexpr Digest kNone = {};
  const Token* known = nullptr;
  if (map_ != nullptr) {
    const auto found = map_->find(id_);
    if (found != map_->end()) known = &found->second;
  }
  const Digest& right = known == nullptr ? kNone : known->sha256;
  const bool same = CRYPTO_memcmp(right.data(), digest_.data(), right.size()) == 0;
  if (same) token_ = known;
  return token_;
}

Access Credentials::ask(const Need& need) {
  if (!shown_ || rules_.tokens.generation() == 0) return anonymous(need);
  const Token* token = find();
  if (token == nullptr || (token->expires && *token->expires <= now_us())) return Access::kNoToken;
  return allows(*token, need) ? Access::kAllowed : Access::kNoScope;
}

Access Credentials::anonymous(const Need& need) {
  const bool has_tokens = rules_.tokens.generation() > 0;
  const bool held = rules_.anonymous.value_or(rules_.local && !has_tokens);
  if (!held) return Access::kNoToken;
  return need.kind == Need::Kind::kAdmin && has_tokens ? Access::kNoToken : Access::kAllowed;
}

}  // namespace maas::serve
