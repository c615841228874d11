// Files beside a model that hold its tensors. Only regular files inside the model's folder are read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace maas {

// A file's bytes. Throws NotFound, PermissionDenied, FormatError (not a regular file), Unsupported (larger
// than `limit`).
std::string read_whole_file(const std::string& path, size_t limit);

class ExternalFolder {
 public:
  // model_path: the model whose folder it is.
  explicit ExternalFolder(const std::string& model_path);
  ~ExternalFolder();
  ExternalFolder(const ExternalFolder&) = delete;
  ExternalFolder& operator=(const ExternalFolder&) = delete;

  // Opens `location`, a relative path without "..", that leads to a regular file inside the folder, links
  // followed; keeps it open until the next. Returns its size. Throws FormatError naming `where`.
  uint64_t open(const std::string& location, const std::string& where);
  // `length` bytes from `offset` of the file opened; the caller has checked them against its size.
  std::string read(uint64_t offset, uint64_t length, const std::string& where);

 private:
  std::string folder_;  // without links
  std::string location_;
  int file_ = -1;
  uint64_t size_ = 0;
};

}  // namespace maas
