// toml++, for texts of any origin. It states as assertions what a text may break ("[[" before the
// end of a line), which ends a debug build and is undefined in a release build, though the error
// that it would give stands behind the assertion: they are left out.
#ifndef LOCKING_TOML_H_
#define LOCKING_TOML_H_

#pragma push_macro("NDEBUG")
#undef NDEBUG
#define TOML_ASSERT(expr) static_cast<void>(0)
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

#endif  // LOCKING_TOML_H_
