// The hash of traces, chains and signatures: the same on every machine and in every run.
#ifndef LOCKING_HASH_H_
#define LOCKING_HASH_H_

#include <cstdint>
#include <string_view>

namespace locking {

inline constexpr std::uint64_t kHashMultiplier = 0x9E3779B97F4A7C15ull;

constexpr std::uint64_t HashCombine(std::uint64_t hash, std::uint64_t value) {
  hash = (hash + value + 1) * kHashMultiplier;
  return hash ^ (hash >> 29);
}

constexpr std::uint64_t HashString(std::string_view text) {
  std::uint64_t hash = text.size();
  for (char c : text) hash = HashCombine(hash, static_cast<unsigned char>(c));
  return hash;
}

}  // namespace locking

#endif  // LOCKING_HASH_H_
