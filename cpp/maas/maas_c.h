/* Models inside C programs, and inside every language that calls C. Plain C11; no exception leaves it.
 *
 * Threads: a model never changes, so threads share it. A scratch belongs to one thread at a time.
 * Ownership: what open and scratch_new put out is the caller's to close, also when they fail: such a handle
 * only tells its error. A model may be closed before its scratches. Strings and shapes that a model gives
 * live as long as the model, texts of maas_scratch_error until the next call with that scratch. Strings that
 * go in end with a NUL. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "maas/base/export.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a program compiled against an older header would no longer run. */
#define MAAS_ABI_VERSION 1
MAAS_API int32_t maas_abi_version(void); /* of the library that runs */
MAAS_API const char* maas_version(void); /* "0.1.0" */

typedef int32_t maas_status;
enum {
  MAAS_OK = 0,
  MAAS_INVALID_ARGUMENT = 1,
  MAAS_FORMAT_ERROR = 2,
  MAAS_NOT_FOUND = 3,
  MAAS_UNSUPPORTED = 4,
  MAAS_PERMISSION_DENIED = 5,
  MAAS_OVERLOADED = 6,
  MAAS_DEADLINE_EXCEEDED = 7,
  MAAS_INTERNAL = 8 /* no memory, for one */
};

typedef int32_t maas_dtype;
enum {
  MAAS_FLOAT32 = 0,
  MAAS_FLOAT64 = 1,
  MAAS_INT64 = 2,
  MAAS_INT32 = 3,
  MAAS_BOOL = 4,  /* a byte of 0 or 1 */
  MAAS_STRING = 5 /* a maas_string */
};

/* UTF-8 text, no NUL counted. One item of an input or output of texts. */
typedef struct maas_string {
  size_t size;
  const char* data;
} maas_string;

/* An input of a run. Item (i, j), element j in row-major order of row i, lies at data + i * row_stride + j *
 * item_stride; strides in bytes, of any sign. dtype may be narrower than the model's: float32 for float64,
 * int32 for int64 or float64, bool for any number. An input without rows is one row. */
typedef struct maas_array {
  const void* data;
  maas_dtype dtype;
  ptrdiff_t row_stride;
  ptrdiff_t item_stride;
} maas_array;

/* An input or output of a model. */
#define MAAS_ROWS (-1) /* in front of a shape: one entry a row */
typedef struct maas_value {
  maas_string name;
  maas_dtype dtype;
  size_t rank;
  const int64_t* shape; /* rank numbers */
  size_t row_items;     /* of one row; of all where the shape has no MAAS_ROWS */
} maas_value;

typedef struct maas_model maas_model;
typedef struct maas_scratch maas_scratch;

/* Reads an ONNX file, external data from its own folder. `outputs`: what to compute, in this order, as names
 * of values or of a Python model's methods ("predict", "predict_proba", "decision_function"); none (NULL, 0):
 * the file's outputs. *model is NULL only where there is no memory for a handle. */
MAAS_API maas_status maas_open(const char* path, const char* const* outputs, size_t output_count,
                               maas_model** model);
/* The same from memory, which is not needed afterwards. */
MAAS_API maas_status maas_open_bytes(const void* bytes, size_t size, const char* const* outputs,
                                     size_t output_count, maas_model** model);
MAAS_API void maas_close(maas_model* model); /* NULL is allowed */
/* "[where] what was expected, what came"; "" where it opened. Ends with a NUL. */
MAAS_API const char* maas_error(const maas_model* model);

/* A model that did not open has none of either. MAAS_NOT_FOUND past the end. */
MAAS_API size_t maas_input_count(const maas_model* model);
MAAS_API size_t maas_output_count(const maas_model* model);
MAAS_API maas_status maas_input(const maas_model* model, size_t index, maas_value* value);
MAAS_API maas_status maas_output(const maas_model* model, size_t index, maas_value* value);
/* The file's metadata: "maas_engine.labels" and "maas_engine.feature_names" are JSON lists. MAAS_NOT_FOUND
 * without that key. */
MAAS_API maas_status maas_metadata(const maas_model* model, const char* key, maas_string* value);

/* What a thread needs to run the model. `rows`: the most of a run whose outputs hold texts (they lie in the
 * scratch until its next run); does not matter otherwise. */
MAAS_API maas_status maas_scratch_new(const maas_model* model, size_t rows, maas_scratch** scratch);
MAAS_API void maas_scratch_free(maas_scratch* scratch); /* NULL is allowed */
/* Of the last call with this scratch; "" where it succeeded. */
MAAS_API const char* maas_scratch_error(maas_scratch* scratch);

/* Runs `rows` rows: inputs and outputs as many as the model has, in its order. An output is row_items items a
 * row, contiguous, aligned for its type, apart from the inputs. No allocation and no lock. The bits
 * of a row do not depend on the other rows. On an error the outputs hold nothing useful. */
MAAS_API maas_status maas_run(maas_scratch* scratch, const maas_array* inputs, size_t input_count,
                              size_t rows, void* const* outputs, size_t output_count);

/* The same bits, the rows shared among the library's threads (MAAS_NUM_THREADS) where they are enough to be
 * worth it. Allocates what the threads need in the first such run, and room for texts of any number of rows.
 */
MAAS_API maas_status maas_run_rows(maas_scratch* scratch, const maas_array* inputs, size_t input_count,
                                   size_t rows, void* const* outputs, size_t output_count);

#ifdef __cplusplus
}
#endif
