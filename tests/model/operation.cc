#include "tests/model/operation.h"

#include <array>
#include <numeric>

namespace vm {
namespace {

constexpr std::array kNames = {
    "load",    "store",  "map_anonymous", "map_file", "map_object", "unmap",  "protect", "inherit",
    "wire",    "unwire", "advise",        "sync",     "query",      "fork",   "exit",    "space",
    "lend",    "return", "truncate",      "fsync",    "reopen",     "revoke", "faults",  "scan",
    "pageout", "cache",  "populate",      "take_run", "give_run"};
static_assert(kNames.size() == static_cast<std::size_t>(OperationKind::kCount));

}  // namespace

const char* OperationName(OperationKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::string Format(const Operation& operation) {
  return std::string(OperationName(operation.kind)) + " space=" + std::to_string(operation.space) +
         " at=" + std::to_string(operation.at) + " count=" + std::to_string(operation.count) +
         " choice=" + std::to_string(operation.choice);
}

std::string Format(const std::vector<Operation>& operations) {
  std::string text;
  for (std::size_t i = 0; i < operations.size(); ++i)
    text += std::to_string(i) + "  " + Format(operations[i]) + "\n";
  return text;
}

const OperationMix& WholeMachine() {
  using enum OperationKind;
  static const OperationMix mix = {
      {kLoad, 24},    {kStore, 48},   {kMapAnonymous, 6}, {kMapFile, 5},  {kMapObject, 2},
      {kUnmap, 4},    {kProtect, 4},  {kInherit, 2},      {kWire, 4},     {kUnwire, 3},
      {kAdvise, 4},   {kSync, 3},     {kQuery, 3},        {kFork, 4},     {kExit, 2},
      {kNewSpace, 1}, {kLend, 3},     {kReturn, 3},       {kTruncate, 2}, {kSyncFile, 1},
      {kReopen, 1},   {kRevoke, 1},   {kFaults, 2},       {kScan, 3},     {kPageOut, 4},
      {kCache, 2},    {kPopulate, 2}, {kTakeRun, 1},      {kGiveRun, 1}};
  return mix;
}

const OperationMix& SideBySide() {
  using enum OperationKind;
  static const OperationMix mix = {
      {kLoad, 24},  {kStore, 40},   {kMapAnonymous, 4}, {kMapFile, 4},  {kMapObject, 1},
      {kUnmap, 4},  {kProtect, 2},  {kWire, 4},         {kUnwire, 4},   {kAdvise, 4},
      {kSync, 2},   {kQuery, 2},    {kFork, 6},         {kExit, 4},     {kLend, 2},
      {kReturn, 2}, {kTruncate, 4}, {kSyncFile, 2},     {kReopen, 3},   {kRevoke, 1},
      {kFaults, 4}, {kPageOut, 4},  {kCache, 2},        {kPopulate, 1}, {kTakeRun, 2},
      {kGiveRun, 2}};
  return mix;
}

std::vector<Operation> RandomOperations(locking::Random random, const OperationMix& mix,
                                        std::uint32_t length) {
  const std::uint32_t total = std::accumulate(
      mix.begin(), mix.end(), 0u,
      [](std::uint32_t sum, const OperationWeight& each) { return sum + each.weight; });
  std::vector<Operation> operations;
  while (operations.size() < length) {
    std::uint32_t pick = random.Below(total);
    auto kind = mix.begin();
    for (; pick >= kind->weight; ++kind) pick -= kind->weight;
    Operation operation{.kind = kind->kind, .space = 0, .at = 0, .count = 0, .choice = 0};
    for (std::uint32_t* number :
         {&operation.space, &operation.at, &operation.count, &operation.choice})
      *number = random.Below(1u << 16);
    operations.push_back(operation);
  }
  return operations;
}

}  // namespace vm
