#include "maas/serve/model_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "serve/desk.h"

namespace maas::serve {
namespace {

TEST(ModelTable, TheLastVersionThatWasSetIsCurrent) {
  ModelTable table;
  ModelReader reader(table);
  const std::string onnx = linear_onnx();
  EXPECT_EQ(reader.find("m", ""), nullptr);
  table.set(make_model("m", "2", onnx));
  table.set(make_model("m", "1", onnx));
  EXPECT_EQ((*reader.find("m", ""))->version(), "1");
  EXPECT_EQ((*reader.find("m", "2"))->version(), "2");
  EXPECT_EQ(reader.find("m", "3"), nullptr);
  EXPECT_FALSE(table.remove("m", "3"));
  EXPECT_TRUE(table.remove("m", "1"));
  EXPECT_EQ(reader.find("m", ""), nullptr) << "no version takes another's place by itself";
  EXPECT_NE(reader.find("m", "2"), nullptr);
  EXPECT_TRUE(table.remove("m", "2"));
  EXPECT_TRUE(reader.map().empty());
}

TEST(ModelTable, AModelLivesAsLongAsItIsUsed) {
  ModelTable table;
  ModelReader reader(table);
  table.set(make_model("m", "1", linear_onnx()));
  ModelPointer used = *reader.find("m", "");
  const std::weak_ptr<const ServedModel> watched = used;
  table.remove("m", "1");
  reader.map();
  EXPECT_FALSE(watched.expired());
  used.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(ModelTable, ReadersNeverMissAModelThatIsOnlyExchanged) {
  ModelTable table;
  const std::string onnx = linear_onnx();
  std::vector<ModelPointer> versions;
  for (int i = 0; i < 4; ++i) versions.push_back(make_model("m", std::to_string(i), onnx));
  table.set(versions[0]);
  std::atomic<bool> stop{false};
  std::atomic<size_t> missed{0}, found{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&] {
      ModelReader reader(table);
      while (!stop) {
        const ModelPointer* model = reader.find("m", "");
        model != nullptr && (*model)->name() == "m" ? ++found : ++missed;
      }
    });
  }
  for (int i = 0; i < 2000 || found == 0; ++i) table.set(versions[static_cast<size_t>(i % 4)]);
  stop = true;
  for (auto& each : readers) each.join();
  EXPECT_EQ(missed, 0U);
  EXPECT_GT(found, 0U);
}

}  // namespace
}  // namespace maas::serve
