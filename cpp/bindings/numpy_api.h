// numpy's C functions, for the paths where a pybind11 call would cost more than the work.
#pragma once

#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_1_23_API_VERSION
#define NPY_TARGET_VERSION NPY_1_23_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL maas_engine_numpy_api
#ifndef MAAS_IMPORTS_NUMPY  // one file does, before any other is called
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>
#include <numpy/arrayscalars.h>
