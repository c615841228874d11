#include "maas/program/compile.h"

#include <algorithm>

#include "maas/base/error.h"
#include "maas/program/draft.h"
#include "maas/program/make_step.h"
#include "maas/program/plan.h"
#include "maas/program/steps/private_ops.h"

namespace maas {

namespace {

// Of one thread. Only values of millions of elements a row come near it.
constexpr size_t kMostScratch = size_t{4} << 30;

Draft make_draft(Graph graph, const std::vector<std::string>& wanted) {
  Checked checked = check_graph(graph);
  Draft draft;
  draft.types = std::move(checked.types);
  draft.constants.insert(graph.initializers.begin(), graph.initializers.end());
  draft.constants.merge(checked.known);
  draft.inputs = std::move(graph.inputs);
  draft.nodes = std::move(graph.nodes);
  if (wanted.empty()) draft.outputs = std::move(graph.outputs);
  for (const std::string& name : wanted) {
    const auto type = draft.types.find(name);
    if (type == draft.types.end() || name.empty()) {
      throw Error(ErrorCode::kNotFound, "compile",
                  "expected outputs among the values of graph '" + graph.name + "', got '" + name + "'");
    }
    draft.outputs.push_back({name, type->second});
  }
  for (const Value& output : draft.outputs) {
    const Tensor* constant = draft.constant(output.name);
    if (constant != nullptr && mentions_batch(*constant)) {
      throw Error(ErrorCode::kUnsupported, "compile",
                  "expected outputs that do not count the rows, got '" + output.name + "'");
    }
  }
  return draft;
}

}  // namespace

// Makes the Program of a draft on which all passes have run.
class Compiler {
 public:
  explicit Compiler(Draft draft) : draft_(std::move(draft)) {}

  Program compile(std::map<std::string, std::string> metadata) {
    copy_shared_outputs();
    number_values();
    find_lifetimes();
    choose_rows();
    make_steps();
    lay_out();
    describe_boundary();
    program_.row_cost_ = row_cost(draft_);
    program_.metadata_ = std::move(metadata);
    return std::move(program_);
  }

 private:
  enum class Place : uint8_t { kInput, kOutput, kScratch, kConstant };
  struct Planned {
    std::string name;
    Place place = Place::kScratch;
    size_t bytes = 0;  // of a row where batched
    bool batched = true;
    size_t first = 0, last = 0;  // steps that need it
  };

  // Every output has memory of its own: a value that is not, or not only, made by a step for one is copied.
  void copy_shared_outputs() {
    std::unordered_map<std::string, size_t> taken;
    for (const Value& input : draft_.inputs) taken.emplace(input.name, 1);
    for (size_t i = 0; i < draft_.outputs.size(); ++i) {
      const std::string& name = draft_.outputs[i].name;
      const std::string& root = draft_.root(name);
      if (draft_.constant(root) == nullptr && taken.emplace(root, 1).second) {
        own_.push_back(root);
        continue;
      }
      own_.push_back(name + "/copy" + std::to_string(i));  // a name only has to be unlike all others
      while (draft_.types.count(own_.back()) > 0) own_.back() += "_";
      draft_.types.emplace(own_.back(), draft_.types.at(name));
      draft_.nodes.push_back({kCopyOp, kPrivateDomain, "", {name}, {own_.back()}, {}});
    }
  }

  size_t number(const std::string& root, Place place) {
    const auto [found, added] = slots_.emplace(root, values_.size());
    if (added) {
      const ValueType& type = draft_.types.at(root);
      values_.push_back({root, place, elements(type.shape) * item_size(type.dtype), is_batched(type.shape)});
    }
    return found->second;
  }

  void number_values() {
    for (const Value& input : draft_.inputs) number(input.name, Place::kInput);
    for (const std::string& output : own_) number(output, Place::kOutput);
    for (const Node& node : draft_.nodes) {
      for (const std::string& name : node.inputs) {
        if (!name.empty() && draft_.constant(name) != nullptr) number(name, Place::kConstant);
      }
      for (const std::string& name : node.outputs) {
        if (!name.empty()) number(name, Place::kScratch);
      }
    }
  }

  void find_lifetimes() {
    for (size_t step = 0; step < draft_.nodes.size(); ++step) {
      const Node& node = draft_.nodes[step];
      for (const std::string& name : node.outputs) {
        if (!name.empty()) values_[slots_.at(name)].first = values_[slots_.at(name)].last = step;
      }
      for (const std::string& name : node.inputs) {
        if (!name.empty()) values_[slots_.at(draft_.root(name))].last = step;
      }
    }
    for (Planned& value : values_) {
      if (value.place == Place::kOutput) value.last = draft_.nodes.size();
    }
  }

  void choose_rows() {
    std::vector<Lifetime> rows;
    for (const Planned& value : values_) {
      if (value.batched) rows.push_back({value.bytes, value.first, value.last});
    }
    program_.block_rows_ = choose_block_rows(peak_bytes(rows));
  }

  void make_steps() {
    for (const Node& node : draft_.nodes) {
      MadeStep made = make_step(draft_, node, slots_, program_.block_rows_);
      bool batched = true;
      for (const std::string& name : node.outputs) {
        if (!name.empty()) batched = is_batched(draft_.types.at(name).shape);
      }
      Program::Instruction instruction{made.step.get(), made.work_bytes, 0, 0, batched};  // offset set later
      if (made.work_is_text && batched) {
        instruction.work_offset = 0;
        instruction.text_row_bytes = made.work_bytes / program_.block_rows_;
        instruction.text_row_offset = program_.text_row_bytes_;
        program_.text_row_bytes_ += instruction.text_row_bytes;
      }
      texts_.push_back(made.work_is_text);
      program_.instructions_.push_back(instruction);
      program_.step_names_.push_back(node_text(node));
      program_.step_notes_.push_back(note(node));
      program_.steps_.push_back(std::move(made.step));
    }
  }

  // "scaled [N, 10] -> hidden [N, 64] (2816 bytes of constants)"
  std::string note(const Node& node) const {
    std::string text;
    size_t bytes = 0;
    const auto add = [&](const std::string& name) {
      const Tensor* constant = draft_.constant(name);
      if (constant != nullptr) {
        bytes += constant->size() * item_size(constant->dtype());
      } else {
        text += (text.empty() || text.back() == ' ' ? "" : ", ") + draft_.root(name) + " " +
                shape_text(draft_.types.at(name).shape);
      }
    };
    for (const std::string& name : node.inputs) {
      if (!name.empty()) add(name);
    }
    text += " -> ";
    for (const std::string& name : node.outputs) {
      if (!name.empty()) add(name);
    }
    return bytes == 0 ? text : text + " (" + std::to_string(bytes) + " bytes of constants)";
  }

  // Places what lies in the scratch: values between steps, workspaces, copies of inputs.
  void lay_out() {
    std::vector<Lifetime> lifetimes;
    bool only_inputs = true;
    for (const Planned& value : values_) {
      const bool needs = value.place == Place::kScratch || value.place == Place::kInput;
      const size_t bytes = value.bytes * (value.batched ? program_.block_rows_ : 1);
      lifetimes.push_back({needs ? bytes : 0, value.first, value.last});
      only_inputs = only_inputs && value.place != Place::kScratch;
    }
    for (size_t step = 0; step < program_.instructions_.size(); ++step) {
      const size_t work = program_.instructions_[step].work_offset;
      lifetimes.push_back({work, step, texts_[step] ? program_.instructions_.size() : step});
      only_inputs = only_inputs && work == 0 && !texts_[step];
    }
    const Placement placement = place(lifetimes);
    if (placement.bytes > kMostScratch) {
      throw Error(ErrorCode::kUnsupported, "compile",
                  "expected a model that runs in " + std::to_string(kMostScratch) +
                      " bytes of scratch, got one that needs " + std::to_string(placement.bytes));
    }
    program_.scratch_bytes_ = placement.bytes;
    program_.one_step_ = only_inputs && program_.steps_.size() == 1;
    for (size_t step = 0; step < program_.instructions_.size(); ++step) {
      program_.instructions_[step].work_offset = placement.offsets[values_.size() + step];
    }
    program_.slots_ = values_.size();
    for (size_t slot = 0; slot < values_.size(); ++slot) {
      if (values_[slot].place == Place::kScratch) {
        program_.fixed_slots_.push_back({slot, nullptr, placement.offsets[slot]});
      } else if (values_[slot].place == Place::kConstant) {
        program_.fixed_slots_.push_back({slot, draft_.constant(values_[slot].name)->data(), 0});
      }
    }
    offsets_ = placement.offsets;
  }

  void describe_boundary() {
    const auto uses = count_uses(draft_);
    for (const Value& input : draft_.inputs) {
      const size_t slot = slots_.at(input.name), item = item_size(input.type.dtype);
      const bool batched = is_batched(input.type.shape);
      program_.input_plans_.push_back({slot, input.type.dtype, uses.count(input.name) > 0, batched,
                                       elements(input.type.shape), item, values_[slot].bytes,
                                       offsets_[slot]});
      program_.batched_ = program_.batched_ || batched;
    }
    for (const std::string& output : own_) {
      const size_t slot = slots_.at(output);
      program_.output_plans_.push_back({slot, values_[slot].batched ? values_[slot].bytes : 0});
      program_.unbatched_outputs_ = program_.unbatched_outputs_ || !values_[slot].batched;
    }
    program_.inputs_ = draft_.inputs;
    program_.outputs_ = draft_.outputs;
    std::erase_if(draft_.constants, [&](const auto& entry) { return slots_.count(entry.first) == 0; });
    program_.constants_ = std::move(draft_.constants);
  }

  Draft draft_;
  Program program_;
  std::vector<std::string> own_;  // by output: the value that lies in its memory
  std::unordered_map<std::string, size_t> slots_;
  std::vector<Planned> values_;  // by slot
  std::vector<size_t> offsets_;  // by slot
  std::vector<bool> texts_;      // by step: whether its work holds texts
};

Program compile(Graph graph, const CompileOptions& options) {
  std::map<std::string, std::string> metadata = std::move(graph.metadata);
  Draft draft = make_draft(std::move(graph), options.outputs);
  prune(draft);
  fold_constants(draft);
  find_aliases(draft);
  if (options.fuse) fuse(draft);
  prune(draft);
  return Compiler(std::move(draft)).compile(std::move(metadata));
}

}  // namespace maas
