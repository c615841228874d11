#include "maas/serve/model_table.h"

#include <utility>

namespace maas::serve {

void ModelTable::change(std::shared_ptr<const ModelMap> next) {
  map_ = std::move(next);
  generation_.fetch_add(1, std::memory_order_release);
}

void ModelTable::set(ModelPointer model) {
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<ModelMap>(*map_);
  ModelEntry& entry = (*next)[model->name()];
  entry.versions[model->version()] = model;
  entry.current = std::move(model);
  change(std::move(next));
}

bool ModelTable::remove(const std::string& name, const std::string& version) {
  const std::lock_guard lock(mutex_);
  auto next = std::make_shared<ModelMap>(*map_);
  const auto entry = next->find(name);
  if (entry == next->end() || entry->second.versions.erase(version) == 0) return false;
  if (entry->second.current != nullptr && entry->second.current->version() == version)
    entry->second.current = nullptr;
  if (entry->second.versions.empty()) next->erase(entry);
  change(std::move(next));
  return true;
}

std::shared_ptr<const ModelMap> ModelTable::snapshot() const {
  const std::lock_guard lock(mutex_);
  return map_;
}

const ModelMap& ModelReader::map() {
  if (const uint64_t generation = table_.generation(); generation != generation_) {
    map_ = table_.snapshot();
    generation_ = generation;
  }
  return *map_;
}

const ModelPointer* ModelReader::find(std::string_view name, std::string_view version) {
  const ModelMap& models = map();
  const auto entry = models.find(name);
  if (entry == models.end()) return nullptr;
  if (version.empty()) return entry->second.current ? &entry->second.current : nullptr;
  const auto found = entry->second.versions.find(version);
  return found == entry->second.versions.end() ? nullptr : &found->second;
}

}  // namespace maas::serve
