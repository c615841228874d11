#include "maas/onnx/external_data.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "maas/onnx/read_context.h"

namespace maas {

namespace {

namespace fs = std::filesystem;

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }
  int release() { return std::exchange(descriptor_, -1); }
  void reset(int descriptor) {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = descriptor;
  }

 private:
  int descriptor_;
};

// O_NONBLOCK: opening a pipe must not wait for its writer.
constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

// A path in a message: to its first null, and cut between two letters of UTF-8.
std::string shown(const std::string& location) {
  const std::string text = location.substr(0, location.find('\0'));
  size_t size = std::min<size_t>(text.size(), 200);
  while (size > 0 && size < text.size() && (text[size] & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

[[noreturn]] void throw_errno(const std::string& where, int error) {
  if (error == ENOENT || error == ENOTDIR) throw Error(ErrorCode::kNotFound, where, "there is no such file");
  if (error == EACCES || error == EPERM) {
    throw Error(ErrorCode::kPermissionDenied, where, "the file may not be read");
  }
  throw_format(where, std::string("the file cannot be read: ") + std::strerror(error));
}

uint64_t regular_size(int file, const std::string& where) {
  struct stat status{};
  if (::fstat(file, &status) != 0) throw_errno(where, errno);
  if (!S_ISREG(status.st_mode)) throw_format(where, "expected a regular file");
  return static_cast<uint64_t>(status.st_size);
}

std::string read_at(int file, uint64_t offset, uint64_t length, const std::string& where) {
  std::string bytes(length, '\0');
  size_t have = 0;
  while (have < length) {
    const ssize_t got = ::pread(file, bytes.data() + have, length - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno(where, errno);
    if (got == 0) throw_format(where, "the file ends before the bytes it should hold");
    have += static_cast<size_t>(got);
  }
  return bytes;
}

// `relative` holds no links, ".." or ".": none may have appeared since, so none is followed.
int open_below(const std::string& folder, const fs::path& relative, const std::string& where) {
  File at(::open(folder.c_str(), kFlags | O_DIRECTORY));
  if (at.get() < 0) throw_errno(where, errno);
  for (auto part = relative.begin(); part != relative.end(); ++part) {
    const bool last = std::next(part) == relative.end();
    const int next = ::openat(at.get(), part->c_str(), kFlags | O_NOFOLLOW | (last ? 0 : O_DIRECTORY));
    if (next < 0) throw_errno(where, errno);
    at.reset(next);
  }
  return at.release();
}

}  // namespace

std::string read_whole_file(const std::string& path, size_t limit) {
  const File file(::open(path.c_str(), kFlags));
  if (file.get() < 0) throw_errno(path, errno);
  const uint64_t size = regular_size(file.get(), path);
  if (size > limit) {
    throw_unsupported(
        path, "expected a file of at most " + std::to_string(limit) + " bytes, got " + std::to_string(size));
  }
  return read_at(file.get(), 0, size, path);
}

ExternalFolder::ExternalFolder(const std::string& model_path) {
  std::error_code error;
  const fs::path parent = fs::path(model_path).parent_path();
  folder_ = fs::canonical(parent.empty() ? fs::path(".") : parent, error).string();
  if (error) throw_errno(model_path, error.value());
}

ExternalFolder::~ExternalFolder() {
  if (file_ >= 0) ::close(file_);
}

uint64_t ExternalFolder::open(const std::string& location, const std::string& where) {
  if (file_ >= 0 && location == location_) return size_;
  const fs::path path(location);
  const std::string refused = "external data '" + shown(location) + "' ";
  if (location.empty() || location.find('\0') != std::string::npos || path.is_absolute()) {
    throw_format(where, refused + "is not a path below the model's folder");
  }
  for (const fs::path& part : path) {
    if (part == "..") throw_format(where, refused + "leaves the model's folder by '..'");
  }
  std::error_code error;
  const fs::path real = fs::canonical(fs::path(folder_) / path, error);
  if (error) {
    throw Error(ErrorCode::kNotFound, where, refused + "cannot be found: " + error.message());
  }
  const fs::path below = real.lexically_relative(folder_);
  if (below.empty() || *below.begin() == ".." || *below.begin() == ".") {
    throw_format(where, refused + "leaves the model's folder by a link");
  }
  File file(open_below(folder_, below, where));
  const uint64_t size = regular_size(file.get(), where);
  if (file_ >= 0) ::close(file_);
  file_ = file.release();
  location_ = location;
  return size_ = size;
}

std::string ExternalFolder::read(uint64_t offset, uint64_t length, const std::string& where) {
  return read_at(file_, offset, length, where);
}

}  // namespace maas
