// What one core of this machine can do at most, measured: the floors of a prediction.
#pragma once

#include <cstddef>

// Bytes a second where `bytes` of them are read again and again, from the nearest cache that holds them.
double read_rate(size_t bytes);

// Multiply-adds of float32 a second.
double multiply_add_rate();
