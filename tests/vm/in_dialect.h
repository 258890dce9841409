// The dialect in which a test program builds its machines: tests/vm/dialects.bzl runs one program
// in several.
#ifndef TESTS_VM_IN_DIALECT_H_
#define TESTS_VM_IN_DIALECT_H_

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "vm/config.h"

namespace vm {

// `config` with what the environment says of locks and index; else as it is.
inline SystemConfig InDialect(SystemConfig config) {
  const auto choose = [](const char* variable, const auto& all, auto name_of, auto* chosen) {
    const char* text = std::getenv(variable);
    if (text == nullptr) return;
    const auto found = std::find_if(
        all.begin(), all.end(), [&](auto each) { return std::string_view(text) == name_of(each); });
    if (found == all.end()) std::abort();
    *chosen = *found;
  };
  choose("VM_LOCKS", kLockDialects, LockDialectName, &config.locks);
  choose("VM_INDEX", kIndexKinds, IndexKindName, &config.index);
  return config;
}

}  // namespace vm

#endif  // TESTS_VM_IN_DIALECT_H_
