// Failure: an execution that failed, with all that its replay needs, and its file: one small text.
//
//   vmstress-replay 1
//   test abba
//   strategy random
//   seed 17
//   execution 4
//   max_steps 100000
//   id LK09
//   signature LK09: a at tests/x.cc:12; b at tests/x.cc:15;
//   title deadlock: ...
//   with pages=64
//   trace_hash 9f3c61d2a8b07e55
//   choices 57
//   1x3 2 1x4 3x2 ...
//   end
//
// A choice is the id of the thread that ran at that step, `x` how many steps in a row.
#ifndef LOCKING_EXPLORE_FAILURE_H_
#define LOCKING_EXPLORE_FAILURE_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "locking/finding.h"

namespace locking::explore {

struct Failure {
  Finding finding;
  std::string test;
  std::string strategy;
  std::uint64_t seed = 0;       // of this execution
  std::uint64_t execution = 0;  // from 1, in its Check
  std::uint32_t max_steps = 0;
  std::uint64_t trace_hash = 0;
  std::vector<std::uint32_t> choices;
  std::map<std::string, std::string> with;  // parameters of the test, for whoever builds it again
  // Not in the file: how many executions of its Check showed it, how many were directed at it, and
  // whether running it again at once gave the same trace.
  std::uint64_t count = 1;
  std::uint32_t directed_executions = 0;
  bool reproduced = false;
};

std::string FormatFailure(const Failure& failure);
// False: `*error` says what is wrong, and in which line.
bool ParseFailure(std::string_view text, Failure* failure, std::string* error);

// False: `*error` says why the file could not be written or read.
bool SaveFailure(const Failure& failure, const std::string& path, std::string* error);
bool LoadFailure(const std::string& path, Failure* failure, std::string* error);

}  // namespace locking::explore

#endif  // LOCKING_EXPLORE_FAILURE_H_
