/* Prints label and probabilities of rows from standard input: embed_c MODEL.onnx < rows
 * cc -std=c11 main.c -o embed_c $(pkg-config --cflags --libs maas) */
#include <maas/maas_c.h>
#include <stdio.h>

enum { kMost = 1024 }; /* numbers of a row */

static int read_row(double* x, size_t count) {
  for (size_t j = 0; j < count; ++j) {
    if (scanf("%lf", &x[j]) != 1) return 0;
  }
  return 1;
}

int main(int argc, char** argv) {
  const char* const wanted[] = {"predict", "predict_proba"};
  maas_model* model;
  maas_scratch* scratch; /* one a thread */
  if (maas_open(argc > 1 ? argv[1] : "", wanted, 2, &model)) fprintf(stderr, "%s\n", maas_error(model));
  maas_scratch_new(model, 1, &scratch); /* of a model that did not open: runs say so */

  maas_value in = {0}, label = {0}, proba = {0};
  maas_input(model, 0, &in), maas_output(model, 0, &label), maas_output(model, 1, &proba);
  const int fits = in.dtype == MAAS_FLOAT64 && label.dtype == MAAS_INT64 && proba.dtype == MAAS_FLOAT64 &&
                   in.row_items <= kMost && proba.row_items <= kMost;
  double x[kMost], y[kMost];
  int64_t winner;
  void* const outputs[] = {&winner, y};
  const maas_array row = {x, MAAS_FLOAT64, 0, sizeof *x};
  while (fits && read_row(x, in.row_items)) {
    if (maas_run(scratch, &row, 1, 1, outputs, 2)) fprintf(stderr, "%s\n", maas_scratch_error(scratch));
    printf("%lld", (long long)winner);
    for (size_t k = 0; k < proba.row_items; ++k) printf(" %.17g", y[k]);
    printf("\n");
  }
  maas_scratch_free(scratch);
  maas_close(model);
  return fits ? 0 : 1;
}
