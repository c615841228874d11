#include "maas/serve/tokens.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

namespace maas::serve {
namespace {

const std::string kSecret = "_" + std::string(48, 's');
std::string text_of(const std::string& id) { return "maas_" + id + kSecret; }
const std::string kOne = "0123456789abcdef", kTwo = "fedcba9876543210";

Token token(const std::string& id, std::vector<std::string> scopes, std::optional<int64_t> expires = {}) {
  return {id, digest_of(text_of(id)), std::move(scopes), expires};
}

int64_t us_from_now(int64_t us) {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
             .count() +
         us;
}

constexpr Need kPredictM{Need::Kind::kPredict, "m"}, kPredictN{Need::Kind::kPredict, "n"}, kRead{},
    kChange{Need::Kind::kAdmin, {}};

class Tokens : public ::testing::Test {
 protected:
  Access ask(const std::string& text, const Need& need = kRead) {
    Credentials credentials(rules);
    credentials.show(text);
    return credentials.ask(need);
  }
  TokenTable table;
  AccessRules rules{table, std::nullopt, "127.0.0.1"};
};

TEST(DigestOf, IsSha256) {
  const Digest digest = digest_of("abc");
  EXPECT_EQ(digest[0], 0xba);
  EXPECT_EQ(digest[1], 0x78);
  EXPECT_EQ(digest[31], 0xad);
}

TEST_F(Tokens, ScopesAllowWhatTheySay) {
  table.set({token(kOne, {"predict:m"}), token(kTwo, {"predict:*"}), token("admin0admin0admi", {"admin"}),
             token("none0none0none00", {})});
  EXPECT_EQ(ask(text_of(kOne), kPredictM), Access::kAllowed);
  EXPECT_EQ(ask(text_of(kOne), kPredictN), Access::kNoScope);
  EXPECT_EQ(ask(text_of(kOne), kRead), Access::kAllowed);
  EXPECT_EQ(ask(text_of(kOne), kChange), Access::kNoScope);
  EXPECT_EQ(ask(text_of(kTwo), kPredictN), Access::kAllowed);
  EXPECT_EQ(ask(text_of(kTwo), kChange), Access::kNoScope);
  EXPECT_EQ(ask(text_of("admin0admin0admi"), kPredictM), Access::kAllowed);
  EXPECT_EQ(ask(text_of("admin0admin0admi"), kChange), Access::kAllowed);
  EXPECT_EQ(ask(text_of("none0none0none00"), kPredictM), Access::kNoScope);
}

TEST_F(Tokens, ANameIsNoPatternAndNoPrefix) {
  table.set({token(kOne, {"predict:m"})});
  for (const std::string_view name :
       {std::string_view(), std::string_view("mm"), std::string_view("M"), std::string_view("*"),
        std::string_view("m\0", 2), std::string_view("m/x")}) {
    const Need need{Need::Kind::kPredict, name};
    EXPECT_EQ(ask(text_of(kOne), need), Access::kNoScope) << name;
  }
}

TEST_F(Tokens, OnlyTheWholeTextCounts) {
  table.set({token(kOne, {"admin"})});
  const std::string good = text_of(kOne);
  EXPECT_EQ(ask(good), Access::kAllowed);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string wrong = good;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    EXPECT_EQ(ask(wrong), Access::kNoToken) << i;
    EXPECT_EQ(ask(good.substr(0, i)), Access::kNoToken) << i;
  }
  for (const std::string& wrong : {good + "x", " " + good, good + " ", std::string(1 << 20, 'a'),
                                   text_of(kTwo), std::string("Basic dTpw"), std::string(70, '\0')})
    EXPECT_EQ(ask(wrong), Access::kNoToken);
}

TEST_F(Tokens, AnIdThatIsNotThereHasNoDigest) {
  Token zero{kTwo, {}, {"admin"}, {}};  // a row of zeros is nobody's
  table.set({zero});
  EXPECT_EQ(ask(text_of(kTwo)), Access::kNoToken);
  EXPECT_EQ(ask(text_of(kOne)), Access::kNoToken);
}

TEST_F(Tokens, ExpiredAndRevokedTokensStopCountingAtOnce) {
  Credentials credentials(rules);
  credentials.show(text_of(kOne));
  int64_t life = 20'000;
  do {  // longer, until it is asked in time
    life *= 2;
    table.set({token(kOne, {"admin"}, us_from_now(life))});
  } while (credentials.ask(kRead) != Access::kAllowed);
  std::this_thread::sleep_for(std::chrono::microseconds(life + 1000));
  EXPECT_EQ(credentials.ask(kRead), Access::kNoToken);
  table.set({token(kOne, {"admin"}, us_from_now(60'000'000))});
  EXPECT_EQ(credentials.ask(kChange), Access::kAllowed) << "prolonged";
  table.set({token(kOne, {"predict:m"})});
  EXPECT_EQ(credentials.ask(kChange), Access::kNoScope);
  table.set({});
  EXPECT_EQ(credentials.ask(kRead), Access::kNoToken);
  credentials.show("");
  EXPECT_EQ(credentials.ask(kRead), Access::kNoToken);
}

TEST(AccessRules, NobodyIsAnonymousUnlessItIsSaidOrLocal) {
  TokenTable none, some;
  some.set({});
  const auto ask = [](const TokenTable& table, std::optional<bool> anonymous, const char* host,
                      const Need& need, const char* shown = "") {
    const AccessRules rules(table, anonymous, host);
    Credentials credentials(rules);
    credentials.show(shown);
    return credentials.ask(need) == Access::kAllowed;
  };
  for (const char* here : {"127.0.0.1", "::1", "127.9.9.9"}) {
    EXPECT_TRUE(ask(none, {}, here, kPredictM));
    EXPECT_TRUE(ask(none, {}, here, kChange));
    EXPECT_TRUE(ask(none, {}, here, kPredictM, "of another server")) << "there are no tokens to be wrong";
    EXPECT_FALSE(ask(some, {}, here, kPredictM));
    EXPECT_FALSE(ask(none, false, here, kPredictM));
  }
  for (const char* outside : {"0.0.0.0", "::", "10.0.0.1", "1270.0.0.1", ""}) {
    EXPECT_FALSE(ask(none, {}, outside, kPredictM)) << outside;
    EXPECT_FALSE(ask(none, {}, outside, kRead)) << outside;
    EXPECT_TRUE(ask(none, true, outside, kChange)) << outside;
    EXPECT_TRUE(ask(some, true, outside, kPredictM)) << outside;
    EXPECT_FALSE(ask(some, true, outside, kChange)) << "with tokens, changes need one";
    EXPECT_FALSE(ask(some, true, outside, kPredictM, "wrong")) << "a wrong token is not none";
  }
}

TEST(TokenTable, ThreadsSeeOneTableOrTheOther) {
  TokenTable table;
  const AccessRules rules(table, false, "0.0.0.0");
  const Token kept = token(kOne, {"predict:m"}), changing = token(kTwo, {"admin"});
  table.set({kept});
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      Credentials credentials(rules);
      credentials.show(text_of(kOne));
      while (!stop) wrong += credentials.ask(kPredictM) != Access::kAllowed;
    });
  }
  for (int i = 0; i < 1000; ++i) i % 2 == 0 ? table.set({kept, changing}) : table.set({kept});
  stop = true;
  for (auto& each : threads) each.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace maas::serve
