// Small programs to measure explorers with: known concurrency bugs of the literature, re-expressed
// with our primitives, and what they look like without the bug. Plain shared variables of the
// originals are Atomic here: each access is a scheduling point.
#ifndef LOCKING_EXPLORE_PROGRAMS_H_
#define LOCKING_EXPLORE_PROGRAMS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace locking::explore {

struct Program {
  std::string name;
  std::string description;
  std::function<void()> body;
  std::string expected;  // id of the finding that some schedule gives; empty: there is none
  bool expects_failure() const { return !expected.empty(); }
};

// All of them, in order of name.
const std::vector<Program>& Programs();
// nullptr: there is no such program.
const Program* FindProgram(std::string_view name);

}  // namespace locking::explore

#endif  // LOCKING_EXPLORE_PROGRAMS_H_
