#include "maas/kernels/scalar_math.h"

#include "maas/kernels/elementwise.h"

namespace maas {
namespace {
double map_one(MapOp op, double x) {
  map_arrays(op, 1, &x, nullptr, &x);
  return x;
}
}  // namespace

double scalar_exp(double x) { return map_one(MapOp::kExp, x); }
double scalar_expm1(double x) { return map_one(MapOp::kExpm1, x); }
double scalar_log(double x) { return map_one(MapOp::kLog, x); }
double scalar_log1p(double x) { return map_one(MapOp::kLog1p, x); }
double scalar_pow(double x, double y) { return scalar_exp(y * scalar_log(x)); }

}  // namespace maas
