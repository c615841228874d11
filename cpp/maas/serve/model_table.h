// Which models there are, by name and version. Threads read it without a lock; a change is one exchange.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "maas/serve/served_model.h"

namespace maas::serve {

using ModelPointer = std::shared_ptr<const ServedModel>;

struct ModelEntry {
  std::map<std::string, ModelPointer, std::less<>> versions;
  ModelPointer current;  // what a request without a version gets
};

using ModelMap = std::map<std::string, ModelEntry, std::less<>>;

class ModelTable {
 public:
  // Adds a version, or puts it in the place of one of that number, and makes it the current one. Requests
  // that run on another go on there; it is freed with the last of them.
  void set(ModelPointer model);
  // False where there is none. Without its current version a model has none; without any it is gone.
  bool remove(const std::string& name, const std::string& version);

  std::shared_ptr<const ModelMap> snapshot() const;
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

 private:
  void change(std::shared_ptr<const ModelMap> next);

  mutable std::mutex mutex_;
  std::shared_ptr<const ModelMap> map_ = std::make_shared<ModelMap>();
  std::atomic<uint64_t> generation_{0};
};

// One thread's view of the table: current at each call of map(), which costs one load where nothing changed.
class ModelReader {
 public:
  explicit ModelReader(const ModelTable& table) : table_(table) {}

  const ModelMap& map();
  uint64_t generation() const { return generation_; }
  // nullptr where there is none; version "": the current one.
  const ModelPointer* find(std::string_view name, std::string_view version);

 private:
  const ModelTable& table_;
  uint64_t generation_ = UINT64_MAX;
  std::shared_ptr<const ModelMap> map_;
};

}  // namespace maas::serve
