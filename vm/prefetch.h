// Begins to fetch the cache lines of memory that will be used soon. A processor keeps a dozen
// fetches going and waits beyond that: what is longer is best asked for in parts, with other work
// in between.
#ifndef VM_PREFETCH_H_
#define VM_PREFETCH_H_

#include <cstddef>
#include <span>

namespace vm {

inline constexpr std::size_t kCacheLine = 64;

inline void Prefetch(std::span<const std::byte> bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += kCacheLine) __builtin_prefetch(&bytes[at]);
}

}  // namespace vm

#endif  // VM_PREFETCH_H_
