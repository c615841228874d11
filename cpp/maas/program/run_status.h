// What a run may find wrong with its rows. Values, because Program::run does not throw.
#pragma once

#include <cstdint>

namespace maas {

enum class RunStatus : uint8_t {
  kOk,
  kUnknownCategory,   // a value that an encoder without a place for unknown ones does not list
  kIndexOutOfRange,   // of a Gather and the like
  kNotRepresentable,  // a number or text that the type asked for cannot hold
  kZeroDivision,      // of integers
};

}  // namespace maas
