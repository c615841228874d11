#include "maas/wire/frame.h"

#include <bit>
#include <cstddef>
#include <cstring>

#include "maas/wire/infer_decoder.h"

namespace maas::wire {

static_assert(std::endian::native == std::endian::little, "frames are copied as they lie in memory");

namespace {

// As in the specification's table.
struct Head {
  uint32_t size;  // of what follows this field
  uint8_t version, kind;
  uint16_t status;
  uint64_t id;
  uint32_t timeout_us;
  uint16_t model, model_version, tensors, outputs;  // bytes, bytes, count, count
  uint32_t reserved;
};
static_assert(sizeof(Head) == kFrameHead);

struct TensorHead {
  uint8_t type, rank;
  uint16_t name;  // bytes
  uint32_t reserved;
  uint64_t data;  // bytes
};
static_assert(sizeof(TensorHead) == 16);

// Takes bytes off the front of what is left of a frame.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool take(uint64_t size, std::string_view& out) {
    if (size > bytes_.size()) return false;
    out = bytes_.substr(0, static_cast<size_t>(size));
    bytes_.remove_prefix(static_cast<size_t>(size));
    return true;
  }
  template <class T>
  bool take(T& out) {
    std::string_view bytes;
    if (!take(sizeof(T), bytes)) return false;
    std::memcpy(&out, bytes.data(), sizeof(T));
    return true;
  }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
};

Status cut_short() { return invalid("expected a frame as long as its fields say"); }

Status read_dims(Reader& reader, Tensor& tensor) {
  for (size_t i = 0; i < tensor.rank; ++i) {
    uint64_t dim;
    if (!reader.take(dim)) return cut_short();
    if (dim > static_cast<uint64_t>(INT64_MAX)) return invalid("expected smaller dimensions");
    tensor.shape[i] = static_cast<int64_t>(dim);
  }
  return count_elements(tensor) ? Status() : invalid("expected a smaller shape");
}

Status read_tensor(Reader& reader, Tensor& tensor, ValueRoom& room) {
  TensorHead head;
  if (!reader.take(head)) return cut_short();
  const auto type = data_type_numbered(head.type);
  if (!type || *type == DataType::kFloat16)
    return {ErrorCode::kUnsupported, "expected a known type of tensor"};
  if (head.rank > kMaxRank) return invalid("expected at most " + std::to_string(kMaxRank) + " dimensions");
  if (head.reserved != 0) return invalid("expected zeros in reserved fields");
  tensor.type = *type;
  tensor.rank = head.rank;
  if (Status status = read_dims(reader, tensor); !status.ok()) return status;
  std::string_view data;
  if (!reader.take(head.name, tensor.name) || !reader.take(head.data, data)) return cut_short();
  if (tensor.type == DataType::kBytes) return decode_bytes_tensor(data, tensor, room);
  const size_t item = item_size(tensor.type);
  if (data.size() / item != tensor.count || data.size() % item != 0) {
    return invalid("expected " + std::to_string(tensor.count) + " values of " + std::to_string(item) +
                   " bytes, got " + std::to_string(data.size()) + " bytes");
  }
  if (tensor.type == DataType::kBool && data.find_first_not_of(std::string_view("\0\1", 2)) != data.npos) {
    return invalid("expected bytes of 0 or 1");
  }
  tensor.data = data.data();
  return {};
}

size_t data_size(const Tensor& tensor) {
  if (tensor.type != DataType::kBytes) return tensor.count * item_size(tensor.type);
  const auto* texts = static_cast<const std::string_view*>(tensor.data);
  size_t size = 0;
  for (size_t i = 0; i < tensor.count; ++i) size += sizeof(uint32_t) + texts[i].size();
  return size;
}

// Fills bytes that are there.
class Writer {
 public:
  explicit Writer(char* place) : place_(place) {}
  void put(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(place_, bytes.data(), bytes.size());
    place_ += bytes.size();
  }
  template <class T>
  void put(const T& value) {
    std::memcpy(place_, &value, sizeof(T));
    place_ += sizeof(T);
  }

 private:
  char* place_;
};

// Room for so many bytes behind what is there.
Writer grow(std::string& out, size_t bytes) {
  const size_t start = out.size();
  out.resize(start + bytes);
  return Writer(out.data() + start);
}

void append_tensor(const Tensor& tensor, std::string& out) {
  const auto name = static_cast<uint16_t>(tensor.name.size());
  Writer writer = grow(out, sizeof(TensorHead) + tensor.rank * sizeof(int64_t) + tensor.name.size());
  writer.put(TensorHead{static_cast<uint8_t>(tensor.type), tensor.rank, name, 0, data_size(tensor)});
  for (const int64_t dim : tensor.dims()) writer.put(static_cast<uint64_t>(dim));
  writer.put(tensor.name);
  if (tensor.type != DataType::kBytes) {
    if (tensor.count > 0) out.append(static_cast<const char*>(tensor.data), data_size(tensor));
    return;
  }
  const auto* texts = static_cast<const std::string_view*>(tensor.data);
  for (size_t i = 0; i < tensor.count; ++i) {
    grow(out, sizeof(uint32_t)).put(static_cast<uint32_t>(texts[i].size()));
    out += texts[i];
  }
}

}  // namespace

uint16_t frame_status(ErrorCode code) { return static_cast<uint16_t>(static_cast<int>(code) + 1); }

FrameState find_frame(std::string_view bytes, size_t limit, size_t& size, Status& status) {
  size = 0;
  uint32_t rest;
  if (bytes.size() < sizeof(rest) + 1) return FrameState::kNeedMore;
  std::memcpy(&rest, bytes.data(), sizeof(rest));
  if (bytes[sizeof(rest)] != static_cast<char>(kFrameVersion)) {
    status = {ErrorCode::kUnsupported, "expected a raw frame of version " + std::to_string(kFrameVersion)};
    return FrameState::kBad;
  }
  if (rest < kFrameHead - sizeof(rest) || rest > limit) {
    status = invalid("expected a frame of 28 to " + std::to_string(limit) + " bytes behind its size, got " +
                     std::to_string(rest));
    return FrameState::kBad;
  }
  size = sizeof(rest) + rest;
  return bytes.size() < size ? FrameState::kNeedMore : FrameState::kWhole;
}

Status decode_frame(std::string_view frame, FrameHead& head, Request& request) {
  Reader reader(frame);
  Head fields;
  if (!reader.take(fields)) return cut_short();
  head = {fields.kind, fields.status, fields.id};
  if (fields.reserved != 0) return invalid("expected zeros in reserved fields");
  request.timeout_us = fields.timeout_us;
  request.binary_output = true;
  if (!reader.take(fields.model, request.model) || !reader.take(fields.model_version, request.version)) {
    return cut_short();
  }
  if (fields.tensors > kMaxTensors || fields.outputs > kMaxTensors) return invalid("expected fewer tensors");
  for (size_t i = 0; i < fields.tensors; ++i) {
    Tensor tensor;
    const Status status = read_tensor(reader, tensor, request.room);
    if (!status.ok()) return {status.code(), "tensor " + std::to_string(i) + ": " + status.text()};
    request.inputs.push_back(tensor);
  }
  for (size_t i = 0; i < fields.outputs; ++i) {
    uint16_t size;
    WantedOutput output;
    if (!reader.take(size) || !reader.take(size, output.name)) return cut_short();
    request.outputs.push_back(output);
  }
  return reader.empty() ? Status() : cut_short();
}

bool has_form(std::string_view frame, std::string_view begins, std::string_view ends) {
  constexpr size_t id = offsetof(Head, id), names = offsetof(Head, model);  // between them, what may differ
  return frame.size() >= begins.size() + ends.size() && std::memcmp(frame.data(), begins.data(), id) == 0 &&
         std::memcmp(frame.data() + names, begins.data() + names, begins.size() - names) == 0 &&
         frame.ends_with(ends);
}

uint64_t frame_id(std::string_view frame) {
  uint64_t id;
  std::memcpy(&id, frame.data() + offsetof(Head, id), sizeof(id));
  return id;
}

uint32_t frame_timeout_us(std::string_view frame) {
  uint32_t timeout_us;
  std::memcpy(&timeout_us, frame.data() + offsetof(Head, timeout_us), sizeof(timeout_us));
  return timeout_us;
}

void encode_frame(const FrameHead& head, uint32_t timeout_us, const Answer& answer, std::string& out) {
  const size_t start = out.size();
  Head fields = {};
  fields.version = kFrameVersion;
  fields.kind = head.kind;
  fields.status = head.status;
  fields.id = head.id;
  fields.timeout_us = timeout_us;
  fields.model = static_cast<uint16_t>(answer.model.size());
  fields.model_version = static_cast<uint16_t>(answer.version.size());
  fields.tensors = static_cast<uint16_t>(answer.outputs.size());
  Writer writer = grow(out, sizeof(fields) + answer.model.size() + answer.version.size());
  writer.put(fields);
  writer.put(answer.model);
  writer.put(answer.version);
  for (const Tensor& tensor : answer.outputs) append_tensor(tensor, out);
  const auto size = static_cast<uint32_t>(out.size() - start - sizeof(fields.size));
  std::memcpy(out.data() + start, &size, sizeof(size));
}

void encode_frame_error(const FrameHead& head, ErrorCode code, std::string_view text, std::string& out) {
  Tensor tensor;
  tensor.name = "error";
  tensor.type = DataType::kBytes;
  tensor.rank = 1;
  tensor.shape[0] = 1;
  tensor.count = 1;
  tensor.data = &text;
  FrameHead failed = head;
  failed.status = frame_status(code);
  encode_frame(failed, 0, {{}, {}, {}, {&tensor, 1}}, out);
}

}  // namespace maas::wire
