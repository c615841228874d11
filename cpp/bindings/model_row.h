// Rows given as dicts of plain Python values: {"age": 31, "city": "Oslo"}.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "model_input.h"
#include "numpy_api.h"

namespace maas::bindings {

// Where each named value goes: one record a row, holding one item of every column.
class RowPlan {
 public:
  // `names`: a tuple of str, one a column of the model in the order of its inputs and their elements; any
  // other object: the model takes no dicts.
  RowPlan(const std::vector<InputSpec>& inputs, PyObject* names);
  ~RowPlan();
  RowPlan(const RowPlan&) = delete;
  RowPlan& operator=(const RowPlan&) = delete;

  struct Cell {
    PyObject* name;
    size_t offset;  // in the record
    DType dtype;
  };
  bool empty() const { return cells_.empty(); }
  const std::vector<Cell>& cells() const { return cells_; }
  size_t record_bytes() const { return record_bytes_; }
  // The arrays of records that begin at `records`.
  void arrays(const std::byte* records, std::vector<InputArray>* out) const;

 private:
  std::vector<Cell> cells_;
  std::vector<InputArray> arrays_;  // `data` is the offset in the record
  size_t record_bytes_ = 0;
};

// The records of some dicts, with the text they point to.
class RowRecords {
 public:
  explicit RowRecords(const RowPlan& plan) : plan_(plan) {}
  ~RowRecords();
  RowRecords(const RowRecords&) = delete;
  RowRecords& operator=(const RowRecords&) = delete;

  // `rows`: a dict, or a list of them. False without a Python error where one holds anything but plain values
  // of the columns' types: Python tells what, or converts it.
  bool fill(PyObject* rows);
  const std::byte* data() const { return data_; }
  size_t rows() const { return rows_; }

 private:
  bool fill_row(PyObject* dict, std::byte* record);
  bool fill_cell(PyObject* value, DType dtype, std::byte* cell);

  const RowPlan& plan_;
  size_t rows_ = 0;
  std::byte* data_ = nullptr;
  alignas(8) std::byte inline_[1024];
  std::vector<std::byte> heap_;
  std::vector<PyObject*> texts_;
};

}  // namespace maas::bindings
