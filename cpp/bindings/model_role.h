// What a method of a model runs: a Program for its values, its idle workspaces, the numpy types of its
// results.
#pragma once

#include <string>
#include <vector>

#include "maas/program/compile.h"
#include "model_input.h"
#include "model_output.h"
#include "scratch_pool.h"

namespace maas::bindings {

// Workspaces of one call, given back when it is done with its results: texts may lie in them.
struct Lease {
  explicit Lease(ScratchPool& from) : pool(from) {}
  ~Lease() {
    if (scratch) pool.give(std::move(scratch));
    if (!team.empty()) pool.give_team(std::move(team));
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  ScratchPool& pool;
  std::unique_ptr<Scratch> scratch;
  std::vector<Scratch> team;
};

class Role {
 public:
  // Compiles; throws as compile does. `text_width` as OutputSpec has it. With the GIL held.
  Role(const Graph& graph, std::vector<std::string> values, size_t text_width);
  Role(const Role&) = delete;
  Role& operator=(const Role&) = delete;

  const Program& program() const { return program_; }
  const std::vector<OutputSpec>& outputs() const { return outputs_; }

  ScratchPool& scratches() { return scratches_; }

  // Lets other Python threads run and uses the pool where the work is worth it. False with the Python error
  // set. With the GIL held.
  bool run(const InputArray* inputs, size_t rows, void* const* outputs, Lease& lease) const;

 private:
  const Program program_;
  ScratchPool scratches_;
  std::vector<OutputSpec> outputs_;
};

}  // namespace maas::bindings
