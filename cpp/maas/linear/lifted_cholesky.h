// Cholesky of a matrix that is positive semidefinite but for rounding.
#pragma once

#include <cstddef>

namespace maas {

// A = UᵀU in place (kernels as linear/cholesky.h), n × n. Where A is singular its diagonal is lifted by the
// least share of itself that makes it positive definite; a column of zeros gets an average entry, for short
// steps. A matrix that is not finite becomes the identity.
void lifted_cholesky(double* a, size_t n);

}  // namespace maas
