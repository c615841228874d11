#include "maas/maas_c.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "maas/base/thread_pool.h"
#include "maas/maas.h"

// Shared with its scratches, which may outlive it.
struct maas_model {
  std::shared_ptr<const maas::Program> program;  // null where it did not open
  std::string error;
};

struct maas_scratch {
  std::shared_ptr<const maas::Program> program;
  std::vector<maas::Scratch> scratches;  // one, or one a thread; without any it only tells its error
  std::vector<maas::InputArray> inputs;  // room for those of a run
  size_t most_rows = SIZE_MAX;           // of a run; fewer where outputs are texts
  maas::RunResult result;                // of the last run
  const char* refusal = nullptr;         // or why there was none
  std::string error;
};

namespace maas {
namespace {

constexpr const char* kNoMemory = "[maas] out of memory";

constexpr maas_status status_of(ErrorCode code) { return static_cast<maas_status>(code) + 1; }
static_assert(status_of(ErrorCode::kInvalidArgument) == MAAS_INVALID_ARGUMENT);
static_assert(status_of(ErrorCode::kFormatError) == MAAS_FORMAT_ERROR);
static_assert(status_of(ErrorCode::kNotFound) == MAAS_NOT_FOUND);
static_assert(status_of(ErrorCode::kUnsupported) == MAAS_UNSUPPORTED);
static_assert(status_of(ErrorCode::kPermissionDenied) == MAAS_PERMISSION_DENIED);
static_assert(status_of(ErrorCode::kOverloaded) == MAAS_OVERLOADED);
static_assert(status_of(ErrorCode::kDeadlineExceeded) == MAAS_DEADLINE_EXCEEDED);
static_assert(status_of(ErrorCode::kInternal) == MAAS_INTERNAL);

constexpr maas_dtype number_of(DType dtype) { return static_cast<maas_dtype>(dtype); }
static_assert(number_of(DType::kFloat32) == MAAS_FLOAT32 && number_of(DType::kFloat64) == MAAS_FLOAT64);
static_assert(number_of(DType::kInt64) == MAAS_INT64 && number_of(DType::kInt32) == MAAS_INT32);
static_assert(number_of(DType::kBool) == MAAS_BOOL && number_of(DType::kString) == MAAS_STRING);
static_assert(MAAS_ROWS == kBatch);
static_assert(sizeof(maas_string) == sizeof(std::string_view));

// Runs `work`; the status and the words of what it throws, static ones where there is no memory for others.
template <class Work>
maas_status guarded(std::string& words, Work&& work) noexcept {
  const auto say = [&](const char* text) {
    try {
      words = text;
    } catch (...) {
      words.clear();
    }
  };
  try {
    work();
    return MAAS_OK;
  } catch (const Error& error) {
    say(error.what());
    return status_of(error.code());
  } catch (const std::bad_alloc&) {
    say(kNoMemory);
  } catch (const std::exception& error) {
    say(error.what());
  } catch (...) {
    say("[maas] unknown error");
  }
  return MAAS_INTERNAL;
}

const Program* program_of(const maas_model* model) {
  return model == nullptr ? nullptr : model->program.get();
}

template <class Load>
maas_status open_model(maas_model** model, const char* const* outputs, size_t output_count,
                       Load&& load) noexcept {
  if (model == nullptr) return MAAS_INVALID_ARGUMENT;
  *model = new (std::nothrow) maas_model;
  if (*model == nullptr) return MAAS_INTERNAL;
  return guarded((*model)->error, [&] {
    LoadOptions options;
    for (size_t i = 0; i < output_count; ++i) {
      if (outputs == nullptr || outputs[i] == nullptr) {
        throw_invalid("maas_open", "expected names of outputs, got NULL");
      }
      options.outputs.emplace_back(outputs[i]);
    }
    (*model)->program = std::make_shared<const Program>(load(options));
  });
}

maas_status describe(const std::vector<Value>& values, size_t index, maas_value* out) {
  if (out == nullptr) return MAAS_INVALID_ARGUMENT;
  if (index >= values.size()) return MAAS_NOT_FOUND;
  const auto& [name, type] = values[index];
  *out = {{name.size(), name.data()},
          number_of(type.dtype),
          type.shape.size(),
          type.shape.data(),
          elements(type.shape)};
  return MAAS_OK;
}

bool any_text(const std::vector<Value>& values) {
  return std::any_of(values.begin(), values.end(),
                     [](const Value& value) { return value.type.dtype == DType::kString; });
}

// Texts go through a run as std::string_view, whose two words each standard library orders as it likes.
bool texts_are_maas_strings() {
  const std::string_view view("text", 3);
  maas_string text;
  std::memcpy(&text, &view, sizeof text);
  return text.size == view.size() && text.data == view.data();
}

void fill(maas_scratch& scratch, const maas_model* model, size_t rows) {
  const Program* program = program_of(model);
  if (program == nullptr) throw_invalid("maas_scratch_new", "expected a model that opened");
  const bool text_out = any_text(program->outputs());
  if ((text_out || any_text(program->inputs())) && !texts_are_maas_strings()) {
    throw Error(ErrorCode::kUnsupported, "maas_scratch_new",
                "texts pass through the C face only where the library was built with libstdc++");
  }
  scratch.program = model->program;
  scratch.inputs.resize(program->inputs().size());
  Scratch made(*program);
  if (text_out) {
    made.reserve(*program, rows);
    scratch.most_rows = rows;
  }
  scratch.scratches.push_back(std::move(made));
}

// Copies the inputs to the scratch. What keeps the arguments from a run, or null.
const char* take(maas_scratch& scratch, const maas_array* inputs, size_t input_count, size_t rows,
                 void* const* outputs, size_t output_count) {
  if (scratch.scratches.empty())
    return "[maas_run] expected a scratch that was made, got one that tells an error";
  const std::vector<Value>& wanted = scratch.program->inputs();
  if (input_count != wanted.size()) return "[maas_run] expected as many inputs as the model has";
  if (output_count != scratch.program->outputs().size()) {
    return "[maas_run] expected as many outputs as the model has";
  }
  for (size_t i = 0; i < input_count; ++i) {
    const maas_array& array = inputs[i];
    const bool is_known = array.dtype >= MAAS_FLOAT32 && array.dtype <= MAAS_STRING;
    const DType dtype = static_cast<DType>(array.dtype);
    if (!is_known || !widens(dtype, wanted[i].type.dtype)) {
      return "[maas_run] expected inputs of the model's dtypes or of narrower ones";
    }
    if (array.data == nullptr && rows > 0) return "[maas_run] expected inputs with data, got NULL";
    scratch.inputs[i] = {array.data, dtype, array.row_stride, array.item_stride};
  }
  for (size_t i = 0; i < output_count; ++i) {
    if (outputs[i] == nullptr && rows > 0) return "[maas_run] expected places for outputs, got NULL";
  }
  return nullptr;
}

}  // namespace
}  // namespace maas

int32_t maas_abi_version(void) { return MAAS_ABI_VERSION; }
const char* maas_version(void) { return MAAS_VERSION; }

maas_status maas_open(const char* path, const char* const* outputs, size_t output_count, maas_model** model) {
  return maas::open_model(model, outputs, output_count, [&](const maas::LoadOptions& options) {
    if (path == nullptr) maas::throw_invalid("maas_open", "expected a path, got NULL");
    return maas::load_model(std::string(path), options);
  });
}

maas_status maas_open_bytes(const void* bytes, size_t size, const char* const* outputs, size_t output_count,
                            maas_model** model) {
  return maas::open_model(model, outputs, output_count, [&](const maas::LoadOptions& options) {
    if (bytes == nullptr) maas::throw_invalid("maas_open_bytes", "expected bytes, got NULL");
    return maas::load_model(bytes, size, options);
  });
}

void maas_close(maas_model* model) { delete model; }

const char* maas_error(const maas_model* model) {
  return model == nullptr ? maas::kNoMemory : model->error.c_str();
}

size_t maas_input_count(const maas_model* model) {
  const maas::Program* program = maas::program_of(model);
  return program == nullptr ? 0 : program->inputs().size();
}

size_t maas_output_count(const maas_model* model) {
  const maas::Program* program = maas::program_of(model);
  return program == nullptr ? 0 : program->outputs().size();
}

maas_status maas_input(const maas_model* model, size_t index, maas_value* value) {
  const maas::Program* program = maas::program_of(model);
  return program == nullptr ? MAAS_NOT_FOUND : maas::describe(program->inputs(), index, value);
}

maas_status maas_output(const maas_model* model, size_t index, maas_value* value) {
  const maas::Program* program = maas::program_of(model);
  return program == nullptr ? MAAS_NOT_FOUND : maas::describe(program->outputs(), index, value);
}

maas_status maas_metadata(const maas_model* model, const char* key, maas_string* value) {
  if (key == nullptr || value == nullptr) return MAAS_INVALID_ARGUMENT;
  const maas::Program* program = maas::program_of(model);
  if (program == nullptr) return MAAS_NOT_FOUND;
  for (const auto& [name, text] : program->metadata()) {
    if (name != key) continue;
    *value = {text.size(), text.data()};
    return MAAS_OK;
  }
  return MAAS_NOT_FOUND;
}

maas_status maas_scratch_new(const maas_model* model, size_t rows, maas_scratch** scratch) {
  if (scratch == nullptr) return MAAS_INVALID_ARGUMENT;
  *scratch = new (std::nothrow) maas_scratch;
  if (*scratch == nullptr) return MAAS_INTERNAL;
  return maas::guarded((*scratch)->error, [&] { maas::fill(**scratch, model, rows); });
}

void maas_scratch_free(maas_scratch* scratch) { delete scratch; }

const char* maas_scratch_error(maas_scratch* scratch) {
  if (scratch == nullptr) return maas::kNoMemory;
  if (scratch->refusal != nullptr) return scratch->refusal;
  if (scratch->scratches.empty()) return scratch->error.c_str();
  if (scratch->result) return "";
  std::string& words = scratch->error;
  maas::guarded(words, [&] { words = scratch->program->message(scratch->result); });
  return words.c_str();
}

maas_status maas_run(maas_scratch* scratch, const maas_array* inputs, size_t input_count, size_t rows,
                     void* const* outputs, size_t output_count) {
  if (scratch == nullptr) return MAAS_INVALID_ARGUMENT;
  scratch->refusal = maas::take(*scratch, inputs, input_count, rows, outputs, output_count);
  if (scratch->refusal == nullptr && rows > scratch->most_rows) {
    scratch->refusal = "[maas_run] expected at most the rows that the scratch was made for";
  }
  if (scratch->refusal != nullptr) return MAAS_INVALID_ARGUMENT;
  scratch->result = scratch->program->run(scratch->inputs.data(), rows, outputs, scratch->scratches[0]);
  return scratch->result ? MAAS_OK : MAAS_INVALID_ARGUMENT;
}

maas_status maas_run_rows(maas_scratch* scratch, const maas_array* inputs, size_t input_count, size_t rows,
                          void* const* outputs, size_t output_count) {
  if (scratch == nullptr) return MAAS_INVALID_ARGUMENT;
  scratch->refusal = maas::take(*scratch, inputs, input_count, rows, outputs, output_count);
  if (scratch->refusal != nullptr) return MAAS_INVALID_ARGUMENT;
  const maas_status status = maas::guarded(scratch->error, [&] {
    const maas::Program& program = *scratch->program;
    const auto threads = static_cast<size_t>(maas::num_threads());
    while (scratch->scratches.size() < threads) scratch->scratches.emplace_back(program);
    scratch->result = program.run_rows(scratch->inputs.data(), rows, outputs, scratch->scratches);
  });
  if (status != MAAS_OK) scratch->refusal = scratch->error.c_str();
  return status != MAAS_OK || scratch->result ? status : MAAS_INVALID_ARGUMENT;
}
