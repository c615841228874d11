// What is counted of requests, of runs and of connections, and where the time of a request goes.
#include "maas/serve/counters.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "maas/onnx/writer.h"
#include "maas/serve/http_conversation.h"
#include "maas/serve/raw_conversation.h"
#include "maas/wire/infer_decoder.h"
#include "program/graphs.h"

namespace maas::serve {
namespace {

using std::chrono::microseconds;

ModelPointer model(const char* name = "m", const char* version = "1") {
  const std::string onnx = write_onnx(testing::mlp<float>({2, 1}, "", ""));
  return std::make_shared<ServedModel>(name, version, onnx);
}

struct FinishedCall : Call {
  void answered(std::span<const wire::Tensor>) override {}
};

Figures read(const Counters& counters) {
  Figures figures;
  counters.read(figures);
  return figures;
}

TEST(Buckets, HoldWhatIsAtMostTheirBound) {
  EXPECT_EQ(bucket_of(0, kMicrosecond), 0);
  EXPECT_EQ(bucket_of(1, kMicrosecond), 0);
  for (size_t k = 0; k + 1 < kBuckets; ++k) {
    const uint64_t bound = kMicrosecond << k;
    EXPECT_EQ(bucket_of(bound, kMicrosecond), k);
    EXPECT_EQ(bucket_of(bound + 1, kMicrosecond), k + 1);
    EXPECT_EQ(bucket_of(uint64_t{1} << k, 1), k);
    EXPECT_EQ(bucket_of((uint64_t{1} << k) + 1, 1), k == 0 ? 1 : k + 1);
  }
  EXPECT_EQ(bucket_of(UINT64_MAX, kMicrosecond), kBuckets - 1);
}

TEST(Counters, SplitTheTimeOfARequestIntoPartsThatAddUp) {
  Counters counters;
  FinishedCall call;
  call.model = model();
  call.binding.rows = 3;
  call.arrived = Clock::time_point(microseconds(1000));
  call.added = call.arrived + microseconds(2);
  call.started = call.added + microseconds(10);
  call.ran = call.started + microseconds(30);
  call.told = call.ran + microseconds(5);  // others of the run were told first
  counters.finished(call, Protocol::kRaw, call.told + microseconds(4));
  const Figures figures = read(counters);
  ASSERT_EQ(figures.models.size(), 2);
  const auto& found = figures.models[1].requests[1];
  const auto part = [&](Part each) { return found.times[static_cast<size_t>(each)].sum; };
  EXPECT_EQ(found.answered, 1);
  EXPECT_EQ(found.rows, 3);
  EXPECT_EQ(part(Part::kDecode), 2000);
  EXPECT_EQ(part(Part::kWait), 15000);
  EXPECT_EQ(part(Part::kRun), 30000);
  EXPECT_EQ(part(Part::kEncode), 4000);
  EXPECT_EQ(part(Part::kAll), 51000);
  EXPECT_EQ(found.times[static_cast<size_t>(Part::kDecode)].counts[1], 1);
  EXPECT_EQ(figures.models[1].requests[0].answered, 0);
}

TEST(Counters, CountRefusalsByCauseAndNoTimes) {
  Counters counters;
  FinishedCall call;
  call.model = model();
  call.arrived = Clock::time_point(microseconds(5));
  call.status = {ErrorCode::kDeadlineExceeded, ""};
  counters.finished(call, Protocol::kHttp, call.arrived + microseconds(7));
  call.model.reset();
  call.status = {ErrorCode::kNotFound, ""};
  counters.finished(call, Protocol::kHttp, call.arrived);
  const Figures figures = read(counters);
  const auto& [nowhere, known] = std::tie(figures.models[0].requests[0], figures.models[1].requests[0]);
  EXPECT_EQ(known.errors[static_cast<size_t>(ErrorCode::kDeadlineExceeded)], 1);
  EXPECT_EQ(known.failed_ns, 7000);
  EXPECT_EQ(known.answered, 0);
  EXPECT_EQ(known.times[4].sum, 0);
  EXPECT_EQ(nowhere.errors[static_cast<size_t>(ErrorCode::kNotFound)], 1);
  EXPECT_EQ(figures.models[0].model, "");
}

TEST(Counters, OfThreadsAddUpByNameAndVersion) {
  Counters first, second;
  first.ran(*model("b"), 5, microseconds(1));
  first.ran(*model("a", "2"), 1, microseconds(1));
  second.ran(*model("a", "10"), 1, microseconds(1));
  second.ran(*model("b"), 4, microseconds(2));
  Figures figures;
  first.read(figures);
  second.read(figures);
  std::string names;
  for (const auto& each : figures.models) names += each.model + each.version + " ";
  EXPECT_EQ(names, " a10 a2 b1 ");
  EXPECT_EQ(figures.models[3].runs.rows.sum, 9);
  EXPECT_EQ(figures.models[3].runs.rows.counts[2], 1);
  EXPECT_EQ(figures.models[3].runs.rows.counts[3], 1);
  EXPECT_EQ(figures.models[3].runs.ns, 3000);
}

TEST(Counters, OfVersionsThatAreLongGoneAreOneAndNoSumFalls) {
  std::vector<std::shared_ptr<Counters>> threads{std::make_shared<Counters>(), std::make_shared<Counters>()};
  ModelTable table;
  const auto rows_of = [](const Figures& figures, const std::string& version) {
    uint64_t rows = 0;
    for (const auto& each : figures.models) {
      if (each.model == "m" && (version == "all" || each.version == version)) rows += each.runs.rows.sum;
    }
    return rows;
  };
  const auto all = [&] {
    Figures figures;
    for (const auto& each : threads) each->read(figures);
    return figures;
  };
  FinishedCall call;
  call.binding.rows = 1;
  for (int i = 1; i <= 100; ++i) {
    const std::string version = std::to_string(i);
    call.model = model("m", version.c_str());
    table.set(call.model);
    call.arrived = Clock::time_point(microseconds(1000 * i));
    call.added = call.started = call.ran = call.told = call.arrived;
    for (const auto& each : threads) {
      each->ran(*call.model, 1, microseconds(1));
      each->finished(call, Protocol::kRaw, call.arrived + microseconds(1));
    }
    if (i > 1) table.remove("m", std::to_string(i - 1));
    retire_old("m", *table.snapshot(), threads);
    const Figures figures = all();
    EXPECT_LE(figures.models.size(), kGoneVersions + 3) << "the current one, those long gone, and nowhere";
    EXPECT_EQ(rows_of(figures, "all"), 2U * static_cast<uint64_t>(i));
    EXPECT_EQ(rows_of(figures, version), 2U);
    EXPECT_EQ(rows_of(figures, ""), 2U * static_cast<uint64_t>(std::max(0, i - 1 - int{kGoneVersions})));
  }
  const Figures figures = all();
  const auto& gone = figures.models[1];
  EXPECT_EQ(gone.version, "");
  EXPECT_EQ(gone.requests[1].answered, 2U * 91);
  EXPECT_EQ(gone.requests[1].times[static_cast<size_t>(Part::kAll)].sum, 2U * 91 * 1000);
  EXPECT_EQ(gone.requests[1].last, 91'001'000U);
}

TEST(Counters, AVersionThatComesBackBeginsAnew) {
  std::vector<std::shared_ptr<Counters>> threads{std::make_shared<Counters>()};
  Counters& counters = *threads[0];
  const ModelPointer first = model("m", "old");
  counters.ran(*first, 5, microseconds(1));
  counters.retire("m", "old");
  counters.ran(*first, 2, microseconds(1));  // it was still on its way
  const ModelPointer again = model("m", "old");
  counters.ran(*again, 3, microseconds(1));
  const Figures figures = read(counters);
  ASSERT_EQ(figures.models.size(), 3U);
  EXPECT_EQ(figures.models[1].version, "");
  EXPECT_EQ(figures.models[1].runs.rows.sum, 7U);
  EXPECT_EQ(figures.models[2].version, "old");
  EXPECT_EQ(figures.models[2].runs.rows.sum, 3U);
}

TEST(Counters, AreReadWhileTheyChange) {
  Counters counters;
  std::jthread writer([&] {
    for (int i = 0; i < 200; ++i) {
      const ModelPointer each = model("m", std::to_string(i).c_str());
      for (int k = 0; k < 10; ++k) counters.ran(*each, 1, microseconds(1));
    }
  });
  uint64_t before = 0;
  for (bool all = false; !all;) {
    uint64_t rows = 0;
    const Figures figures = read(counters);
    for (const auto& each : figures.models) rows += each.runs.rows.sum;
    EXPECT_GE(rows, before);
    before = rows;
    all = rows == 2000;
  }
}

// Both protocols at one worker, whose wake-up the test ends.
class Watched : public ::testing::Test {
 protected:
  Watched() { models.set(model()); }

  std::string ask(Conversation& conversation, std::string text) {
    const size_t size = text.size();
    text.append(wire::kBodyPadding, '\0');
    conversation.read({text.data(), size});
    worker.flush();
    return std::exchange(conversation.out(), {});
  }
  static std::string post(const std::string& path, const std::string& body) {
    return "POST " + path + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
  static std::string rows(int count) {
    std::string data = "0,1";
    for (int i = 1; i < count; ++i) data += ",0,1";
    return R"({"inputs":[{"name":"x","datatype":"FP32","shape":[)" + std::to_string(count) +
           R"(,2],"data":[)" + data + "]}]}";
  }
  static uint64_t errors(const Figures& figures, size_t model, ErrorCode code) {
    return figures.models[model].requests[0].errors[static_cast<size_t>(code)];
  }

  ServerOptions options;
  ModelTable models;
  Worker worker{options, models, [] {}, [](Call&) { return false; }};
};

TEST_F(Watched, EveryRequestOfHttpIsCountedOnce) {
  HttpConversation conversation(worker);
  const std::string infer = "/v2/models/m/infer";
  const std::string out =
      ask(conversation,
          post(infer, rows(1)) + post(infer, rows(4)) + post(infer, "{") +
              post("/v2/models/none/infer", rows(1)) + "GET /v2/health/live HTTP/1.1\r\nHost: h\r\n\r\n" +
              "POST /v2/health/live HTTP/1.1\r\nHost: h\r\n\r\n" + "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  const Figures figures = read(*worker.counters);
  ASSERT_EQ(figures.models.size(), 2) << out;
  EXPECT_EQ(figures.models[1].requests[0].answered, 2) << out;
  EXPECT_EQ(figures.models[1].requests[0].rows, 5);
  EXPECT_EQ(figures.models[1].runs.rows.sum, 5);
  EXPECT_EQ(figures.models[1].runs.rows.counts[3], 1) << "both were one run";
  EXPECT_EQ(errors(figures, 1, ErrorCode::kInvalidArgument) + errors(figures, 1, ErrorCode::kFormatError), 1);
  EXPECT_EQ(errors(figures, 0, ErrorCode::kNotFound), 2);
  EXPECT_EQ(errors(figures, 0, ErrorCode::kInvalidArgument), 1);
  EXPECT_EQ(figures.models[0].requests[0].answered, 1);
  EXPECT_EQ(figures.opened[0], 1);
  EXPECT_EQ(figures.closed[0], 0);
  EXPECT_EQ(figures.waiting_requests, 0);
}

TEST_F(Watched, BytesThatAreNoRequestAreOne) {
  HttpConversation http(worker);
  ask(http, "nonsense\r\n\r\n");
  RawConversation raw(worker);
  ask(raw, std::string(64, '\xff'));
  const Figures figures = read(*worker.counters);
  for (const auto& each : figures.models[0].requests) {
    uint64_t all = 0;
    for (const uint64_t count : each.errors) all += count;
    EXPECT_EQ(all, 1);
  }
}

TEST_F(Watched, ConnectionsThatAreGoneAreClosed) {
  auto raw = std::make_unique<RawConversation>(worker);
  HttpConversation http(worker);
  raw.reset();
  const Figures figures = read(*worker.counters);
  EXPECT_EQ(figures.opened[1], 1);
  EXPECT_EQ(figures.closed[1], 1);
  EXPECT_EQ(figures.closed[0], 0);
}

}  // namespace
}  // namespace maas::serve
