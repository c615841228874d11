#include "maas/serve/control_queue.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "maas/wire/http_fields.h"

namespace maas::serve {

namespace {

constexpr std::array<std::string_view, 7> kOurs = {"Content-Type", "Content-Length",    "Connection",
                                                   "Date",         "Transfer-Encoding", "Content-Encoding",
                                                   "Keep-Alive"};

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool is_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

bool is_ours(std::string_view name) {
  return std::any_of(kOurs.begin(), kOurs.end(),
                     [&](std::string_view each) { return wire::same_ignoring_case(each, name); });
}

size_t size_of(const ControlRequest& request) {
  size_t size = request.method.size() + request.target.size() + request.body.size();
  for (const auto& [name, value] : request.fields) size += name.size() + value.size();
  return size;
}

}  // namespace

bool ControlQueue::ask(ControlRequest request, Answer answer) {
  const size_t size = size_of(request);
  const std::lock_guard lock(mutex_);
  if (closed_ || open_.size() >= requests_ || held_ + size > bytes_) return false;
  held_ += size;
  request.id = ++last_id_;
  open_.emplace(request.id, Open{std::move(answer), size});
  waiting_.push_back(std::move(request));
  changed_.notify_one();
  return true;
}

std::optional<ControlRequest> ControlQueue::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || !waiting_.empty(); });
  if (closed_) return std::nullopt;
  ControlRequest request = std::move(waiting_.front());
  waiting_.pop_front();
  return request;
}

bool ControlQueue::answer(uint64_t id, ControlReply reply) {
  const std::lock_guard lock(mutex_);  // held over the call, so that close() can promise what it does
  const auto found = open_.find(id);
  if (found == open_.end()) return false;
  const Open open = std::move(found->second);
  open_.erase(found);
  held_ -= open.bytes;
  open.answer(std::move(reply));
  return true;
}

size_t ControlQueue::size() {
  const std::lock_guard lock(mutex_);
  return open_.size();
}

void ControlQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  waiting_.clear();
  open_.clear();
  held_ = 0;
  changed_.notify_all();
}

std::string content_type(const ControlReply& reply) {
  for (const auto& [name, value] : reply.fields) {
    if (wire::same_ignoring_case(name, "Content-Type") && is_value(value)) return value;
  }
  return "application/json";
}

std::string field_lines(const ControlReply& reply) {
  std::string lines;
  for (const auto& [name, value] : reply.fields) {
    if (!is_name(name) || !is_value(value) || is_ours(name)) continue;
    lines += name;
    lines += ": ";
    lines += value;
    lines += "\r\n";
  }
  return lines;
}

}  // namespace maas::serve
