// exp, log and friends of single doubles, for solvers: the same bits as the vector code of
// kernels/math-inl.h, where libm would differ between machines. About 10 ns a call; arrays belong in
// kernels/elementwise.h.
#pragma once

namespace maas {

double scalar_exp(double x);
double scalar_expm1(double x);
double scalar_log(double x);
double scalar_log1p(double x);
// x^y = e^(y log x) for x > 0; its relative error grows with |y log x|, about 2^-52 times that.
double scalar_pow(double x, double y);

}  // namespace maas
