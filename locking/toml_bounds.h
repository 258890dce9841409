// What is refused of a TOML text before it is parsed. A parser of TOML builds, and destroys, one
// table inside the other for each dot of a key: a key of 100 000 dots would overflow the stack.
//
// A key stands on one line, so bounds on lines and on nested values (TOML_MAX_NESTED_VALUES, in
// third_party/system/BUILD) bound the depth: 16 values of 500 dots.
#ifndef LOCKING_TOML_BOUNDS_H_
#define LOCKING_TOML_BOUNDS_H_

#include <cstddef>
#include <string_view>

namespace locking {

inline constexpr std::size_t kTomlLineBytesMax = 1000;
inline constexpr char kTomlLinesAccepted[] = "lines of at most 1000 bytes";

// The number of the first line that is too long, from 1; 0 if there is none.
int FindLongTomlLine(std::string_view text);

}  // namespace locking

#endif  // LOCKING_TOML_BOUNDS_H_
