// ONNX Runtime through its C interface: a table of functions whose places do not change from version to
// version. Declared here are the few places that one prediction needs, because the wheel brings the library
// without headers.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

namespace onnxruntime {

constexpr uint32_t kVersion = 8;  // of the interface: the first that has every place below

enum Place : size_t {
  kGetErrorMessage = 2,
  kCreateEnv = 3,
  kCreateSession = 7,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetGraphOptimizationLevel = 23,
  kSetIntraOpNumThreads = 24,
  kSetInterOpNumThreads = 25,
  kCreateTensorWithData = 49,
  kCreateCpuMemoryInfo = 69,
  kReleaseEnv = 92,
  kReleaseStatus = 93,
  kReleaseMemoryInfo = 94,
  kReleaseSession = 95,
  kReleaseValue = 96,
  kReleaseSessionOptions = 100,
  kRunWithBinding = 133,
  kCreateIoBinding = 134,
  kReleaseIoBinding = 135,
  kBindInput = 136,
  kBindOutput = 137,
};

using Status = void;  // null: all is well
using Release = void (*)(void*);
using Handle = std::unique_ptr<void, Release>;

class Library {
 public:
  explicit Library(const char* path) {
    struct Base {
      const void* const* (*table)(uint32_t version);
      const char* (*version)();
    };
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);  // stays open
    if (library == nullptr) throw std::runtime_error(dlerror());
    const auto base = reinterpret_cast<const Base* (*)()>(dlsym(library, "OrtGetApiBase"));
    if (base == nullptr) throw std::runtime_error(std::string(path) + " has no OrtGetApiBase");
    version_ = base()->version();
    table_ = base()->table(kVersion);
    if (table_ == nullptr) throw std::runtime_error(version_ + " no longer has the interface's version 8");
  }

  const std::string& version() const { return version_; }

  // Types of arguments are taken as they come, so they have to be exactly those of the C interface.
  template <class... Arguments>
  void call(Place place, Arguments... arguments) const {
    check(function<Status*, Arguments...>(place)(arguments...));
  }

  // Calls a function whose last argument is where the new handle goes.
  template <class... Arguments>
  Handle make(Place place, Place release, Arguments... arguments) const {
    void* made = nullptr;
    call(place, arguments..., &made);
    return Handle(made, function<void, void*>(release));
  }

  template <class Result, class... Arguments>
  auto function(Place place) const {
    return reinterpret_cast<Result (*)(Arguments...)>(const_cast<void*>(table_[place]));
  }

  void check(Status* status) const {
    if (status == nullptr) return;
    const std::string words = function<const char*, Status*>(kGetErrorMessage)(status);
    function<void, void*>(kReleaseStatus)(status);
    throw std::runtime_error(words);
  }

 private:
  std::string version_;
  const void* const* table_ = nullptr;
};

// A model with one input and one output of float32, one thread, one row. Everything is made beforehand: a run
// neither makes values nor looks for names more than the interface demands.
class Session {
 public:
  Session(const Library& library, const char* path, std::string input, std::string output, float* x,
          int64_t columns, float* y, int64_t classes)
      : library_(library), input_(std::move(input)), output_(std::move(output)) {
    constexpr int kWarning = 2, kEverything = 99, kArena = 1, kDefaultMemory = 0;
    env_ = library.make(kCreateEnv, kReleaseEnv, kWarning, "bench");
    const Handle options = library.make(kCreateSessionOptions, kReleaseSessionOptions);
    library.call(kSetGraphOptimizationLevel, options.get(), kEverything);
    library.call(kSetIntraOpNumThreads, options.get(), 1);
    library.call(kSetInterOpNumThreads, options.get(), 1);
    session_ = library.make(kCreateSession, kReleaseSession, env_.get(), path, options.get());
    memory_ = library.make(kCreateCpuMemoryInfo, kReleaseMemoryInfo, kArena, kDefaultMemory);
    x_ = tensor(x, columns);
    y_ = tensor(y, classes);
    binding_ = library.make(kCreateIoBinding, kReleaseIoBinding, session_.get());
    library.call(kBindInput, binding_.get(), input_.c_str(), x_.get());
    library.call(kBindOutput, binding_.get(), output_.c_str(), y_.get());
    run_ = library.function<Status*, void*, void*, const char* const*, void* const*, size_t,
                            const char* const*, size_t, void**>(kRun);
    run_bound_ = library.function<Status*, void*, void*, void*>(kRunWithBinding);
  }

  void run() const {
    const char *const inputs[] = {input_.c_str()}, *const outputs[] = {output_.c_str()};
    void* const x[] = {x_.get()};
    void* y[] = {y_.get()};
    library_.check(run_(session_.get(), nullptr, inputs, x, 1, outputs, 1, y));
  }

  void run_bound() const { library_.check(run_bound_(session_.get(), nullptr, binding_.get())); }

 private:
  Handle tensor(float* data, int64_t items) const {
    constexpr int kFloat32 = 1;
    const int64_t shape[] = {1, items};
    void* const memory = memory_.get();
    return library_.make(kCreateTensorWithData, kReleaseValue, static_cast<const void*>(memory),
                         static_cast<void*>(data), static_cast<size_t>(items) * sizeof(float),
                         static_cast<const int64_t*>(shape), size_t{2}, kFloat32);
  }

  static Handle nothing() {
    return Handle(nullptr, [](void*) {});
  }

  const Library& library_;
  std::string input_, output_;
  Handle env_ = nothing(), session_ = nothing(), memory_ = nothing(), x_ = nothing(), y_ = nothing(),
         binding_ = nothing();
  Status* (*run_)(void*, void*, const char* const*, void* const*, size_t, const char* const*, size_t,
                  void**) = nullptr;
  Status* (*run_bound_)(void*, void*, void*) = nullptr;
};

}  // namespace onnxruntime
