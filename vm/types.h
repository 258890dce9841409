// The small types that all of vm/ shares: addresses, indices, protections, results.
#ifndef VM_TYPES_H_
#define VM_TYPES_H_

#include <cstdint>

namespace vm {

using Address = std::uint64_t;  // virtual, in bytes
using Pindex = std::uint64_t;   // page index within an object
using Frame = std::uint32_t;    // physical page number

inline constexpr Pindex kNoPindex = ~0ull;
inline constexpr std::uint32_t kBlockBytes = 512;  // granularity of valid and dirty bits

enum class Protection : std::uint8_t { kNone = 0, kRead = 1, kWrite = 2, kReadWrite = 3 };

constexpr Protection operator&(Protection a, Protection b) {
  return static_cast<Protection>(static_cast<std::uint8_t>(a) & static_cast<std::uint8_t>(b));
}
constexpr Protection operator|(Protection a, Protection b) {
  return static_cast<Protection>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
constexpr Protection operator~(Protection a) {
  return static_cast<Protection>(~static_cast<std::uint8_t>(a) & 3);
}
constexpr bool Allows(Protection have, Protection want) { return (have & want) == want; }

// What an operation of the VM says to its caller.
enum class Result : std::uint8_t {
  kOk,
  kInvalidArgument,    // unaligned, empty, out of the address space
  kInvalidAddress,     // not mapped
  kProtectionFailure,  // mapped, but not for this access
  kNoSpace,            // the range is taken, or no free range is large enough; a store is full
  kShortage,           // no free page now: wait and try again
  kIoError,            // the store failed
  kBeyondEnd,          // mapped, but its file ends before it, or was taken away
  kOutOfMemory,        // no page, no swap: decided by the page daemon; or not for this credential
};
const char* ResultName(Result result);

// What happens to a mapping in a forked space.
enum class Inheritance : std::uint8_t { kShare, kCopy, kNone };

// How CPUs access the pages of an object.
enum class MemoryAttribute : std::uint8_t { kDefault, kUncacheable, kWriteCombining };

enum class ObjectType : std::uint8_t { kDefault, kSwap, kVnode, kDevice, kPhys, kDead };

}  // namespace vm

#endif  // VM_TYPES_H_
