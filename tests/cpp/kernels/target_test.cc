#include "maas/kernels/target.h"

#include <gtest/gtest.h>

#include "maas/base/error.h"

namespace maas {
namespace {

TEST(Target, ForcedTargetIsActive) {
  for (const auto& name : supported_targets()) {
    set_target(name);
    EXPECT_EQ(active_target(), name);
  }
  set_target("");
  EXPECT_EQ(active_target(), supported_targets().front());
}

TEST(Target, UnknownTargetNamesTheChoices) {
  try {
    set_target("vax");
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnsupported);
    EXPECT_NE(std::string(e.what()).find(supported_targets().back()), std::string::npos);
  }
}

}  // namespace
}  // namespace maas
