// The families of steps, one a file beside this header: each lists the operators it makes. A new family is
// declared here and named in program/step_table.cc.
#pragma once

#include <span>

#include "maas/program/step.h"

namespace maas {

std::span<const StepEntry> copy_steps();        // what the compiler itself puts in
std::span<const StepEntry> dense_steps();       // MatMul, Gemm and what is fused with them
std::span<const StepEntry> unary_steps();       // Abs, Exp, Relu, Not, ...
std::span<const StepEntry> clip_steps();        // Clip, PRelu
std::span<const StepEntry> arithmetic_steps();  // Add, Mod, Max, Mean, ...
std::span<const StepEntry> power_steps();       // Pow
std::span<const StepEntry> compare_steps();     // Equal, Less, And, Where, ...
std::span<const StepEntry> cast_steps();
std::span<const StepEntry> reduce_steps();       // ReduceSum, ...
std::span<const StepEntry> arg_extreme_steps();  // ArgMax, ArgMin
std::span<const StepEntry> softmax_steps();      // Softmax, LogSoftmax
std::span<const StepEntry> norm_steps();         // BatchNormalization, LayerNormalization
std::span<const StepEntry> layout_steps();       // Concat, Slice, Transpose, Expand, ...
std::span<const StepEntry> gather_steps();       // Gather, GatherElements

// ai.onnx.ml
std::span<const StepEntry> feature_columns_steps();  // ArrayFeatureExtractor, FeatureVectorizer
std::span<const StepEntry> imputer_steps();
std::span<const StepEntry> label_encoder_steps();
std::span<const StepEntry> linear_model_steps();  // LinearClassifier, LinearRegressor
std::span<const StepEntry> normalizer_steps();
std::span<const StepEntry> one_hot_steps();
std::span<const StepEntry> scaler_steps();  // Scaler, Binarizer

}  // namespace maas
