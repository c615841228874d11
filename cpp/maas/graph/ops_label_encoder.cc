// The rule of LabelEncoder, which maps keys to values of another type.
#include "maas/graph/rules.h"

namespace maas {

namespace {

struct Entries {
  DType dtype;
  size_t count;
};

// The list or tensor given of keys or of values.
Entries entries(const NodeView& view, const std::string& kind) {
  const std::string strings = kind + "_strings", ints = kind + "_int64s", floats = kind + "_floats",
                    tensor = kind + "_tensor";
  const std::string_view found =
      expect_one_of(view, {strings.c_str(), ints.c_str(), floats.c_str(), tensor.c_str()});
  if (found == strings) return {DType::kString, view.get_strings(strings.c_str()).size()};
  if (found == ints) return {DType::kInt64, view.get_ints(ints.c_str()).size()};
  if (found == floats) return {DType::kFloat32, view.get_floats(floats.c_str()).size()};
  const Tensor& values = *view.get_tensor(tensor.c_str());
  if (values.shape().size() != 1) {
    view.fail("expected attribute '" + tensor + "' of one dimension, got " + shape_text(values.shape()));
  }
  return {values.dtype(), values.size()};
}

}  // namespace

OutputTypes label_encoder(const NodeView& view) {
  const Entries keys = entries(view, "keys"), values = entries(view, "values");
  if (keys.count != values.count) {
    view.fail("expected as many values as keys, got " + std::to_string(values.count) + " and " +
              std::to_string(keys.count));
  }
  expect_type(view, 0, "X", type_set(keys.dtype) & ~kBools);
  const Tensor* otherwise = view.get_tensor("default_tensor");
  if (otherwise != nullptr && (otherwise->dtype() != values.dtype || otherwise->size() != 1)) {
    view.fail(std::string("expected attribute 'default_tensor' of one ") + dtype_name(values.dtype) +
              ", got " + dtype_name(otherwise->dtype()) + " " + shape_text(otherwise->shape()));
  }
  return {{values.dtype, view.input(0).shape}};
}

}  // namespace maas
