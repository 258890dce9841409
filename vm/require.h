// Run-time assertions of the VM. A broken one ends the run (or the explored execution) with the
// invariant's id and the caller's evidence; ids are those of docs/invariants.md.
#ifndef VM_REQUIRE_H_
#define VM_REQUIRE_H_

#include <string>

#include "locking/finding.h"

namespace vm {

// `describe` is only called on failure.
template <typename Describe>
inline void Require(bool condition, const char* id, const Describe& describe) {
  if (!condition) [[unlikely]]
    locking::FailInvariant(id, std::string(describe()));
}
inline void Require(bool condition, const char* id, const char* what) {
  if (!condition) [[unlikely]]
    locking::FailInvariant(id, what);
}

}  // namespace vm

#endif  // VM_REQUIRE_H_
