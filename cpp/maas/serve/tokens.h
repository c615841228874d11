// API tokens: which are good, what they allow, and what one connection has shown.
//
// A token's text is maas_ID_SECRET; only sha256 of it is kept, here as anywhere.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maas::serve {

using Digest = std::array<unsigned char, 32>;

struct Token {
  std::string id;
  Digest sha256 = {};
  std::vector<std::string> scopes;  // "admin", "predict:*", "predict:NAME"; "admin" allows all
  std::optional<int64_t> expires;   // microseconds since 1970 UTC
};

// Threads read it without a lock; a change is one exchange.
class TokenTable {
 public:
  using Map = std::map<std::string, Token, std::less<>>;

  // In the place of all that were there. From the first call on the server knows tokens.
  void set(std::vector<Token> tokens);

  // nullptr before the first set().
  std::shared_ptr<const Map> snapshot() const;
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Map> map_;
  std::atomic<uint64_t> generation_{0};
};

// What is asked of the server.
struct Need {
  enum class Kind : uint8_t {
    kPredict,  // of model `name`, and what that model says of itself
    kRead,     // what is no model's: any token will do
    kAdmin,    // what changes the server
  };
  Kind kind = Kind::kRead;
  std::string_view name;
};

enum class Access : uint8_t {
  kAllowed,
  kNoToken,  // none shown, or none that is good: nothing tells a wrong one from an old one
  kNoScope,  // a good one, which does not allow this
};

// Whose rules: nobody is asked for a token where `anonymous` holds. Where it is not said, it holds on an
// address of this machine alone as long as no tokens were set. It never allows kAdmin once they were.
struct AccessRules {
  AccessRules(const TokenTable& table, std::optional<bool> anonymous_option, std::string_view host);
  const TokenTable& tokens;
  const std::optional<bool> anonymous;
  const bool local;
};

// What one connection has shown. On its loop's thread.
class Credentials {
 public:
  explicit Credentials(const AccessRules& rules) : rules_(rules) {}

  // A token's text, or "" for none, in the place of the last one. Its digest is all that stays.
  void show(std::string_view text);

  // As of now: a token that expires or is revoked stops counting with the next question.
  Access ask(const Need& need);

 private:
  const Token* find();
  Access anonymous(const Need& need);

  const AccessRules& rules_;
  bool shown_ = false, checked_ = false;
  std::string id_;
  Digest digest_ = {};
  uint64_t generation_ = 0;
  std::shared_ptr<const TokenTable::Map> map_;
  const Token* token_ = nullptr;  // in map_, once checked_
};

// sha256.
Digest digest_of(std::string_view text);

}  // namespace maas::serve
