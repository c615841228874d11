// Any bytes to the server of a small model, over HTTP and as raw frames: answered the same whole or in
// pieces.
//
// The bytes given to a conversation lie in memory of their own that goes when they may go, so that whatever
// it keeps of them for longer is found. Requests that arrive together run together.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "maas/onnx/writer.h"
#include "maas/serve/http_conversation.h"
#include "maas/serve/raw_conversation.h"
#include "maas/wire/infer_decoder.h"
#include "program/graphs.h"

namespace {

using namespace maas;
using namespace maas::serve;

// Every value comes back as it is, so that answers show what was decoded.
ModelPointer make_model() {
  testing::GraphMaker maker;
  maker.input("x", DType::kFloat32, {kBatch, 2}).input("t", DType::kString, {kBatch, 1});
  maker.node("Identity", {"x"}, {"y"}).node("Identity", {"t"}, {"u"}).output("y").output("u");
  return std::make_shared<ServedModel>("m", "1", write_onnx(maker.graph));
}

ModelPointer make_linear() {
  return std::make_shared<ServedModel>("n", "2", write_onnx(testing::mlp<float>({2, 3}, "", "")));
}

// What a thread of the server is to its conversations.
struct House {
  explicit House(const ModelTable& models)
      : worker(
            options_of(), models, [this] { scheduled = true; }, [](Call&) { return false; },
            [this](ControlRequest request, ControlQueue::Answer answer) {
              asked.emplace_back(std::move(request.body), std::move(answer));
              return true;
            }) {}

  static const ServerOptions& options_of() {
    static const ServerOptions options = [] {
      ServerOptions made;
      made.http.head = 512;
      made.http.body = 4096;
      made.frame_bytes = 4096;
      made.expanded_bytes = 8192;
      made.batch_rows = 8;
      made.pipelined = 5;
      made.compress_bytes = 300;
      return made;
    }();
    return options;
  }

  // Does all that waits, in the order in which a server may.
  void work() {
    while (scheduled || !asked.empty()) {
      if (std::exchange(scheduled, false)) worker.flush();
      auto replies = std::exchange(asked, {});
      for (auto& [body, answer] : replies) {
        ControlReply reply;
        reply.status = 200;
        reply.body = std::move(body);
        answer(std::move(reply));
      }
    }
  }

  bool scheduled = false;
  std::vector<std::pair<std::string, ControlQueue::Answer>> asked;
  Worker worker;
};

// All that is said in answer to `text`, `step` bytes of which arrive at a time.
template <class Spoken>
std::string converse(const ModelTable& models, std::string_view text, size_t step, bool& ended) {
  House house(models);
  Spoken conversation(house.worker);
  std::string said;
  size_t begin = 0;
  for (size_t end = std::min(step, text.size());; end = std::min(end + step, text.size())) {
    while (true) {
      const size_t size = end - begin;
      auto bytes = std::make_unique<char[]>(size + wire::kBodyPadding);
      std::memcpy(bytes.get(), text.data() + begin, size);
      const size_t taken = conversation.read({bytes.get(), size});
      if (taken > size) std::abort();
      house.work();
      if (!conversation.answered()) std::abort();
      bytes.reset();
      said += std::exchange(conversation.out(), {});
      begin += taken;
      ended = conversation.ends();
      if (ended) return said;
      if (taken == 0 || begin == end) break;
    }
    if (end == text.size()) return said;
  }
}

// Without the lines that tell the time.
std::string undated(std::string text) {
  size_t at = 0;
  while ((at = text.find("\r\nDate: ", at)) != std::string::npos)
    text.erase(at, text.find("\r\n", at + 2) - at);
  return text;
}

// Frames carry the ids of their requests and may come in another order.
std::string in_one_order(const std::string& text) {
  std::vector<std::string> frames;
  for (size_t at = 0; at < text.size();) {
    size_t size = 0;
    wire::Status status;
    if (wire::find_frame(std::string_view(text).substr(at), SIZE_MAX, size, status) !=
        wire::FrameState::kWhole)
      std::abort();
    frames.push_back(text.substr(at, size));
    at += size;
  }
  std::sort(frames.begin(), frames.end());
  std::string sorted;
  for (const std::string& each : frames) sorted += each;
  return sorted;
}

std::string comparable(HttpConversation*, std::string text) { return undated(std::move(text)); }
std::string comparable(RawConversation*, const std::string& text) { return in_one_order(text); }

template <class Spoken>
void compare(const ModelTable& models, std::string_view text, size_t step) {
  bool whole_ended = false, slow_ended = false;
  Spoken* const spoken = nullptr;
  const std::string whole = comparable(spoken, converse<Spoken>(models, text, text.size(), whole_ended));
  const std::string slow = comparable(spoken, converse<Spoken>(models, text, step, slow_ended));
  // A head may be refused before all of it is there, and who sends a body at once is not told to go on; time
  // passes between two runs.
  if (whole_ended || slow_ended || slow.find(" 100 Continue") != std::string::npos) return;
  if (whole.find("deadline") != std::string::npos || slow.find("deadline") != std::string::npos) return;
  if (whole != slow) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const ModelTable* const models = [] {
    auto* made = new ModelTable;
    made->set(make_model());
    made->set(make_linear());
    return made;
  }();
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t step = size_t{1} + data[0] / 2;
  if (data[0] % 2 == 0) {
    compare<HttpConversation>(*models, text, step);
  } else {
    compare<RawConversation>(*models, text, step);
  }
  return 0;
}
