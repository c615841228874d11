#include "maas/serve/raw_conversation.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "maas/wire/frame.h"
#include "serve/desk.h"

namespace maas::serve {
namespace {

using testing::numbers;
using wire::FrameKind;

std::string frame(FrameKind kind, uint64_t id, std::string_view model = {},
                  const std::vector<wire::Tensor>& tensors = {}, uint32_t timeout_us = 0) {
  std::string out;
  wire::encode_frame({static_cast<uint8_t>(kind), 0, id}, timeout_us, {model, {}, {}, tensors}, out);
  return out;
}

std::string infer(uint64_t id, const std::vector<float>& rows, uint32_t timeout_us = 0) {
  wire::Tensor x;
  x.name = "x";
  x.type = wire::DataType::kFloat32;
  x.rank = 2;
  x.shape[0] = static_cast<int64_t>(rows.size() / 3);
  x.shape[1] = 3;
  x.count = rows.size();
  x.data = rows.data();
  return frame(FrameKind::kInfer, id, "m", {x}, timeout_us);
}

struct Answered {
  uint64_t id;
  uint16_t status;
  std::string data;  // of its tensors
};

std::vector<Answered> read_answers(std::string_view bytes) {
  std::vector<Answered> answers;
  while (!bytes.empty()) {
    size_t size = 0;
    wire::Status status;
    if (wire::find_frame(bytes, 1 << 20, size, status) != wire::FrameState::kWhole) {
      ADD_FAILURE() << "not a whole frame";
      break;
    }
    wire::FrameHead head;
    wire::Request request;
    EXPECT_TRUE(wire::decode_frame(bytes.substr(0, size), head, request).ok());
    Answered answer{head.id, head.status, ""};
    for (const wire::Tensor& each : request.inputs) {
      if (each.type == wire::DataType::kBytes) {
        answer.data += *static_cast<const std::string_view*>(each.data);
      } else {
        answer.data.append(static_cast<const char*>(each.data), each.count * wire::item_size(each.type));
      }
    }
    answers.push_back(std::move(answer));
    bytes.remove_prefix(size);
  }
  return answers;
}

std::string expected(const Desk& desk, const std::vector<float>& rows) {
  const auto model = desk.models.snapshot()->at("m").current;
  const auto y = testing::run_once<float>(model->program(), rows, rows.size() / 3);
  return {reinterpret_cast<const char*>(y.data()), y.size() * sizeof(float)};
}

TEST(RawConversation, AnswersEachFrame) {
  Desk desk;
  Talk<RawConversation> talk(desk);
  const auto a = numbers<float>(6, 1), b = numbers<float>(3, 2);
  const auto answers =
      read_answers(talk.say(frame(FrameKind::kPing, 1) + infer(2, a) + infer(3, b) +
                            frame(FrameKind::kMetadata, 4, "m") + frame(FrameKind::kMetadata, 5, "other")));
  ASSERT_EQ(answers.size(), 5U);
  for (const Answered& each : answers) {
    if (each.id == 2) {
      EXPECT_EQ(each.data, expected(desk, a));
    }
    if (each.id == 3) {
      EXPECT_EQ(each.data, expected(desk, b));
    }
    if (each.id == 4) {
      EXPECT_TRUE(each.data.starts_with("{\"name\":\"m\"")) << each.data;
    }
    EXPECT_EQ(each.status, each.id == 5 ? wire::frame_status(ErrorCode::kNotFound) : 0) << each.id;
  }
}

TEST(RawConversation, CutAnywhere) {
  Desk desk;
  const auto a = numbers<float>(6, 1);
  const std::string sent = infer(1, a) + frame(FrameKind::kPing, 2);
  std::string whole;
  {
    Talk<RawConversation> talk(desk);
    whole = talk.say(infer(1, a)) + talk.say(frame(FrameKind::kPing, 2));
  }
  for (size_t cut = 0; cut <= sent.size(); ++cut) {
    Talk<RawConversation> talk(desk);
    std::string answers = talk.say(std::string_view(sent).substr(0, cut));
    answers += talk.say(std::string_view(sent).substr(cut));
    EXPECT_EQ(read_answers(answers).size(), 2U) << cut;
    EXPECT_EQ(answers.size(), whole.size()) << cut;
  }
  Talk<RawConversation> talk(desk);
  EXPECT_EQ(talk.say_byte_by_byte(sent), whole);
}

TEST(RawConversation, ManyMoreThanOneReadTakes) {
  Desk desk;
  Talk<RawConversation> talk(desk);
  std::string sent;
  const size_t count = 3 * desk.options.pipelined + 5;
  for (size_t i = 0; i < count; ++i) sent += infer(i, numbers<float>(3 * (i % 3 + 1), 1));
  const auto answers = read_answers(talk.say(sent));
  ASSERT_EQ(answers.size(), count);
  for (const Answered& each : answers)
    EXPECT_EQ(each.data, expected(desk, numbers<float>(3 * (each.id % 3 + 1), 1))) << each.id;
}

TEST(RawConversation, WhatIsNoFrameEndsIt) {
  Desk desk;
  for (const std::string& wrong : {std::string("GET / HTTP/1.1\r\n\r\n"),
                                   std::string("\xff\xff\xff\xff\x01", 5), std::string(40, '\0')}) {
    Talk<RawConversation> talk(desk);
    const auto answers = read_answers(talk.say(frame(FrameKind::kPing, 9) + wrong));
    ASSERT_EQ(answers.size(), 2U);
    EXPECT_EQ(answers[0].status, 0);
    EXPECT_NE(answers[1].status, 0);
    EXPECT_TRUE(talk.conversation.ends());
  }
}

TEST(RawConversation, AWrongRequestIsAnsweredAndTheNextOneToo) {
  Desk desk;
  Talk<RawConversation> talk(desk);
  std::string unknown_kind = frame(static_cast<FrameKind>(77), 1);
  auto answers = read_answers(talk.say(unknown_kind + infer(2, numbers<float>(3, 1)) +
                                       frame(FrameKind::kInfer, 3, "m") + frame(FrameKind::kPing, 4)));
  ASSERT_EQ(answers.size(), 4U);
  for (const Answered& each : answers) {
    EXPECT_EQ(each.status == 0, each.id == 2 || each.id == 4) << each.id;
  }
  EXPECT_FALSE(talk.conversation.ends());
}

TEST(RawConversation, ClaimedSizesAreNotHad) {
  Desk desk;
  Talk<RawConversation> talk(desk);
  const std::string head("\x00\x00\x00\x01\x01", 5);  // 16 MB
  EXPECT_EQ(talk.say(head), "");
  EXPECT_EQ(talk.conversation.wanted(), 4 + (size_t{1} << 24));
  EXPECT_TRUE(talk.conversation.in_body());
  talk.conversation.turn_away();
  const auto answers = read_answers(talk.conversation.out());
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].status, wire::frame_status(ErrorCode::kOverloaded));
  EXPECT_TRUE(talk.conversation.ends());
}

TEST(RawConversation, ACrowdIsToldSo) {
  Desk desk;
  Talk<RawConversation> talk(desk);
  talk.conversation.set_crowded();
  const auto answers = read_answers(talk.say(frame(FrameKind::kPing, 9) + frame(FrameKind::kPing, 10)));
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].id, 9U);
  EXPECT_EQ(answers[0].status, wire::frame_status(ErrorCode::kOverloaded));
  EXPECT_TRUE(talk.conversation.ends());
}

}  // namespace
}  // namespace maas::serve
