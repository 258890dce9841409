// Running sequences of operations, one thread each, and making those that fail short.
#ifndef TESTS_MODEL_SEQUENCE_H_
#define TESTS_MODEL_SEQUENCE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/model/model_world.h"
#include "tests/model/operation.h"

namespace vm {

struct SequenceResult {
  std::string failure;  // empty: none
  std::string id;       // of the finding
  std::size_t at = 0;   // the operation under way then; behind the last: the end
  std::array<std::uint64_t, static_cast<std::size_t>(Event::kCount)> events{};
};

// On a machine of its own, by one thread.
SequenceResult RunSequence(const std::vector<Operation>& operations, const WorldOptions& options);

// The shortest part of `operations` that could be found for which `fails` still says true.
std::vector<Operation> Shrink(
    std::vector<Operation> operations,
    const std::function<bool(const std::vector<Operation>& operations)>& fails);

// What failed and how, with the shrunk sequence, for people.
std::string Explain(const SequenceResult& result, const std::vector<Operation>& operations,
                    const WorldOptions& options);

// From the environment, for runs that are longer than those of every day.
std::uint64_t NumberFromEnvironment(const char* name, std::uint64_t otherwise);

}  // namespace vm

#endif  // TESTS_MODEL_SEQUENCE_H_
