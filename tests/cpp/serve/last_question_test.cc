// Asked again in the same form: a connection that remembers answers every byte as one that does not.
#include "maas/serve/last_question.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "maas/serve/raw_conversation.h"
#include "maas/wire/frame.h"
#include "serve/desk.h"

namespace maas::serve {
namespace {

using testing::numbers;

std::string question(uint64_t id, const std::vector<float>& rows, uint32_t timeout_us = 0,
                     const char* model = "m", std::string_view wanted = "") {
  wire::Tensor x;
  x.name = "x";
  x.rank = 2;
  x.shape[0] = static_cast<int64_t>(rows.size() / 3);
  x.shape[1] = 3;
  x.count = rows.size();
  x.data = rows.data();
  std::string out;
  wire::encode_frame({static_cast<uint8_t>(wire::FrameKind::kInfer), 0, id}, timeout_us,
                     {model, {}, {}, {&x, 1}}, out);
  if (wanted.empty()) return out;
  out += {static_cast<char>(wanted.size()), '\0'};
  out += wanted;
  out[0] = static_cast<char>(out.size() - 4);
  out[26] = 1;
  return out;
}

std::string said_first(Desk& desk, std::string_view bytes) { return Talk<RawConversation>(desk).say(bytes); }

class AskedAgain : public ::testing::Test {
 protected:
  Desk desk;
  Talk<RawConversation> talk{desk};
};

TEST_F(AskedAgain, HasItsOwnValuesIdAndTime) {
  for (const char* wanted : {"", "y"}) {
    for (uint64_t i = 1; i < 20; ++i) {
      const std::string asked =
          question(i << 40, numbers<float>(6, static_cast<uint32_t>(i)), 1'000'000'000, "m", wanted);
      EXPECT_EQ(talk.say(asked), said_first(desk, asked)) << i;
    }
  }
}

TEST_F(AskedAgain, ByManyAtOnceOfSeveralForms) {
  std::string all, apart;
  for (uint64_t i = 0; i < 150; ++i) {
    const std::string asked = question(i, numbers<float>(3 * (i / 7 % 4), static_cast<uint32_t>(i)));
    all += asked;
    apart += said_first(desk, asked);
  }
  EXPECT_EQ(talk.say(all), apart);
}

TEST_F(AskedAgain, WithAnyByteChangedIsAnsweredAsIfItWereTheFirst) {
  for (const char* wanted : {"", "y"}) {
    const std::string good = question(7, numbers<float>(6, 1), 1'000'000'000, "m", wanted);
    for (size_t at = 4; at < good.size(); ++at) {
      for (const char change : {'\x01', '\x02', '\x40', '\xff'}) {
        std::string changed = good;
        changed[at] = static_cast<char>(changed[at] ^ change);
        if (at >= 16 && at < 20) continue;  // a shorter time may be over, or not
        Talk<RawConversation> remembers(desk);
        ASSERT_EQ(remembers.say(good), said_first(desk, good));
        ASSERT_EQ(remembers.say(changed), said_first(desk, changed)) << "byte " << at << " of " << wanted;
        if (remembers.conversation.ends()) continue;
        ASSERT_EQ(remembers.say(good), said_first(desk, good)) << "behind byte " << at;
      }
    }
  }
}

TEST_F(AskedAgain, IsOfTheModelThatThereIsNow) {
  const std::string asked = question(1, numbers<float>(3, 1));
  const std::string first = talk.say(asked);
  desk.models.set(make_model("m", "2", linear_onnx()));
  const std::string second = talk.say(asked);
  EXPECT_NE(second.find("m2"), second.npos);
  EXPECT_EQ(first.find("m2"), first.npos);
  desk.models.remove("m", "1");
  desk.models.remove("m", "2");
  EXPECT_EQ(static_cast<uint8_t>(talk.say(asked)[6]), wire::frame_status(ErrorCode::kNotFound));
  desk.models.set(make_model("m", "1", linear_onnx()));
  EXPECT_EQ(talk.say(asked), first);
}

TEST_F(AskedAgain, KeepsNoModelThatIsGone) {
  std::weak_ptr<const ServedModel> gone = desk.models.snapshot()->at("m").current;
  const std::string asked = question(1, numbers<float>(3, 1));
  talk.say(asked);
  talk.say(asked);
  desk.models.set(make_model("m", "1", linear_onnx()));
  desk.worker.flush();
  EXPECT_TRUE(gone.expired());
}

TEST_F(AskedAgain, TooLateIsToldSo) {
  talk.say(question(1, numbers<float>(3, 1)));
  const std::string asked = question(2, numbers<float>(3, 1), 1);
  const wire::Padded padded(asked);
  talk.conversation.read(padded.text());
  const auto begun = Clock::now();
  while (Clock::now() - begun < std::chrono::microseconds(10)) {
  }
  desk.turn();
  EXPECT_EQ(static_cast<uint8_t>(talk.conversation.out()[6]),
            wire::frame_status(ErrorCode::kDeadlineExceeded));
}

// Values that do not lie in the frame as the model takes them are decoded each time.
TEST_F(AskedAgain, WidensEachTime) {
  for (int8_t value = 1; value < 4; ++value) {
    wire::Tensor x;
    x.name = "x";
    x.type = wire::DataType::kInt8;
    x.rank = 2;
    x.shape[0] = x.shape[1] = 1;
    x.count = 1;
    x.data = &value;
    std::string asked;
    wire::encode_frame({1, 0, 1}, 0, {"picky", {}, {}, {&x, 1}}, asked);
    const std::string answer = talk.say(asked);
    EXPECT_EQ(answer, said_first(desk, asked)) << int{value};
    EXPECT_EQ(answer[6] == 0, value != 2) << int{value};
  }
}

}  // namespace
}  // namespace maas::serve
