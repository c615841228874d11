// A worker with all that a server gives it, and without a server: tests turn each crank themselves.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "maas/onnx/writer.h"
#include "maas/serve/worker.h"
#include "program/graphs.h"
#include "wire/padded.h"

namespace maas::serve {

using testing::GraphMaker;

// y = x·W + b, one float32 column in `rows` of three.
inline std::string linear_onnx() { return write_onnx(testing::mlp<float>({3, 8, 2}, "Relu", "")); }

// One int64 column, of which only 1 and 3 are known: every other row is wrong.
inline std::string picky_onnx() {
  GraphMaker maker;
  maker.input("x", DType::kInt64, {kBatch, 1});
  maker.node("OneHotEncoder", {"x"}, {"h"},
             {{"cats_int64s", std::vector<int64_t>{1, 3}}, {"zeros", int64_t{0}}}, "ai.onnx.ml");
  maker.node("Identity", {"h"}, {"y"});
  maker.output("y");
  return write_onnx(maker.graph);
}

inline ModelPointer make_model(std::string name, std::string version, std::string_view onnx) {
  return std::make_shared<ServedModel>(std::move(name), std::move(version), onnx);
}

struct Desk {
  Desk() {
    models.set(make_model("m", "1", linear_onnx()));
    models.set(make_model("picky", "1", picky_onnx()));
  }

  bool has_work() const { return !scheduled.empty() || !elsewhere.empty(); }

  // What a loop does when all that is ready has been read.
  void turn() {
    std::vector<std::function<void()>> now;
    now.swap(scheduled);
    for (const auto& each : now) each();
    for (auto& [work, then] : std::exchange(elsewhere, {})) {
      std::thread(std::move(work)).join();
      then();
    }
  }

  ServerOptions options;
  ModelTable models;
  std::vector<std::function<void()>> scheduled;
  std::vector<std::unique_ptr<LargeRun>> large;
  bool takes_large = true;
  struct Elsewhere {
    Worker::Job work, then;
  };
  std::vector<Elsewhere> elsewhere;
  Worker worker{options,
                models,
                [this] { scheduled.emplace_back([this] { worker.flush(); }); },
                [this](Call& call) {
                  if (takes_large) large.push_back(std::make_unique<LargeRun>(call, *worker.counters));
                  return takes_large;
                },
                {},
                nullptr,
                std::make_shared<Counters>(),
                nullptr,
                [this](Worker::Job work, Worker::Job then) {
                  elsewhere.push_back({std::move(work), std::move(then)});
                }};
};

// A conversation fed from memory of the very size of what it is given, at another place each time.
template <class Conversation>
class Talk {
 public:
  explicit Talk(Desk& desk) : desk_(desk), conversation(desk.worker) {
    conversation.when_answered([this] { woken = true; });
  }

  // What is answered to these bytes, and to those left from before.
  std::string say(std::string_view bytes) {
    held_ += bytes;
    std::string answers;
    while (true) {
      const wire::Padded padded(held_);
      const size_t taken = conversation.read(padded.text());
      while (!conversation.answered() && desk_.has_work()) desk_.turn();
      if (!conversation.answered()) {
        ADD_FAILURE() << "no answer";
        return answers;
      }
      answers += std::exchange(conversation.out(), {});
      held_.erase(0, taken);
      if (taken == 0 || held_.empty() || conversation.ends()) return answers;
    }
  }

  std::string say_byte_by_byte(std::string_view bytes) {
    std::string answers;
    for (const char byte : bytes) answers += say({&byte, 1});
    return answers;
  }

 private:
  Desk& desk_;
  std::string held_;

 public:
  Conversation conversation;
  bool woken = false;
};

}  // namespace maas::serve
