#include "maas/serve/access_log.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "maas/base/error.h"
#include "maas/wire/infer_encoder.h"

namespace maas::serve {

namespace {

constexpr std::chrono::milliseconds kPause{20};  // a full ring is 200,000 requests a second
constexpr int kPatienceMs = 200;
constexpr size_t kPiece = 4096;  // a pipe that has room has this much
constexpr size_t kFlushBytes = size_t{1} << 16;

void append_time(std::chrono::system_clock::time_point time, std::string& out) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  const auto seconds = static_cast<std::time_t>(us / 1000000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const size_t size = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  out.append(text, size);
  const int more = std::snprintf(text, sizeof(text), ".%06dZ", static_cast<int>(us % 1000000));
  out.append(text, static_cast<size_t>(more));
}

void append_us(const char* name, uint64_t ns, std::string& out) {
  char text[64];
  const int size = std::snprintf(text, sizeof(text), ",\"%s\":%.1f", name, static_cast<double>(ns) / 1000);
  out.append(text, static_cast<size_t>(size));
}

void append_line(const AccessRecord& record, std::string& out) {
  out += "{\"time\":\"";
  append_time(record.time, out);
  out += "\",\"protocol\":\"";
  out += record.protocol;
  out += "\",\"model\":";
  wire::append_json_text(record.model.data(), out);
  out += ",\"version\":";
  wire::append_json_text(record.version.data(), out);
  out += ",\"status\":\"";
  out += record.cause == nullptr ? "ok" : record.cause;
  out += "\",\"rows\":" + std::to_string(record.rows);
  append_us("us", record.all_ns, out);
  if (record.cause == nullptr) {
    append_us("decode_us", record.decode_ns, out);
    append_us("run_us", record.run_ns, out);
    append_us("encode_us", record.encode_ns, out);
  }
  out += "}\n";
}

// False where the file takes no more: a full disk, a closed pipe, a reader that sleeps.
bool write_whole(int file, const char* data, size_t size) {
  while (size > 0) {
    pollfd ready{file, POLLOUT, 0};
    if (::poll(&ready, 1, kPatienceMs) == 0) return false;
    const ssize_t written = ::write(file, data, std::min(size, kPiece));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    data += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

}  // namespace

void AccessRing::add(const AccessRecord& record) noexcept {
  const size_t added = added_.load(std::memory_order_relaxed);
  if (added - taken_.load(std::memory_order_acquire) >= kRecords) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  records_[added % kRecords] = record;
  added_.store(added + 1, std::memory_order_release);
}

bool AccessRing::take(AccessRecord& record) noexcept {
  const size_t taken = taken_.load(std::memory_order_relaxed);
  if (taken == added_.load(std::memory_order_acquire)) return false;
  record = records_[taken % kRecords];
  taken_.store(taken + 1, std::memory_order_release);
  return true;
}

AccessLog::AccessLog(const std::string& path, double sample) : sample_(sample) {
  if (!(sample >= 0 && sample <= 1)) throw_invalid("serve", "expected access_log_sample from 0 to 1");
  closes_ = path != "-";
  file_ = closes_ ? ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640) : STDOUT_FILENO;
  if (file_ < 0) {
    throw_invalid("serve",
                  "expected an access log that can be written, got '" + path + "': " + std::strerror(errno));
  }
}

AccessLog::~AccessLog() {
  stop();
  if (closes_) ::close(file_);
}

void AccessLog::stop() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  ended_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<AccessRing> AccessLog::make_ring() {
  rings_.push_back(std::make_shared<AccessRing>(sample_));
  return rings_.back();
}

void AccessLog::start() {
  thread_ = std::thread([this] { run(); });
}

uint64_t AccessLog::dropped() const {
  uint64_t all = unwritten_.load();
  for (const auto& ring : rings_) all += ring->dropped();
  return all;
}

void AccessLog::run() {
  for (bool ends = false; !ends;) {
    {
      std::unique_lock lock(mutex_);
      ended_.wait_for(lock, kPause, [&] { return ends_; });
      ends = ends_;
    }
    write_all();
  }
}

void AccessLog::write_all() {
  std::string lines;
  uint64_t count = 0;
  const auto flush = [&] {
    if (!write_whole(file_, lines.data(), lines.size())) unwritten_ += count;
    lines.clear();
    count = 0;
  };
  for (const auto& ring : rings_) {
    for (AccessRecord record; ring->take(record);) {
      append_line(record, lines);
      ++count;
      if (lines.size() >= kFlushBytes) flush();
    }
  }
  if (!lines.empty()) flush();
}

}  // namespace maas::serve
