// What the model tests do to a machine: operations whose numbers mean something in whatever state
// they meet, so that any part of a sequence is a sequence too, and a failing one can be shrunk.
#ifndef TESTS_MODEL_OPERATION_H_
#define TESTS_MODEL_OPERATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "locking/random.h"

namespace vm {

enum class OperationKind : std::uint8_t {
  kLoad,
  kStore,
  // Of address spaces.
  kMapAnonymous,
  kMapFile,
  kMapObject,
  kUnmap,
  kProtect,
  kInherit,
  kWire,
  kUnwire,
  kAdvise,
  kSync,
  kQuery,
  kFork,
  kExit,
  kNewSpace,
  // Of the machine.
  kLend,
  kReturn,
  kTruncate,
  kSyncFile,
  kReopen,
  kRevoke,
  kFaults,
  kScan,
  kPageOut,
  kCache,
  kPopulate,
  kTakeRun,
  kGiveRun,
  kCount,
};
const char* OperationName(OperationKind kind);

struct Operation {
  OperationKind kind;
  std::uint32_t space;   // of those that there are
  std::uint32_t at;      // page of the arena, or which of what there are
  std::uint32_t count;   // pages
  std::uint32_t choice;  // between the forms of the operation
};
std::string Format(const Operation& operation);
std::string Format(const std::vector<Operation>& operations);

// How often each kind comes.
struct OperationWeight {
  OperationKind kind;
  std::uint32_t weight;
};
using OperationMix = std::vector<OperationWeight>;
// Everything, by one thread alone.
const OperationMix& WholeMachine();
// What several threads may do side by side.
const OperationMix& SideBySide();

std::vector<Operation> RandomOperations(locking::Random random, const OperationMix& mix,
                                        std::uint32_t length);

}  // namespace vm

#endif  // TESTS_MODEL_OPERATION_H_
