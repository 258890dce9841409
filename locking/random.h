// The only source of randomness of vm/ and stress/: a small seeded generator (splitmix64), the same
// sequence on every machine.
//
// Thread safety: none; each thread has its own.
#ifndef LOCKING_RANDOM_H_
#define LOCKING_RANDOM_H_

#include <cstdint>

namespace locking {

class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) : state_(seed) {}

  constexpr std::uint64_t Next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  // Uniform in [0, bound); `bound` > 0. The bias is below bound / 2^32.
  constexpr std::uint32_t Below(std::uint32_t bound) {
    return static_cast<std::uint32_t>((static_cast<std::uint64_t>(NextHigh()) * bound) >> 32);
  }
  // True with probability `percent` / 100.
  constexpr bool Percent(std::uint32_t percent) { return Below(100) < percent; }
  // A generator for a part of the work, independent of what this one is used for later.
  constexpr Random Fork() { return Random(Next()); }

 private:
  constexpr std::uint32_t NextHigh() { return static_cast<std::uint32_t>(Next() >> 32); }
  std::uint64_t state_;
};

}  // namespace locking

#endif  // LOCKING_RANDOM_H_
