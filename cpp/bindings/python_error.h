// C++ exceptions as Python errors, for functions that pybind11 does not wrap.
#pragma once

#include <exception>
#include <string>

#include "maas/base/error.h"

namespace maas::bindings {

// Sets the Python error of an exception of ours, pybind11's or the standard library's. With the GIL held.
void set_python_error(const std::exception_ptr& error) noexcept;

// Sets maas_engine.errors.<name of the code>, the text as given.
void set_python_error(ErrorCode code, const std::string& text) noexcept;

// What `work` returns; null with the Python error set where it throws.
template <class Work>
auto guarded(Work&& work) noexcept -> decltype(work()) {
  try {
    return work();
  } catch (...) {
    set_python_error(std::current_exception());
    return nullptr;
  }
}

}  // namespace maas::bindings
